// What a public implementation says of what the ledger hands out: package sumdb of the Go project, with which the go
// command checks Go's own public ledger. It shares no line with ours and was not written for us.
//
// Reads one question a line, answers each with "ok" or "no: <why>":
//
//	key <verifier key>                                      the key of the notes that follow
//	note <base64 of a signed note>                          its signature; the tree gets the next number, from 0 on
//	record <tree> <event> <leaf in hex> <proof>             is the event in the tree?
//	tree <newer tree> <older tree> <proof>                  is the older tree the newer one's beginning?
//
// A proof is its hashes in hex with commas between them, "-" if there are none.
package main

import (
	"bufio"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

var (
	verifier note.Verifier
	trees    []tlog.Tree
)

func proof(text string) (hashes []tlog.Hash, err error) {
	if text == "-" {
		return nil, nil
	}
	for _, word := range strings.Split(text, ",") {
		var hash tlog.Hash
		bytes, err := hex.DecodeString(word)
		if err != nil || copy(hash[:], bytes) != len(bytes) || len(bytes) != tlog.HashSize {
			return nil, fmt.Errorf("no hash: %q", word)
		}
		hashes = append(hashes, hash)
	}
	return hashes, nil
}

func open(text string) error {
	bytes, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return err
	}
	opened, err := note.Open(bytes, note.VerifierList(verifier))
	if err != nil {
		return err
	}
	// tlog.ParseTree insists on the name of Go's own ledger in the first line; the other two are the same.
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return err
	}
	trees = append(trees, tlog.Tree{N: size, Hash: root})
	return nil
}

func numbered(text string) (tlog.Tree, error) {
	number, err := strconv.Atoi(text)
	if err != nil || number < 0 || number >= len(trees) {
		return tlog.Tree{}, fmt.Errorf("no tree %q", text)
	}
	return trees[number], nil
}

func answer(words []string) (err error) {
	switch {
	case len(words) == 2 && words[0] == "key":
		verifier, err = note.NewVerifier(words[1])
		return err
	case len(words) == 2 && words[0] == "note" && verifier != nil:
		return open(words[1])
	case len(words) == 5 && words[0] == "record":
		tree, err := numbered(words[1])
		if err != nil {
			return err
		}
		event, err := strconv.ParseInt(words[2], 10, 64)
		if err != nil {
			return err
		}
		leaf, err := hex.DecodeString(words[3])
		if err != nil {
			return err
		}
		path, err := proof(words[4])
		if err != nil {
			return err
		}
		return tlog.CheckRecord(path, tree.N, tree.Hash, event, tlog.RecordHash(leaf))
	case len(words) == 4 && words[0] == "tree":
		newer, err := numbered(words[1])
		if err != nil {
			return err
		}
		older, err := numbered(words[2])
		if err != nil {
			return err
		}
		path, err := proof(words[3])
		if err != nil {
			return err
		}
		return tlog.CheckTree(path, newer.N, newer.Hash, older.N, older.Hash)
	}
	return fmt.Errorf("what is %q?", words)
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if err := answer(strings.Split(lines.Text(), " ")); err != nil {
			fmt.Printf("no: %v\n", err)
		} else {
			fmt.Println("ok")
		}
	}
	if lines.Err() != nil {
		fmt.Fprintln(os.Stderr, lines.Err())
		os.Exit(1)
	}
}
