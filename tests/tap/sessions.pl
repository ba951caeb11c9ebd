# Sessions, one-time codes and calls by biz_id under many parallel callers, over crashes and restarts.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $clients = 32;
my $node = new_server('sessions');
$node->append_conf('postgresql.conf', "max_connections = 60\n");
$node->start;
load_fixture($node);
my $quality = q{'{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}'};
$node->safe_psql('postgres', <<"SQL");
SELECT visage.register('alice', fixture.probe('alice', 1));
SELECT visage.enrol_factor('alice', 'totp', 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ');
CREATE FUNCTION app_code(step bigint) RETURNS text LANGUAGE sql AS \$\$
  SELECT lpad((((get_byte(h, o) & 127)::bigint * 16777216 + get_byte(h, o + 1) * 65536 + get_byte(h, o + 2) * 256 + get_byte(h, o + 3)) % 1000000)::text, 6, '0')
  FROM (SELECT h, get_byte(h, length(h) - 1) & 15 AS o FROM (SELECT hmac(decode(lpad(to_hex(step), 16, '0'), 'hex'), '12345678901234567890', 'sha1') AS h) m) t
\$\$;
CREATE TABLE opened (name text, session uuid, nonce bytea);
CREATE FUNCTION open(name text) RETURNS uuid LANGUAGE sql AS \$\$
  INSERT INTO opened SELECT \$1, session, nonce FROM visage.open_session('alice', 'verify') RETURNING session \$\$;
CREATE FUNCTION sealed(name text, sample int) RETURNS visage.probe LANGUAGE sql AS \$\$
  SELECT visage.seal_probe(fixture.feature('alice', \$2), 'test/1', 0.9, 'fixture', $quality, session_nonce => (SELECT nonce FROM opened o WHERE o.name = \$1)) \$\$;
CREATE FUNCTION in_session(name text) RETURNS jsonb LANGUAGE sql AS \$\$ SELECT jsonb_build_object('session', (SELECT session FROM opened o WHERE o.name = \$1)) \$\$;
-- Limits are not what is tested.
UPDATE visage.attempt_limit SET free_failures = 1000, hard_stop = NULL, period_failures = NULL, period = NULL WHERE kind IN ('factor', 'subject');
SQL

# Runs a script once in each of the clients, all at once; half of the transactions are rolled back.
sub in_parallel {
  my ($name, $sql) = @_;
  my $commit = write_file($node->basedir . '/commit.sql', "BEGIN;\n$sql\nCOMMIT;");
  my $rollback = write_file($node->basedir . '/rollback.sql', "BEGIN;\n$sql\nROLLBACK;");
  $node->command_ok([ 'pgbench', '-n', '-c', $clients, '-j', 4, '-t', 1, '-f', $commit, '-f', $rollback, 'postgres' ], $name);
  return;
}
sub counted {
  my ($where) = @_;
  return $node->safe_psql('postgres', "SELECT string_agg(decision || ' ' || reason || ' ' || n, ', ' ORDER BY n) FROM
    (SELECT decision, reason, count(*) AS n FROM visage.history WHERE $where GROUP BY 1, 2) c");
}

# Among 32 callers of one session one is compared, and nobody gets it back.
$node->safe_psql('postgres', q{SELECT open('parallel')});
in_parallel('32 calls in one session', q{SELECT visage.verify('alice', sealed('parallel', :client_id), context => in_session('parallel'));});
my $session = $node->safe_psql('postgres', q{SELECT session FROM opened WHERE name = 'parallel'});
is(counted("session = '$session' AND operation = 'verify'"), 'accept OK 1, refuse REPLAYED_SESSION 31', 'one of them is compared');
is($node->safe_psql('postgres', "SELECT state FROM visage.sessions WHERE session = '$session'"), 'SUCCEEDED', 'the session is used up');

# So with a code: each of 32 sessions is shown it, one takes it.
$node->safe_psql('postgres', q{CREATE TABLE many AS SELECT i, s.session FROM generate_series(0, 31) i, LATERAL (SELECT session FROM visage.open_session('alice', 'verify', context => jsonb_build_object('n', i))) s;
  CREATE TABLE step AS SELECT floor(extract(epoch FROM clock_timestamp()) / 30)::bigint AS step, app_code(floor(extract(epoch FROM clock_timestamp()) / 30)::bigint) AS code});
in_parallel('a code in 32 sessions', q{SELECT visage.present_factor(session, 'totp', code) FROM many, step WHERE i = :client_id;});
is(counted(q{operation = 'present_factor'}), 'accept OK 1, reject REPLAYED_FACTOR 31', 'one of them takes it');

# The same call from 32 callers is one attempt with one event; all have its outcome.
$node->safe_psql('postgres', q{CREATE TABLE sent AS SELECT fixture.probe('alice', 2000) AS probe; CREATE TABLE got (transaction_id uuid, decision text)});
in_parallel('one call 32 times', q{INSERT INTO got SELECT v.transaction_id, v.decision FROM sent, visage.verify('alice', probe, context => '{"biz_id": "same"}') v;});
is(counted(q{biz_id = 'same'}), 'accept OK 1', 'it is recorded once');
is($node->safe_psql('postgres', q{SELECT count(DISTINCT transaction_id), count(DISTINCT decision), count(*) > 5 FROM got}), '1|1|t', 'all have one outcome');

# A crash forgets none of it.
$node->safe_psql('postgres', q{SELECT open('before'); SELECT open('unused'); SELECT open('waiting'); CHECKPOINT;
  UPDATE visage.requirement SET factors = 0 WHERE operation = 'enrol_factor';
  INSERT INTO opened SELECT 'factor', session, nonce FROM visage.open_session('alice', 'enrol_factor')});
is($node->safe_psql('postgres', q{SELECT fixture.verdict(visage.enrol_factor('alice', 'password', 'correct horse', context => in_session('factor')))}), 'accept OK', 'so is one for a factor');
verdict_in('before', 'accept OK', 'a session is used before the crash');
my $before = $node->safe_psql('postgres', q{SELECT transaction_id FROM visage.history WHERE biz_id = 'same'});
$node->stop('immediate');
$node->start;
sub verdict_in {
  my ($name, $expected, $what) = @_;
  is($node->safe_psql('postgres', "SELECT fixture.verdict(visage.verify('alice', sealed('$name', floor(random() * 1000)::int), context => in_session('$name')))"), $expected, $what);
}
verdict_in('before', 'refuse REPLAYED_SESSION', 'after the crash it is used');
verdict_in('parallel', 'refuse REPLAYED_SESSION', '… and so is the other');
is($node->safe_psql('postgres', q{SELECT fixture.verdict(visage.enrol_factor('alice', 'password', 'correct horse', context => in_session('factor')))}), 'refuse REPLAYED_SESSION', '… and the one for a factor');
verdict_in('unused', 'accept OK', 'one that was not used is good');
is($node->safe_psql('postgres', q{SELECT fixture.verdict(visage.present_factor(o.session, 'totp', code)) FROM step, opened o WHERE name = 'waiting' AND step > extract(epoch FROM clock_timestamp()) / 30 - 1.5
    UNION ALL SELECT 'reject REPLAYED_FACTOR' FROM step WHERE step <= extract(epoch FROM clock_timestamp()) / 30 - 1.5}), 'reject REPLAYED_FACTOR', 'a code stays used');
is($node->safe_psql('postgres', q{SELECT v.transaction_id FROM sent, visage.verify('alice', probe, context => '{"biz_id": "same"}') v}), $before, 'the same call has the same outcome');

# A caller who leaves before it has its answer finds the answer there.
$node->safe_psql('postgres', q{CREATE TABLE left_behind AS SELECT fixture.probe('alice', 2001) AS probe});
my $locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; LOCK visage.event IN EXCLUSIVE MODE');
my ($status) = $node->psql('postgres', q{SET visage.audit_timeout = '200ms'; SELECT visage.verify('alice', probe, context => '{"biz_id": "left"}') FROM left_behind});
isnt($status, 0, 'a call runs into visage.audit_timeout');
$locker->query_safe('COMMIT');
$locker->quit;
is($node->safe_psql('postgres', q{SELECT fixture.verdict(visage.verify('alice', probe, context => '{"biz_id": "left"}')) FROM left_behind}), 'accept OK', '… and made again it has the outcome');
is(counted(q{biz_id = 'left'}), 'accept OK 1', '… of one attempt');

# A session's rows leave a day after it expired.
$node->safe_psql('postgres', q{UPDATE visage.session SET opened_at = now() - interval '3 days', expires_at = now() - interval '25 hours' WHERE id = (SELECT session FROM opened WHERE name = 'before')});
$node->safe_psql('postgres', 'SELECT visage.keep_house()');
is($node->safe_psql('postgres', q{SELECT count(*) FROM visage.session s JOIN opened o ON o.session = s.id WHERE name = 'before'}), 0, 'an expired session leaves');
is($node->safe_psql('postgres', q{SELECT count(*) FROM visage.session s JOIN opened o ON o.session = s.id}), 4, 'only the expired one left');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.verify_ledger()'), 0, 'the ledger is whole');
$node->stop;

done_testing();
