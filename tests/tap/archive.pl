# Events leave the ledger as sealed segments: what left is proven by public means, what stays verifies, nothing young or
# open leaves. [8.2.4d, 8.2.5b]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Ledger;
use Visage;

my $node = new_server('archive');
configure($node, Visage::preloaded($node), 'visage.probe_max_age' => '1s', 'visage.clock_skew' => '0');
$node->start;
load_fixture($node);
lift_limits($node);
load_faces($node, 'alice');
all_settled($node);

sub value { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }
sub grow_to {
  my ($size) = @_;
  my $missing = $size - value('SELECT events FROM visage.audit_status');
  value("SELECT count(visage.verify('alice', fresh(CASE i % 3 WHEN 0 THEN 'mallory' ELSE 'alice' END), context => jsonb_build_object('biz_id', 'order-$size-' || i)))
    FROM generate_series(1, $missing) i") if $missing > 0;
  return value('SELECT visage.checkpoint()');
}
sub all_old { return $node->poll_query_until('postgres', q{SELECT max(at) < clock_timestamp() - interval '1100 milliseconds' FROM visage.event}); }
my $early = grow_to(300);
my $note = grow_to(700);
all_old();
is(value(q{SELECT count(*) FROM visage.archive_ledger('-infinity')}), 0, 'nothing is older than time');

# What is still open stays, and everything behind it.
my $open = $node->background_psql('postgres');
$open->query_safe(q{BEGIN; SELECT visage.register('bob', fresh('alice'))});
grow_to(1100);
all_old();
is(value(q{BEGIN; SELECT max(last) FROM visage.archive_ledger('infinity'); ROLLBACK}), 511, 'an open change stays, and what is behind it');
$open->query_safe('ROLLBACK');
$open->quit;
all_settled($node);
all_old();

my $moment = value('SELECT at FROM visage.event WHERE seq = 700');

# Undone with its caller's transaction, and on the record all the same.
my $before = value('SELECT count(*) FROM visage.event WHERE seq < 512');
value("BEGIN; SELECT count(*) FROM visage.archive_ledger('$moment'); ROLLBACK");
is(value('SELECT count(*) FROM visage.event WHERE seq < 512'), $before, 'a ROLLBACK brings archived events back');
$node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM visage.history WHERE operation = 'archive' AND settled = 'rolled back'});
verifies($node, $note, '… and the ledger is as before');

my $whole = join ',', map { unpack 'H*', $_ } leaf_hashes($node);
all_old();
value("CREATE TABLE archive AS SELECT * FROM visage.archive_ledger('$moment')");
is(value('SELECT string_agg(segment || $$:$$ || first || $$-$$ || last || $$:$$ || cardinality(leaves), $$ $$ ORDER BY segment) FROM archive'),
  '0:0-255:256 1:256-511:256', 'whole segments leave');
is(value('SELECT min(seq) FROM visage.event'), 512, 'they are gone from the table');
is(value(q{SELECT object || ' ' || (note ~ '^before') || ' ' || (caller = current_user) FROM visage.history WHERE operation = 'archive' ORDER BY event DESC LIMIT 1}),
  'events 0 to 511 true true', 'who archived what is an event [8.1.4a]');

# The segments, with public means: leaves to node, node to the signed root.
my $key = key_of(value('SELECT visage.ledger_public_key()'));
my %segment;
for my $line (split /\n/, value(q{SELECT segment, array_to_string(ARRAY(SELECT encode(l, 'hex') FROM unnest(leaves) WITH ORDINALITY u (l, n) ORDER BY n), ','),
    encode(node, 'hex'), array_to_string(ARRAY(SELECT encode(p, 'hex') FROM unnest(proof) WITH ORDINALITY u (p, n) ORDER BY n), ',') FROM archive ORDER BY segment})) {
  my ($number, $leaves, $hash, $proof) = split /\|/, $line, -1;
  $segment{$number} = { leaves => [ map { pack 'H*', $_ } split /,/, $leaves ], node => pack('H*', $hash), proof => [ map { pack 'H*', $_ } split /,/, $proof ] };
}
my $sealed = read_note(value('SELECT checkpoint FROM archive LIMIT 1'));
ok(note_holds($sealed, $key), 'the note that comes with them is signed');
sub joins {
  my ($number, $hash) = @_;
  return includes($hash, $number, ($sealed->{size} + 255) >> 8, $sealed->{root}, @{ $segment{$number}{proof} });
}
for my $number (0, 1) {
  my @hashes = map { leaf_hash($_) } @{ $segment{$number}{leaves} };
  is(root_of(@hashes), $segment{$number}{node}, "segment $number: its leaves are its node's");
  ok(joins($number, $segment{$number}{node}), '… which leads to the signed root');
  $hashes[7] = leaf_hash('x');
  ok(!joins($number, root_of(@hashes)), 'control: with another leaf it does not');
}
ok(join(',', map { unpack 'H*', leaf_hash($_) } map { @{ $segment{$_}{leaves} } } 0, 1) eq substr($whole, 0, 512 * 65 - 1), 'they are the leaves that were there');

# What stays.
verifies($node, undef, 'the remainder verifies');
verifies($node, $note, '… against a note from before whose last events stayed');
fails($node, 'SELECT count(*) FROM visage.verify_ledger(checkpoint => $c$' . ($early =~ s{\n*\z}{\n}r) . '$c$)', '55000', qr/inside a segment that was archived/,
  '… one that ends in the archive is a matter of the archive');
is(unpack('H*', root_of(map { leaf_hash($_) } (map { @{ $segment{$_}{leaves} } } 0, 1)[ 0 .. 299 ])), unpack('H*', read_note($early)->{root}),
  '… whose leaves lead to it');
verifies($node, value('SELECT checkpoint FROM archive LIMIT 1'), '… against the note of the archive');
my $later = read_note(grow_to(1300));
ok(consistency_holds($node, read_note($note), $later), 'and goes on from a note from before');
ok(inclusion_holds($node, $later, 512, 600, 800), 'events that stayed are proven');
fails($node, 'SELECT visage.inclusion_proof(5, 1300)', '\w{5}', qr/archived|event/, 'one that left is not, and that is said');
is(value(q{SELECT count(*) FROM visage.history WHERE event < 512}), 0, 'the history begins with what stayed');
$node->restart;
verifies($node, $note, 'after a restart it verifies');
verdict_is($node, 'alice', 'accept OK', 'and goes on');

# A hole behind the archive is still found; what is damaged is not sealed.
value(q{ALTER TABLE visage.event DISABLE TRIGGER ALL; UPDATE visage.event SET biz_id = 'other' WHERE seq = 600; ALTER TABLE visage.event ENABLE TRIGGER ALL});
all_old();
fails($node, q{SELECT count(*) FROM visage.archive_ledger('infinity')}, 'XX001', qr/do not verify/, 'an altered event is not archived');
is(value('SELECT min(seq) FROM visage.event'), 512, '… and nothing left');

# Nobody but an administrator.
fails($node, q{SET ROLE visage_auditor; SELECT count(*) FROM visage.archive_ledger('infinity')}, '42501', qr/permission denied/, 'not by an auditor');
fails($node, q{SET ROLE visage_admin; SELECT visage.remove_events(512)}, '42501', qr/permission denied/, 'not past the function');
fails($node, q{SET ROLE visage_admin; DELETE FROM visage.event}, '42501', qr/permission denied/, '… nor past both');
$node->stop;

done_testing();
