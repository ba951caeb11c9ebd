# Notes and proofs before a public judge that knows nothing of us: the Go project's sumdb. [8.2.5b]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Auditor;
use Ledger;
use Visage;

my $node = new_server('ledger_public');
configure($node, Visage::preloaded($node), 'visage.ledger_origin' => 'registry.example/faces');
$node->start;
build_auditor($node->basedir);
load_fixture($node);
lift_limits($node);
load_faces($node, 'alice');
all_settled($node);

# Every size up to 40, then sizes around those where hashes of whole subtrees are stored.
my @notes;
sub grow_to {
  my ($size) = @_;
  my $missing = $size - events_of($node);
  $node->safe_psql('postgres', "SELECT count(visage.verify('alice', fresh(CASE i % 3 WHEN 0 THEN 'mallory' ELSE 'alice' END))) FROM generate_series(1, $missing) i")
    if $missing > 0;
  push @notes, $node->safe_psql('postgres', 'SELECT visage.checkpoint()');
  return;
}
grow_to($_) for events_of($node) .. 40, 255 .. 257, 511 .. 513, 700;
my @sizes = map { read_note($_)->{size} } @notes;
is($sizes[-1], 700, scalar(@notes) . ' checkpoints, the last of 700 events');

my $key = 'key ' . $node->safe_psql('postgres', 'SELECT visage.ledger_public_key()');
my @trees = ($key, map { note_question($_) } @notes);
# Answers that are not "ok", with their questions.
sub refused {
  my (@questions) = @_;
  my @answers = ask_auditor(@trees, @questions);
  return map { $answers[$_] eq 'ok' ? () : substr((@trees, @questions)[$_], 0, 100) . " → $answers[$_]" } 0 .. $#answers;
}
sub all_hold { my ($name, @questions) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1;
  return is(join("\n", refused(@questions)), '', $name); }
sub none_holds { my ($name, @questions) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1;
  return is(scalar(refused(@questions)), scalar(@questions), "control: $name"); }

all_hold('every checkpoint is signed by the published key');
my @records = map { record_questions($node, $_, $sizes[$_], grep { my $event = $_; $event < 41 || grep { abs($event - $_) < 2 } 255, 511, 699 } 0 .. $sizes[$_] - 1) } 0 .. $#sizes;
cmp_ok(scalar @records, '>', 700, scalar(@records) . ' inclusion proofs');
all_hold('every event is in every tree, by its proof', @records);
my @goes_on = tree_questions($node, @sizes);
is(scalar @goes_on, @sizes * (@sizes + 1) / 2, scalar(@goes_on) . ' consistency proofs');
all_hold('every tree goes on in every later one, by its proof', @goes_on);

# The judge can say no.
sub flip { my ($hex) = @_; return ($hex =~ /^0/ ? 'f' : '0') . substr $hex, 1; }
none_holds('another leaf', map { my @w = split / /; $w[3] = flip($w[3]); "@w" } @records);
none_holds('another path', map { my @w = split / /; $w[4] = flip($w[4]); "@w" } grep { !/ -$/ } @records);
none_holds('another event', map { my @w = split / /; $w[2] ^= 1; "@w" } @records);
none_holds('another tree', map { my @w = split / /; $w[1] = ($w[1] + 1) % @sizes; "@w" } @records);
none_holds('another consistency proof', map { my @w = split / /; $w[3] = flip($w[3]); "@w" } grep { !/ -$/ } @goes_on);
my @strict = grep { my @w = split / /; $w[1] != $w[2] } @goes_on;
none_holds('another beginning', map { my @w = split / /; $w[2] = $w[2] == 0 ? 1 : $w[2] - 1; "@w" } grep { my @w = split / /; $w[2] > 0 || $w[1] > 1 } @strict);
my $note = $notes[-1];
none_holds('a forged note', note_question($note =~ s/\n700\n/\n701\n/r), note_question($note =~ s/^registry/Registry/r),
  note_question($note =~ s/(\n700\n.)(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/er), note_question($note =~ s/(.)(.{6})\n*\z/($1 eq 'A' ? 'B' : 'A') . $2/er));

# The judge keeps the old key for old notes, takes the new for new ones, and the ledger goes on.
my $keys = $node->basedir . '/keys';
write_file("$keys/envelope", slurp_file("$keys/envelope") =~ s/\n\z//r, '2 ' . random_key());
$node->safe_psql('postgres', 'SELECT visage.reload_keys()');
$node->safe_psql('postgres', 'SELECT visage.rotate_ledger_key()');
grow_to(0);
is((ask_auditor($key, note_question($notes[-1])))[1] =~ /^no: /, 1, 'a note after a rotation does not hold under the old key');
push @trees, 'key ' . $node->safe_psql('postgres', 'SELECT visage.ledger_public_key()'), note_question($notes[-1]);
push @sizes, read_note($notes[-1])->{size};
all_hold('it does under the new one, and every tree from before goes on in it', tree_questions($node, @sizes));
$node->stop;

done_testing();
