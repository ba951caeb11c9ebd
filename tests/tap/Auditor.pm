# The ledger before a public judge: auditor/auditor.go, built from Debian's package of the Go project's sumdb, whose
# sources are pinned by hash. Nothing is fetched.
package Auditor;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(dirname);
use IPC::Run ();
use Ledger;
use MIME::Base64 qw(encode_base64);

our @EXPORT = qw(build_auditor ask_auditor note_question record_questions tree_questions);

my $sources = dirname(__FILE__) . '/auditor';
my $library = '/usr/share/gocode';
my $program;

# Builds it in this directory.
sub build_auditor {
  my ($directory) = @_;
  my $missing = 'next: tools/setup, which installs golang-go and golang-golang-x-mod-dev';
  my $checked = IPC::Run::run([ 'sha256sum', '--check', '--strict', '--quiet', "$sources/sumdb.sha256" ],
    init => sub { chdir "$library/src/golang.org/x/mod" or die "no golang.org/x/mod\n" }, '>&', \my $why);
  die "sumdb is not there or not the pinned one: $why$missing\n" if !$checked;
  $program = "$directory/auditor";
  local %ENV = (%ENV, GO111MODULE => 'off', GOPATH => $library, GOCACHE => "$directory/go-cache", GOFLAGS => '', GOTOOLCHAIN => 'local');
  IPC::Run::run([ 'go', 'build', '-o', $program, "$sources/auditor.go" ], '>&', \$why) or die "no auditor: $why$missing\n";
  return;
}

# Answers to these questions, one each.
sub ask_auditor {
  my (@questions) = @_;
  my ($answers, $error) = ('', '');
  IPC::Run::run([$program], '<', \join('', map { "$_\n" } @questions), '>', \$answers, '2>', \$error) or die "auditor: $error";
  my @answers = split /\n/, $answers;
  die scalar(@answers) . ' answers to ' . scalar(@questions) . " questions\n" if @answers != @questions;
  return @answers;
}

sub note_question { my ($note) = @_; return 'note ' . encode_base64($note =~ s/\n*\z/\n/r, ''); }

# Are these events in the tree of this number and size?
sub record_questions {
  my ($node, $tree, $size, @events) = @_;
  return map { my ($event, $leaf, $path) = split /\|/, $_, -1; "record $tree $event $leaf " . ($path eq '' ? '-' : $path) }
    split /\n/, $node->safe_psql('postgres', "SELECT e, encode(visage.leaf(e), 'hex'), " . Ledger::text_of("visage.inclusion_proof(e, $size)")
      . " FROM unnest('{" . join(',', @events) . "}'::bigint[]) e");
}

# Does each of the trees go on in each later one? Their sizes, in order.
sub tree_questions {
  my ($node, @sizes) = @_;
  my $values = join ', ', map { "($_, $sizes[$_])" } 0 .. $#sizes;
  return map { my ($newer, $older, $path) = split /\|/, $_, -1; "tree $newer $older " . ($path eq '' ? '-' : $path) }
    split /\n/, $node->safe_psql('postgres', "WITH t (i, size) AS (VALUES $values) SELECT n.i, o.i, "
      . Ledger::text_of('visage.consistency_proof(o.size, n.size)') . ' FROM t o JOIN t n ON n.i >= o.i ORDER BY n.i, o.i');
}

1;
