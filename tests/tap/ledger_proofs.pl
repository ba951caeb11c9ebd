# What the ledger hands out, checked with public means alone: RFC 9162 in Ledger.pm, signatures by the openssl program.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Ledger;
use Visage;

my $node = new_server('ledger_proofs');
$node->start;
load_fixture($node);
fails($node, 'SELECT visage.checkpoint()', '55000', qr/the ledger is empty/, 'an empty ledger has no checkpoint');
lift_limits($node);
load_faces($node, 'alice');
all_settled($node);

sub note { return read_note($node->safe_psql('postgres', 'SELECT visage.checkpoint()')); }
sub grow {
  my ($count) = @_;
  $node->safe_psql('postgres', "SELECT count(visage.verify('alice', fresh(CASE i % 3 WHEN 0 THEN 'mallory' ELSE 'alice' END))) FROM generate_series(1, $count) i");
  return;
}

# Small trees: every event in every size that was signed, every size in every later one.
my @notes = (note());
for (1 .. 12) { grow(1); push @notes, note(); }
my $key = key_of($node->safe_psql('postgres', 'SELECT visage.ledger_public_key()'));
my @hashes = leaf_hashes($node);
is(scalar @hashes, $notes[-1]{size}, 'a note counts the events');
is(scalar(grep { !note_holds($_, $key) } @notes), 0, 'every note is signed by the key of that id [8.2.5b]');
is(scalar(grep { root_of(@hashes[ 0 .. $_->{size} - 1 ]) ne $_->{root} } @notes), 0, "every note's root is that of RFC 9162 over the leaves");
is(scalar(grep { !inclusion_holds($node, $_, 0 .. $_->{size} - 1) } @notes), 0, 'every event is included in every note');
is(scalar(grep { !consistency_holds($node, @notes[ $_ .. $#notes ]) } 0 .. $#notes), 0,
  'every note goes on in every later one');
my $system = $node->safe_psql('postgres', 'SELECT system_identifier FROM pg_control_system()');
like($key->{name}, qr{^pg_visage/$system/\d+$}, 'the origin names the server and the database');

# The checks themselves can fail.
my ($first, $last) = @notes[ 0, -1 ];
my %forged = (
  'a size' => { text => $last->{text} =~ s/\n(\d+)\n/"\n" . ($1 + 1) . "\n"/er },
  'a root' => { text => $last->{text} =~ s/\n([^\n]{10})(.)/"\n$1" . ($2 eq 'A' ? 'B' : 'A')/er },
  'a signature' => { signature => $last->{signature} ^ ("\0" x 20 . "\1" . "\0" x 43) },
  'a name' => { name => 'elsewhere' });
is(note_holds({ %$last, %{ $forged{$_} } }, $key), 0, "control: a note with $_ altered does not hold") for sort keys %forged;
is(consistency_holds($node, { %$first, root => $last->{root} }, $last), '', 'control: another beginning is not consistent');
is(inclusion_holds($node, { %$last, root => $first->{root} }, 0), '', 'control: an event is not in another root');

# Past the sizes where hashes of whole subtrees are stored: around 256, 512 and beyond.
for my $target (254 .. 258, 511 .. 513, 700) {
  my $missing = $target - events_of($node);
  grow($missing) if $missing > 0;
  push @notes, note();
}
@hashes = leaf_hashes($node);
is(scalar(grep { !note_holds($_, $key) || root_of(@hashes[ 0 .. $_->{size} - 1 ]) ne $_->{root} } @notes[ -9 .. -1 ]), 0, 'larger roots and signatures hold');
my @events = (0, 1, 254 .. 257, 511, 512, 600, $notes[-1]{size} - 1);
is(scalar(grep { my $note = $_; !inclusion_holds($node, $note, grep { $_ < $note->{size} } @events) } @notes[ -9 .. -1 ]), 0, 'so do inclusion proofs');
is(scalar(grep { !consistency_holds($node, @notes[ $_ .. $#notes ]) } 0 .. $#notes), 0,
  'and consistency proofs');
verifies($node, $node->safe_psql('postgres', 'SELECT visage.checkpoint()'), 'verify_ledger() agrees');

# A checkpoint is made durable before it is given away, also where the log ends with a page. The message's record has 54
# bytes besides its text; others may write to the log in between.
is($node->safe_psql('postgres', <<'SQL'), 't', 'a checkpoint at the end of a page of the log');
CREATE FUNCTION checkpoint_at_page_end() RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE room int;
BEGIN
  FOR i IN 1 .. 100 LOOP
    room := 8192 - (pg_current_wal_insert_lsn() - '0/0')::bigint % 8192;
    CONTINUE WHEN pg_logical_emit_message(false, '', repeat('x', CASE WHEN room < 400 THEN 1000 ELSE room - 54 END)) IS NULL;
    IF (pg_current_wal_insert_lsn() - '0/0')::bigint % 8192 = 24 THEN
      PERFORM visage.checkpoint();
      RETURN true;
    END IF;
  END LOOP;
  RETURN false;
END $$;
SELECT checkpoint_at_page_end();
SQL

# Everybody gets proofs of the same tree, whatever grew since: a proof for an old size is the same later.
my ($old_size, $proof) = ($notes[5]{size}, "SELECT visage.inclusion_proof(2, $notes[5]{size})");
my $before = $node->safe_psql('postgres', $proof);
grow(10);
is($node->safe_psql('postgres', $proof), $before, 'a proof for an old size does not change');
fails($node, "SELECT visage.inclusion_proof($old_size, $old_size)", '22023', qr/is not in a tree of $old_size events/, 'no proof of what is not in the tree');
fails($node, 'SELECT visage.inclusion_proof(0, 100000)', '22023', qr/the ledger has had sizes from 1 to/, 'no proof for a size that never was');
fails($node, 'SELECT visage.consistency_proof(100000)', '22023', qr/the ledger has had sizes from 1 to/, '… of either kind');

# Another root key, another id; the name stays, and old notes stay good under the old key.
my $keys = $node->basedir . '/keys';
write_file("$keys/envelope", slurp_file("$keys/envelope") =~ s/\n\z//r, '2 ' . random_key());
$node->safe_psql('postgres', 'SELECT visage.reload_keys()');
is(note()->{key_id}, $key->{id}, 'a new root key alone changes nothing in the ledger');
$node->safe_psql('postgres', 'SELECT visage.rotate_ledger_key()');
my $new_key = key_of($node->safe_psql('postgres', 'SELECT visage.ledger_public_key()'));
my $new_note = note();
ok($new_key->{name} eq $key->{name} && $new_key->{id} ne $key->{id}, 'after the rotation: the same name, another key');
ok(note_holds($new_note, $new_key) && !note_holds($new_note, $key), 'new notes hold under the new key and not under the old');
ok(consistency_holds($node, $last, $new_note), 'the ledger goes on across the rotation');
verifies($node, $node->safe_psql('postgres', 'SELECT visage.checkpoint()'), '… and verifies');

# A name of one's own, for ever.
configure($node, Visage::preloaded($node), 'visage.ledger_origin' => 'registry.example/other');
$node->restart;
grow(1);
is(note()->{origin}, $key->{name}, 'a ledger keeps the name that it was opened with');
$node->stop;

done_testing();
