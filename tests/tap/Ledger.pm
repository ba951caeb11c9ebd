# The ledger as an auditor sees it, without a line of ours: RFC 9162 for the tree, C2SP's signed notes for what the
# server hands out, the openssl program for signatures. The algorithms are numbered as in the RFC's text.
package Ledger;

use strict;
use warnings;

use Digest::SHA qw(sha256);
use Exporter 'import';
use File::Temp ();
use IPC::Run ();
use MIME::Base64 qw(decode_base64 encode_base64);
use Test::More;

our @EXPORT = qw(leaf_hash node_hash root_of path_of includes consistent read_note note_holds key_of inclusion_holds
  consistency_holds leaf_hashes verifies faults_of events_of);

sub leaf_hash { my ($leaf) = @_; return sha256("\0$leaf"); }
sub node_hash { my ($left, $right) = @_; return sha256("\1$left$right"); }

# The largest power of two below n.
sub split_of {
  my ($n) = @_;
  my $k = 1;
  $k *= 2 while $k * 2 < $n;
  return $k;
}

# 2.1.1: the root of a tree of these leaf hashes, by its definition.
sub root_of {
  my (@hashes) = @_;
  return sha256('') if !@hashes;
  return $hashes[0] if @hashes == 1;
  my $k = split_of(scalar @hashes);
  return node_hash(root_of(@hashes[ 0 .. $k - 1 ]), root_of(@hashes[ $k .. $#hashes ]));
}

# 2.1.3.1: the inclusion path of leaf m, by its definition.
sub path_of {
  my ($m, @hashes) = @_;
  return () if @hashes == 1;
  my $k = split_of(scalar @hashes);
  return (path_of($m, @hashes[ 0 .. $k - 1 ]), root_of(@hashes[ $k .. $#hashes ])) if $m < $k;
  return (path_of($m - $k, @hashes[ $k .. $#hashes ]), root_of(@hashes[ 0 .. $k - 1 ]));
}

# 2.1.3.2: does the path lead from the leaf's hash to the root?
sub includes {
  my ($hash, $index, $size, $root, @path) = @_;
  return 0 if $index >= $size;
  my ($fn, $sn, $r) = ($index, $size - 1, $hash);
  for my $p (@path) {
    return 0 if $sn == 0;
    if ($fn & 1 || $fn == $sn) {
      $r = node_hash($p, $r);
      until ($fn & 1 || $fn == 0) { $fn >>= 1; $sn >>= 1; }
    } else {
      $r = node_hash($r, $p);
    }
    $fn >>= 1;
    $sn >>= 1;
  }
  return $sn == 0 && $r eq $root;
}

# 2.1.4.2: is the tree of the first root the beginning of that of the second?
sub consistent {
  my ($first, $second, $first_root, $second_root, @path) = @_;
  return !@path && $first_root eq $second_root if $first == $second;
  return 0 if !@path || $first < 1 || $first > $second;
  unshift @path, $first_root if ($first & ($first - 1)) == 0;
  my ($fn, $sn) = ($first - 1, $second - 1);
  while ($fn & 1) { $fn >>= 1; $sn >>= 1; }
  my $fr = my $sr = shift @path;
  for my $c (@path) {
    return 0 if $sn == 0;
    if ($fn & 1 || $fn == $sn) {
      $fr = node_hash($c, $fr);
      $sr = node_hash($c, $sr);
      until ($fn & 1 || $fn == 0) { $fn >>= 1; $sn >>= 1; }
    } else {
      $sr = node_hash($sr, $c);
    }
    $fn >>= 1;
    $sn >>= 1;
  }
  return $fr eq $first_root && $sr eq $second_root && $sn == 0;
}

# A note's parts. psql takes the newline at its end.
sub read_note {
  my ($note) = @_;
  $note .= "\n" if $note !~ /\n\z/;
  my ($text, $signatures) = $note =~ /\A(.*\n)\n((?:\x{e2}\x{80}\x{94} [^\n]*\n)+)\z/s or die "no note: $note";
  my ($origin, $size, $root) = split /\n/, $text;
  my ($name, $blob) = $signatures =~ /^\x{e2}\x{80}\x{94} (\S+) (\S+)\n\z/ or die "no signature: $note";
  my $signature = decode_base64($blob);
  return { text => $text, origin => $origin, size => $size, root => decode_base64($root), name => $name,
    key_id => substr($signature, 0, 4), signature => substr($signature, 4) };
}

# A verifier key's parts: <name>+<key id>+<base64 of 01 ‖ key>.
sub key_of {
  my ($text) = @_;
  my ($name, $id, $blob) = $text =~ /\A(\S+)\+([0-9a-f]{8})\+(\S+)\z/ or die "no verifier key: $text";
  my $bytes = decode_base64($blob);
  die "no Ed25519 key: $text" if length $bytes != 33 || substr($bytes, 0, 1) ne "\1";
  my $key = substr $bytes, 1;
  my $expected = substr sha256("$name\n\1$key"), 0, 4;
  die "wrong key id: $text" if unpack('H*', $expected) ne $id;
  return { name => $name, id => $expected, key => $key };
}

# Checked by the openssl program. The prefix is that of RFC 8410's SubjectPublicKeyInfo.
sub note_holds {
  my ($note, $key) = @_;
  return 0 if $note->{name} ne $key->{name} || $note->{origin} ne $key->{name} || $note->{key_id} ne $key->{id};
  my $directory = File::Temp->newdir;
  my %content = (
    'key.pem' => "-----BEGIN PUBLIC KEY-----\n" . encode_base64(pack('H*', '302a300506032b6570032100') . $key->{key}) . "-----END PUBLIC KEY-----\n",
    'text' => $note->{text},
    'signature' => $note->{signature});
  for my $name (keys %content) {
    open my $file, '>:raw', "$directory/$name" or die $!;
    print $file $content{$name};
    close $file or die $!;
  }
  my $ok = IPC::Run::run([ 'openssl', 'pkeyutl', '-verify', '-pubin', '-inkey', "$directory/key.pem", '-rawin', '-in', "$directory/text",
      '-sigfile', "$directory/signature" ], '>', \my $out, '2>', \my $error);
  return $ok && $out =~ /Verified Successfully/ ? 1 : 0;
}

sub proof { my ($text) = @_; return map { pack 'H*', $_ } split /,/, $text; }

# A query's proofs, which it gives as text.
sub text_of { my ($proof) = @_; return "(SELECT coalesce(string_agg(encode(h, 'hex'), ',' ORDER BY n), '') FROM unnest($proof) WITH ORDINALITY p (h, n))"; }

# Do the server's proofs for these events lead to the root of a note that it handed out?
sub inclusion_holds {
  my ($node, $note, @events) = @_;
  my @lines = split /\n/, $node->safe_psql('postgres', "SELECT e, encode(visage.leaf(e), 'hex'), "
      . text_of("visage.inclusion_proof(e, $note->{size})") . " FROM unnest('{" . join(',', @events) . "}'::bigint[]) e");
  my $holding = 0;
  for my $line (@lines) {
    my ($event, $leaf, $path) = split /\|/, $line, -1;
    ++$holding if includes(leaf_hash(pack 'H*', $leaf), $event, $note->{size}, $note->{root}, proof($path));
  }
  return $holding == @events;
}

# … and that of the first note goes on in each of the others'?
sub consistency_holds {
  my ($node, $first, @seconds) = @_;
  my @paths = split /\n/, $node->safe_psql('postgres', 'SELECT ' . text_of("visage.consistency_proof($first->{size}, s)")
      . " FROM unnest('{" . join(',', map { $_->{size} } @seconds) . "}'::bigint[]) WITH ORDINALITY u (s, i) ORDER BY i"), -1;
  my $holding = 0;
  for my $i (0 .. $#seconds) {
    my $second = $seconds[$i];
    ++$holding if consistent($first->{size}, $second->{size}, $first->{root}, $second->{root}, proof($paths[$i] // ''));
  }
  return $holding == @seconds;
}

# Made from the leaves' bytes, not from the column that says what they are.
sub leaf_hashes {
  my ($node) = @_;
  return map { leaf_hash(pack 'H*', $_) } split /\n/,
    $node->safe_psql('postgres', q{SELECT encode(visage.leaf(e.seq), 'hex') FROM visage.event e ORDER BY e.seq});
}

# What verify_ledger() finds, a line a fault: <event> <fault>.
sub faults_of {
  my ($node, $checkpoint, $database) = @_;
  my $argument = defined $checkpoint ? "checkpoint => \$c\$" . ($checkpoint =~ s/\n*\z/\n/r) . '$c$' : '';
  return $node->safe_psql($database // 'postgres', "SELECT event, fault FROM visage.verify_ledger($argument)") =~ s/\|/ /gr;
}

sub verifies {
  my ($node, $checkpoint, $name, $database) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return is(faults_of($node, $checkpoint, $database), '', $name);
}

sub events_of { my ($node, $database) = @_; return $node->safe_psql($database // 'postgres', 'SELECT count(*) FROM visage.event'); }

1;
