# Somebody who owns the tables changes the ledger: whatever they do is found, and said where. [8.2.5b]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Ledger;
use Visage;

my $node = new_server('ledger_tampering');
$node->start;
load_fixture($node);
lift_limits($node);
load_faces($node, 'alice');

# Batches of several events, so that some rows carry no head.
my $script = write_file($node->basedir . '/load.sql',
  q{SELECT visage.verify('alice', fresh(CASE random() > 0.5 WHEN true THEN 'alice' ELSE 'mallory' END), context => jsonb_build_object('biz_id', 'order-' || gen_random_uuid()));});
sub load { my ($count) = @_; $node->command_ok([ 'pgbench', '-n', '-c', 8, '-t', $count, '-f', $script, $node->connstr('postgres') ], 'load'); return; }
load(40);
my $kept = $node->safe_psql('postgres', 'SELECT visage.checkpoint()');
load(40);
$node->safe_psql('postgres', q{SELECT visage.verify('alice', fresh(), context => '{"biz_id": "needle-0815"}')});
load(1);
all_settled($node);
my $newest = $node->safe_psql('postgres', 'SELECT visage.checkpoint()');
verifies($node, $_, 'control: the ledger verifies') for undef, $kept, $newest;
my $size = events_of($node);
cmp_ok($size, '>', 640, 'there are events');

# Without switching triggers off nobody changes anything, the superuser included.
for my $attempt ('UPDATE visage.event SET decision = decision', 'DELETE FROM visage.event', 'TRUNCATE visage.event', 'TRUNCATE visage.tree_node',
  'INSERT INTO visage.event SELECT * FROM visage.event WHERE seq = 1', 'DELETE FROM visage.tree_node WHERE level = 8',
  'UPDATE visage.tree_node SET hash = hash', q{INSERT INTO visage.tree_node VALUES (8, 3, '\x00')}) {
  fails($node, $attempt, '42501', qr/append-only|is written by the audit writer/, "refused: $attempt");
  fails($node, "SET session_replication_role = replica; $attempt", '42501', qr/append-only|is written by the audit writer/, '… as a replica as well');
}

my $needle = $node->safe_psql('postgres', q{SELECT seq FROM visage.event WHERE biz_id = 'needle-0815'});
# Past the server: a byte of the file, while nobody looks. Checksums of pages are off, as with an intruder who makes them anew.
my $file = $node->data_dir . '/' . $node->safe_psql('postgres', q{SELECT pg_relation_filepath('visage.event')});
$node->stop;
my $heap = slurp_file($file);
my $place = index $heap, 'needle-0815';
cmp_ok($place, '>', 0, 'the file holds the rows');
sub overwrite {
  my ($position, $bytes) = @_;
  open my $handle, '+<:raw', $file or die $!;
  seek $handle, $position, 0;
  print $handle $bytes;
  close $handle or die $!;
  return;
}
overwrite($place, 'needle-0816');
$node->start;
is(faults_of($node), "$needle altered",
  'found: a byte changed in the file');
$node->stop;
overwrite($place, 'needle-0815');
$node->start;
verifies($node, $newest, 'control: it was that byte');

# What is found when a superuser does this; taken back afterwards.
sub found {
  my ($sql, $checkpoint) = @_;
  my $argument = defined $checkpoint ? "checkpoint => \$c\$" . ($checkpoint =~ s/\n*\z/\n/r) . '$c$' : '';
  my ($status, $out, $error) = $node->psql('postgres', <<"SQL");
BEGIN;
ALTER TABLE visage.event DISABLE TRIGGER USER;
ALTER TABLE visage.tree_node DISABLE TRIGGER USER;
$sql;
SELECT event, fault FROM visage.verify_ledger($argument);
ROLLBACK;
SQL
  die "$sql: $error" if $status != 0;
  return $out =~ s/\|/ /gr;
}

# An event in the middle that carries a head, one that carries none, and their neighbours.
my ($with, $without) = map { $node->safe_psql('postgres', "SELECT min(e.seq) FROM visage.event e JOIN visage.event n ON n.seq = e.seq + 1
  WHERE e.seq > 100 AND e.operation = 'verify' AND n.operation = 'verify' AND e.head IS $_") } 'NOT NULL', 'NULL';
# What follows a head covers it, so whoever moves a head spoils the next leaf as well: this one carries none.
my $far = $node->safe_psql('postgres', 'SELECT min(seq) FROM visage.event WHERE seq >= 400 AND head IS NULL');
my $last = $size - 1;
my $next = $with + 1;
note "an event with a head: $with, without: $without";
my $flip = 'set_byte(%1$s, %2$d, get_byte(%1$s, %2$d) # 1)';
my @cases = (
  # name, change, what verify_ledger() finds: <event> <fault>
  [ 'a decision', "UPDATE visage.event SET decision = 'accept', reason = 'OK' WHERE seq = (SELECT min(seq) FROM visage.event WHERE seq > 100 AND decision = 'reject')", qr/^\d+ altered$/ ],
  [ 'a time', "UPDATE visage.event SET at = at + interval '1 microsecond' WHERE seq = $with", "$with altered" ],
  [ 'a caller', "UPDATE visage.event SET caller = 'somebody' WHERE seq = $without", "$without altered" ],
  [ 'a null made empty', "UPDATE visage.event SET note = '' WHERE seq = $with", "$with altered" ],
  [ 'two rows apart', "UPDATE visage.event SET biz_id = 'order-4712' WHERE seq IN ($with, 400)", "$with altered\n400 altered" ],
  [ 'the first', "UPDATE visage.event SET caller = 'nobody' WHERE seq = 0", '0 altered' ],
  [ 'the last', "UPDATE visage.event SET caller = 'nobody' WHERE seq = $last", "$last altered" ],
  [ 'every row', "UPDATE visage.event SET caller = 'nobody'", join "\n", map { "$_ altered" } 256 .. $last, 0 .. 255 ],
  [ 'a missing one', "DELETE FROM visage.event WHERE seq = $with", "$with missing" ],
  [ 'missing ones', "DELETE FROM visage.event WHERE seq BETWEEN 300 AND 310", '300 missing' ],
  [ 'missing at the beginning', 'DELETE FROM visage.event WHERE seq < 10', '0 missing' ],
  [ 'a segment', 'DELETE FROM visage.event WHERE seq BETWEEN 256 AND 511', '256 missing' ],
  [ 'a tail that ends between heads', "DELETE FROM visage.event WHERE seq > $without", "$without truncated" ],
  [ 'all rows', 'TRUNCATE visage.event', '0 missing' ],
  [ 'two exchanged', "UPDATE visage.event SET seq = 1000000 WHERE seq = $without; UPDATE visage.event SET seq = $without WHERE seq = $far;
      UPDATE visage.event SET seq = $far WHERE seq = 1000000", "$without reordered\n$far reordered" ],
  [ 'neighbours exchanged', "UPDATE visage.event SET seq = 1000000 WHERE seq = $with; UPDATE visage.event SET seq = $with WHERE seq = $next;
      UPDATE visage.event SET seq = $next WHERE seq = 1000000", qr/^$with (reordered|altered)$/m ],
  [ 'a leaf hash', 'UPDATE visage.event SET leaf = ' . sprintf($flip, 'leaf', 5) . " WHERE seq = $without", "$without altered" ],
  [ 'a head\'s root', 'UPDATE visage.event SET head = ' . sprintf($flip, 'head', 10) . " WHERE seq = $with", "$with forged head" ],
  [ 'a head\'s signature', 'UPDATE visage.event SET head = ' . sprintf($flip, 'head', 60) . " WHERE seq = $with", "$with forged head" ],
  [ 'a head\'s key', 'UPDATE visage.event SET head = ' . sprintf($flip, 'head', 0) . " WHERE seq = $with", "$with forged head" ],
  [ 'a head of another', "UPDATE visage.event SET head = (SELECT head FROM visage.event WHERE seq = $last) WHERE seq = $with", "$with forged head" ],
  [ 'a head taken away', "UPDATE visage.event SET head = NULL WHERE seq = $with", qr/^($with|$next) / ],
  [ 'the last head\'s root', 'UPDATE visage.event SET head = ' . sprintf($flip, 'head', 10) . " WHERE seq = $last", "$last forged head" ],
  [ 'the last head\'s signature', 'UPDATE visage.event SET head = ' . sprintf($flip, 'head', 60) . " WHERE seq = $last", "$last forged head" ],
  [ 'the last head', "UPDATE visage.event SET head = NULL WHERE seq = $last", "$last truncated" ],
  [ 'a stored subtree', 'UPDATE visage.tree_node SET hash = ' . sprintf($flip, 'hash', 0) . ' WHERE level = 8 AND index = 1', '511 altered node' ],
  [ 'a subtree taken away', 'DELETE FROM visage.tree_node WHERE level = 8 AND index = 0', '255 missing node' ],
  [ 'the public key', 'UPDATE visage.tree_key SET public_key = ' . sprintf($flip, 'public_key', 0), qr/\b$last forged head$/ ],
  [ 'the name', q{UPDATE visage.tree SET origin = 'another'}, qr/\b$last forged head$/ ],
  [ 'the ledger\'s row', 'DELETE FROM visage.tree', qr/^ missing$/ ],
  [ 'an event more', "INSERT INTO visage.event (seq, at, operation, transaction_id, caller, leaf, head)
      SELECT $size, at, operation, transaction_id, caller, leaf, head FROM visage.event WHERE seq = $last", qr/^$size (altered|forged head)/m ],
  # Made good as far as anybody can who lacks the key: the row's own leaf, then all stored subtrees as well.
  [ 'a row and its leaf', "UPDATE visage.event SET caller = 'nobody' WHERE seq = $without;
      UPDATE visage.event e SET leaf = sha256('\\x00'::bytea || visage.leaf(e.seq)) WHERE seq = $without", qr/^\d+ altered$/ ],
  [ 'a row, its leaf and the subtree', "UPDATE visage.event SET caller = 'nobody' WHERE seq = 200;
      UPDATE visage.event e SET leaf = sha256('\\x00'::bytea || visage.leaf(e.seq)) WHERE seq = 200;
      UPDATE visage.tree_node SET hash = pg_temp.subtree(0, 256) WHERE level = 8 AND index = 0", qr/^\d+ altered(\n|$)/ ],
);
# RFC 9162's root of 2^n leaves from `first` on, in SQL.
my $subtree = q{CREATE FUNCTION pg_temp.subtree(first bigint, count bigint) RETURNS bytea LANGUAGE plpgsql AS $$
BEGIN
  IF count = 1 THEN RETURN (SELECT leaf FROM visage.event WHERE seq = first); END IF;
  RETURN sha256('\x01'::bytea || pg_temp.subtree(first, count / 2) || pg_temp.subtree(first + count / 2, count / 2));
END $$;};
for my $case (@cases) {
  my ($name, $sql, $expected) = @$case;
  my $found = found(($sql =~ /pg_temp/ ? $subtree : '') . $sql);
  ref $expected ? like($found, $expected, "found: $name") : is($found, $expected, "found: $name");
}

# A tail cut off where a batch ended leaves a good ledger, only a shorter one: that takes a checkpoint that was kept.
my $cut = "DELETE FROM visage.event WHERE seq > $with; DELETE FROM visage.tree_node WHERE (index + 1) << level > $next";
is(found($cut), '', 'a tail that is cut where a batch ended does not show in the ledger');
is(found($cut, $_), "$next truncated", '… but against any checkpoint that was kept') for $kept, $newest;
is(found('DELETE FROM visage.event; DELETE FROM visage.tree; DELETE FROM visage.tree_node', $kept), ' truncated', 'so does an empty ledger');
like(found("UPDATE visage.event SET caller = 'nobody' WHERE seq = $with", $kept), qr/^$with altered$/m, 'a checkpoint adds nothing to what is found without');
verifies($node, $newest, 'control: all of that was taken back');

# The writer does not build on a ledger whose end does not fit: that would bury the fault.
sub status { return $node->safe_psql('postgres', 'SELECT state FROM visage.audit_status'); }
my %ends = (
  'the last head\'s root' => [ 'UPDATE visage.event SET head = ' . sprintf($flip, 'head', 10) . " WHERE seq = $last", qr/its last tree head is not that of its events/ ],
  'the last signature' => [ 'UPDATE visage.event SET head = ' . sprintf($flip, 'head', 60) . " WHERE seq = $last", qr/the signature of its last tree head does not hold/ ],
  'the last leaf' => [ 'UPDATE visage.event SET leaf = ' . sprintf($flip, 'leaf', 0) . " WHERE seq = $last", qr/its last tree head is not that of its events/ ],
  'a stored subtree' => [ 'UPDATE visage.tree_node SET hash = ' . sprintf($flip, 'hash', 0) . ' WHERE level = 8 AND index = 0', qr/its last tree head is not that of its events/ ],
  'a missing subtree' => [ 'DELETE FROM visage.tree_node WHERE level = 8 AND index = 0', qr/1 of \d hashes of level 8 from 0 on are missing/ ],
  'a cut tail' => [ "DELETE FROM visage.event WHERE seq > $without", qr/its last event carries no tree head/ ],
  'no rows' => [ 'TRUNCATE visage.event', qr/the ledger is damaged/ ]);
$node->safe_psql('postgres', 'CREATE TABLE event_copy AS TABLE visage.event; CREATE TABLE node_copy AS TABLE visage.tree_node');
sub as_owner { my ($sql) = @_; $node->safe_psql('postgres', "BEGIN; ALTER TABLE visage.event DISABLE TRIGGER USER; ALTER TABLE visage.tree_node DISABLE TRIGGER USER; $sql;
  ALTER TABLE visage.event ENABLE ALWAYS TRIGGER append_only; ALTER TABLE visage.event ENABLE ALWAYS TRIGGER writer_only;
  ALTER TABLE visage.tree_node ENABLE ALWAYS TRIGGER append_only; ALTER TABLE visage.tree_node ENABLE ALWAYS TRIGGER writer_only; COMMIT"); return; }
sub restart_writer {
  $node->restart;
  $node->poll_query_until('postgres', "SELECT state IN ('ready', 'faulty') FROM visage.audit_status");
  return;
}
for my $name (sort keys %ends) {
  my ($sql, $fault) = @{ $ends{$name} };
  as_owner($sql);
  restart_writer();
  is(status(), 'faulty', "$name: the writer does not go on");
  my $error = fails($node, q{SELECT visage.verify('alice', fresh())}, 'VG004', $fault, '… calls fail and say why');
  like($error, qr/HINT:  .*visage\.audit_status/, '… and where to look');
  as_owner('TRUNCATE visage.event; INSERT INTO visage.event TABLE event_copy; TRUNCATE visage.tree_node; INSERT INTO visage.tree_node TABLE node_copy');
  restart_writer();
  is(status(), 'ready', '… until it is restored');
}
verdict_is($node, 'alice', 'accept OK', 'then verdicts go on');
verifies($node, $newest, 'and nothing shows any more');
$node->stop;

done_testing();
