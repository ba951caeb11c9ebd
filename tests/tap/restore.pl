# Dump, restore, replica, base backup, removal: nothing needs a key until a face is compared, and nothing is lost.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('origin', init => { allows_streaming => 1 });
my $keys = $node->basedir . '/keys';
my %good = Visage::preloaded($node);
$node->start;
load_fixture($node);
verdict_is($node, 'alice', 'accept OK', 'alice is registered', flow => 'register');
verdict_is($node, 'bob', 'accept OK', 'bob is registered', flow => 'register');
# Rules in their second version, one of them looking at the past; an entry that was deleted leaves its history.
$node->safe_psql('postgres', <<'SQL');
INSERT INTO visage.risk_rule (institution, name, channel, signal, action, at_least, period) VALUES (1, 'busy', 'web', 'attempts', 'require_face', 3, '1 day');
UPDATE visage.risk_rule SET priority = 7;
INSERT INTO visage.deny_list (institution, kind, address, why) VALUES (1, 'address', '203.0.113.0/24', 'botnet'), (1, 'address', '198.51.100.1', 'mistaken');
DELETE FROM visage.deny_list WHERE why = 'mistaken';
SQL
verdict_is($node, 'alice', 'reject NO_MATCH', 'somebody else is rejected', person => 'mallory');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.sighting'), '1', '… which a rule will want to know');

# What an administrator changed: a shipped row, an own row, a shipped floor lifted, an institution with a role.
$node->safe_psql('postgres', <<'SQL');
UPDATE visage.channel SET liveness_floor = 0.25, description = 'changed' WHERE name = 'default';
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'counter', 1e-3);
UPDATE visage.channel_floor SET minimum = NULL WHERE measure = 'ImageHeight';
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (1, 'counter', 'FaceWidth', 120);
UPDATE visage.scenario SET description = 'changed' WHERE name = 'default';
SELECT visage.grant_institution('branch', 'visage_service');
SELECT visage.revoke_institution('default', 'visage_calibrator');
SQL
like($node->safe_psql('postgres', q{SELECT r::text FROM visage.institution_role r WHERE role = 'visage_calibrator'::regrole}), qr/^\(1,visage_calibrator,f,f\)$/,
  'a shipped role was taken away');
# Row security, whose policies have another name on each server.
my $policies = q{SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, p.polcmd, pg_get_expr(p.polqual, p.polrelid) FROM pg_class c LEFT JOIN pg_policy p ON p.polrelid = c.oid
  WHERE c.relnamespace = 'visage'::regnamespace AND c.relkind = 'r' ORDER BY 1, 4, 5};
my $expected_policies = $node->safe_psql('postgres', $policies);

all_settled($node);
# Everything that a restore must bring back, a line a row.
my $state = join ' UNION ALL ', "SELECT 'institution', concat_ws(' ', id, name, builtin) FROM visage.institution",
  # But for whose change a row is: on each server that of the transaction which put it there.
  "SELECT 'subject_reference', regexp_replace(t::text, ',\\d+\\)\$', '') FROM visage.subject_reference t",
  map { "SELECT '$_', t::text FROM visage.$_ t" }
  qw(institution_role channel channel_floor scenario calibration capture_source subject subject_key attempt risk_rule deny_list risk_history sighting event tree tree_key tree_node);
$state = "SELECT * FROM ($state) s ORDER BY 1, 2";
my $expected = $node->safe_psql('postgres', $state);
like($expected, qr/subject_reference\|/, 'the state has references');
my $sequences = q{SELECT 'institution', last_value, is_called FROM visage.institution_id_seq
  UNION ALL SELECT 'calibration', last_value, is_called FROM visage.calibration_id_seq
  UNION ALL SELECT 'rule', last_value, is_called FROM visage.risk_rule_id_seq
  UNION ALL SELECT 'entry', last_value, is_called FROM visage.deny_list_id_seq};
my $expected_sequences = $node->safe_psql('postgres', $sequences);
# Events name the policy version that they were decided under, so a version must never come back for another policy. A
# restore may count as a change itself.
my $policy_version = 'SELECT version FROM visage.policy_version WHERE institution = 1';
my $expected_version = $node->safe_psql('postgres', $policy_version);

# The history of calibration comes back whole; that a restore inserted rows is recorded beside it.
my $kept = $node->safe_psql('postgres', q{SELECT string_agg(h::text, E'\n' ORDER BY id) FROM visage.calibration_history h});
like($kept, qr/INSERT/, 'there is a history of calibration');

my ($plain, $custom) = map { $node->basedir . "/dump.$_" } 'sql', 'custom';
$node->command_ok([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $plain ], 'pg_dump, plain');
$node->command_ok([ 'pg_dump', '-Fc', '-d', $node->connstr('postgres'), '-f', $custom ], 'pg_dump, custom');

# A server that has the software but neither preload nor keys. Roles are the cluster's, not the dump's: those that the
# dump grants to are made by CREATE EXTENSION.
my $bare = new_server('bare');
configure($bare);
$bare->start;
$bare->safe_psql('postgres', 'CREATE DATABASE plain');
$bare->safe_psql('postgres', 'CREATE DATABASE custom');
$bare->command_ok([ 'psql', '-X', '-v', 'ON_ERROR_STOP=1', '-d', $bare->connstr('plain'), '-f', $plain ],
  'a plain dump restores without keys and without preload [6.5c, 8.2.4f]');
$bare->command_ok([ 'pg_restore', '-e', '-d', $bare->connstr('custom'), $custom ], 'a custom dump restores likewise');
for my $database ('plain', 'custom') {
  is($bare->safe_psql($database, $state), $expected, "$database: every row is back, changed rows included, none twice");
  is($bare->safe_psql($database, q{SELECT bool_and(xid > '0' AND xid < pg_snapshot_xmax(pg_current_snapshot())) AND count(DISTINCT xid) = 1 FROM visage.subject_reference}), 't',
    "$database: references are of the restore's transaction, whatever the dump says");
  is($bare->safe_psql($database, $policies), $expected_policies, "$database: row security is what it was, no policy is there twice [6.2a]");
  is($bare->safe_psql($database, $sequences), $expected_sequences, "$database: sequences go on where they were");
  is($bare->safe_psql($database, q{SELECT string_agg(subject, ',' ORDER BY event) FROM visage.history WHERE operation IN ('register', 'verify')}), 'alice,bob,alice',
    "$database: history can be read");
  is($bare->safe_psql($database, "SELECT count(*) FROM unnest(string_to_array(\$h\$$kept\$h\$, E'\\n')) line
    WHERE line NOT IN (SELECT h::text FROM visage.calibration_history h)"), '0', "$database: the history of calibration is back");
  cmp_ok($bare->safe_psql($database, $policy_version), '>=', $expected_version, "$database: the policy version does not go back");
  fails($bare, q{SELECT visage.verify('alice', visage.seal_probe(fixture.feature('alice', 2), 'test/1', 0.9, 'fixture'))}, '55000',
    qr/pg_visage is not preloaded/, "$database: a verification needs the keys", database => $database);
}
$bare->command_ok([ 'pg_dump', '-d', $bare->connstr('plain'), '-f', "$plain.again" ], 'the restored database dumps again, without keys');
my ($once, $again) = map {
  my $dump = slurp_file($_);
  $dump =~ s/^\\(un)?restrict .*//mg;  # a random word, against hostile dumps
  # The last column is the restore's transaction.
  $dump =~ s{^(COPY visage\.(?:subject_reference|gallery_code) .*?^\\\.$)}{my $rows = $1; $rows =~ s/\t\d+$//mg; $rows}msge;
  $dump =~ s/^COPY visage\.(policy_version|calibration_history|risk_history) .*?^\\\.$//msg;
  $dump
} $plain, "$plain.again";
ok($again eq $once, '… into the same text') or diag(join "\n", grep { my $line = $_; !grep { $_ eq $line } split /\n/, $once } split /\n/, $again);
$bare->stop;

# With other keys: a clear error. With the right keys: as before.
configure($bare, Visage::preloaded($bare));
$bare->start;
$bare->safe_psql('postgres', q{ALTER SYSTEM SET visage.database = 'plain'});
$bare->reload;
$bare->poll_query_until('plain', q{SELECT database = 'plain' AND state = 'faulty' FROM visage.audit_status});
is($bare->safe_psql('plain', 'SELECT fault FROM visage.audit_status'),
  'envelope key version 1 is not the one that the ledger is signed with', 'with other keys the ledger is not extended');
my $sealed = q{visage.seal_probe(fixture.feature('alice', 2), 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "InterEyeDistance": 80}')};
fails($bare, "SELECT visage.verify('alice', $sealed)", 'VG004', qr/key version 1/, '… and there is no verdict', database => 'plain');
fails($bare, q{SELECT visage.add_capture_source('new')}, 'VG004', qr/key version 1/, '… and no change', database => 'plain');
$bare->stop;
configure($bare, %good);
$bare->start;
for my $database ('plain', 'custom') {
  serve($bare, $database);
  verdict_is($bare, 'alice', 'accept OK', "$database: with the keys alice is accepted", database => $database);
  verdict_is($bare, 'alice', 'reject NO_MATCH', "$database: and mallory is not", person => 'mallory', database => $database);
  verdict_is($bare, 'alice', 'refuse SUBJECT_EXISTS', "$database: alice stays registered", flow => 'register', database => $database);
  my $flows = q{FROM visage.history WHERE operation IN ('register', 'verify')};
  is($bare->safe_psql($database, "SELECT count(*), count(DISTINCT event) $flows"),
    join('|', ($node->safe_psql('postgres', "SELECT count(*) + 3 $flows")) x 2), "$database: history goes on");
}
my $restored_version = $bare->safe_psql('custom', $policy_version);
$bare->safe_psql('custom', q{INSERT INTO visage.channel (institution, name) VALUES (1, 'later')});
cmp_ok($bare->safe_psql('custom', $policy_version), '>', $restored_version, 'the next change has a version of its own');

serve($bare, 'plain');
# Removal takes everything; a new beginning is empty and works, also in a session that used the old one.
my $session = $bare->background_psql('plain');
$session->query_safe(q{SELECT visage.verify('alice', fixture.probe('alice', 5))});
$session->query_safe('SET client_min_messages = warning; DROP EXTENSION pg_visage CASCADE');
is($session->query_safe(q{SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE nspname = 'visage'}), 0,
  'DROP EXTENSION leaves no table');
$session->query_safe('DROP SCHEMA fixture CASCADE; DROP EXTENSION pgcrypto CASCADE; DROP SCHEMA IF EXISTS visage CASCADE');
load_fixture($bare, 'plain');
is($session->query_safe(q{SELECT fixture.verdict(visage.register('alice', fixture.probe('alice', 1)))}), 'accept OK',
  'after CREATE EXTENSION the same session registers');
is($session->query_safe(q{SELECT fixture.verdict(visage.verify('alice', fixture.probe('alice', 2)))}), 'accept OK', '… and verifies');
$session->quit;
$bare->stop;

# A base backup of the running server recovers, as after a crash.
$node->backup('base');
my $recovered = PostgreSQL::Test::Cluster->new('recovered');
$recovered->init_from_backup($node, 'base');
$recovered->start;
is($recovered->safe_psql('postgres', $state), $expected, 'a base backup has every row');
verdict_is($recovered, 'bob', 'accept OK', '… and verifies with the keys');
$recovered->stop;

# A replica: what is read is there; a verdict fails closed, because its record cannot be written there.
my $replica = PostgreSQL::Test::Cluster->new('replica');
$replica->init_from_backup($node, 'base', has_streaming => 1);
$replica->start;
verdict_is($node, 'carol', 'accept OK', 'carol is registered on the primary', flow => 'register');
my ($probe, $unused) = map { $node->safe_psql('postgres', q{SELECT fixture.probe('carol', 2)}) } 1, 2;
# The writer tells how carol's transaction ended a moment later: that is a row more.
all_settled($node);
$node->wait_for_catchup($replica);
is($replica->safe_psql('postgres', $state), $node->safe_psql('postgres', $state), 'the replica has every row');
is($replica->safe_psql('postgres', q{SELECT subject FROM visage.history WHERE operation = 'register' ORDER BY event DESC LIMIT 1}), 'carol', 'history can be read there');
for my $flow ("visage.verify('carol', '$probe')", "visage.register('dave', '$probe')", "visage.cancel('carol')") {
  my ($name) = $flow =~ /\.(\w+)/;
  fails($replica, "SELECT $flow", 'VG004', qr/the server is a standby/, "$name fails closed on a replica");
}
is($node->safe_psql('postgres', "SELECT fixture.verdict(visage.verify('carol', '$probe'))"), 'accept OK', 'the primary decides');
# The writer tells how carol's transaction ended a moment later: that is a row more.
all_settled($node);
$node->wait_for_catchup($replica);
$node->stop('immediate');
$replica->promote;
$replica->poll_query_until('postgres', 'SELECT NOT pg_is_in_recovery()');
# It knows from the ledger what the primary used before.
is($replica->safe_psql('postgres', "SELECT fixture.verdict(visage.verify('carol', '$probe'))"), 'refuse REPLAYED_PROBE',
  'a probe that was used before the promotion is refused after it');
is($replica->safe_psql('postgres', "SELECT fixture.verdict(visage.verify('carol', '$unused'))"), 'accept OK', 'one that was not is good');
verdict_is($replica, 'carol', 'accept OK', 'a promoted replica verifies');
$replica->stop;

# Crash recovery of the primary itself.
$node->start;
verdict_is($node, 'carol', 'accept OK', 'after an immediate stop the primary recovers and verifies [8.1.4a]');
$node->stop;

done_testing();
