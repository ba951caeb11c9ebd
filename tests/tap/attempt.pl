# Attempt limits on whole servers: parallel guessers, crashes, restarts, failover, old snapshots, a full memory. [8.2.5d]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('attempt', init => { allows_streaming => 1 });
configure($node, Visage::preloaded($node), 'visage.max_attempt_counters' => 1024, max_connections => 100);
$node->start;
load_fixture($node);
# A channel without liveness, where five failures are free. Features are made beforehand: that takes longest.
$node->safe_psql('postgres', <<'SQL');
INSERT INTO visage.channel (institution, name, liveness_floor) VALUES (1, 'branch', NULL);
CREATE TABLE face AS SELECT person, fixture.feature(person, 7) AS feature FROM unnest(ARRAY['alice', 'bob', 'carol', 'mallory']) person;
CREATE FUNCTION fresh(person text) RETURNS visage.probe LANGUAGE sql VOLATILE AS $$
  SELECT visage.seal_probe(f.feature, 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}')
  FROM face f WHERE f.person = $1
$$;
CREATE FUNCTION try(subject text, person text, channel text DEFAULT 'branch', context jsonb DEFAULT '{}') RETURNS text LANGUAGE sql VOLATILE AS $$
  SELECT fixture.verdict(visage.verify($1, fresh($2), $3, context => $4))
$$;
SQL

my $current = $node;
sub query { my ($sql) = @_; return $current->safe_psql('postgres', $sql); }
sub tries {
  my ($subject, $person, $times, $context) = @_;
  $context //= '{}';
  return query("SELECT string_agg(try('$subject', '$person', 'branch', '$context'), ', ') FROM generate_series(1, $times)");
}
sub repeated { my ($verdict, $times) = @_; return join ', ', ($verdict) x $times; }
sub scored { my ($subject) = @_; return query("SELECT count(*) FROM visage.history WHERE subject = '$subject' AND decision = 'reject'"); }
sub wait_for_server { wait_until(sub { is_up($current, q{SELECT try('nobody-at-all', 'mallory')}) }, 'the restart'); return; }

is(query("SELECT string_agg(fixture.verdict(visage.register(person, fresh(person))), ', ') FROM face WHERE person <> 'mallory'"),
  repeated('accept OK', 3), 'registered');

# What ships. It is changed, not deleted; an insert over it changes it in place, as a restore does.
is(query(q{SELECT string_agg(concat_ws(' ', kind, with_liveness, coalesce(free_failures::text, '-'), coalesce(first_delay::text, '-'),
    coalesce(max_delay::text, '-'), coalesce(hard_stop::text, '-'), period_failures, period, builtin), ', ' ORDER BY kind, with_liveness)
    FROM visage.attempt_limit}),
  join(', ', 'subject f 5 00:00:30 01:00:00 50 50 30 days t', 'subject t 10 00:00:30 01:00:00 100 100 30 days t',
    (map { my $limit = $_; map { "$limit->[0] $_ - - - - $limit->[1] 00:10:00 t" } 'f', 't' } [ source => 1000 ], [ address => 100 ], [ device => 20 ]),
    map { "factor $_ 5 00:00:30 01:00:00 50 50 30 days t" } 'f', 't'),
  'the limits that ship are those of NIST SP 800-63B-4');
fails($node, q{DELETE FROM visage.attempt_limit WHERE kind = 'device'}, '55000', qr/cannot be deleted/, 'a shipped limit cannot be deleted');
query(q{INSERT INTO visage.attempt_limit (institution, kind, with_liveness, period_failures, period) VALUES (1, 'device', true, 21, '10 minutes')});
is(query(q{SELECT string_agg(concat_ws(' ', with_liveness, period_failures, builtin), ', ' ORDER BY 1) FROM visage.attempt_limit WHERE kind = 'device'}),
  'f 20 t, t 21 f', 'an insert over a shipped limit changes it');

# Thirty-two parallel guessers, again and again, get what one would get. It must take them less than the first delay.
query(q{UPDATE visage.attempt_limit SET first_delay = '1 hour' WHERE kind = 'subject'});
my $script = write_file($node->basedir . '/guess.sql', q{SELECT try('alice', 'mallory');});
$node->command_ok([ 'pgbench', '-n', '-c', 32, '-j', 2, '-t', 20, '-f', $script, $node->connstr('postgres') ], 'thirty-two guess in parallel');
my $scored = scored('alice');
cmp_ok($scored, '<=', 5, "at most five of 640 parallel guesses were scored: $scored");
cmp_ok($scored, '>=', 4, '… and not far fewer');
is(query(q{SELECT count(*) FROM visage.history WHERE subject = 'alice' AND reason = 'LOCKED'}), 640 - $scored, 'each of the others was told so, and recorded');
is(query(q{SELECT failures FROM visage.attempts WHERE subject = 'alice'}), $scored, 'the counter counts what was scored');
# With liveness ten; the five of before count.
$script = write_file($node->basedir . '/guess_live.sql', q{SELECT try('alice', 'mallory', 'default');});
$node->command_ok([ 'pgbench', '-n', '-c', 32, '-j', 2, '-t', 10, '-f', $script, $node->connstr('postgres') ], 'they guess with liveness');
cmp_ok(scored('alice'), '<=', 10, 'at most ten were scored');
# One that is nobody's name is counted alike.
$script = write_file($node->basedir . '/guess_nobody.sql', q{SELECT try('nobody', 'mallory');});
$node->command_ok([ 'pgbench', '-n', '-c', 32, '-j', 2, '-t', 10, '-f', $script, $node->connstr('postgres') ], 'they guess at nobody');
cmp_ok(query(q{SELECT count(*) FROM visage.history WHERE reason = 'UNKNOWN_SUBJECT'}), '<=', 5, 'at most five were compared with a decoy');

query(q{UPDATE visage.attempt_limit SET first_delay = '30 seconds' WHERE kind = 'subject'});

# Rollback and disconnect give nothing back.
$node->psql('postgres', q{BEGIN; SELECT try('bob', 'mallory') FROM generate_series(1, 2); ROLLBACK});
$node->psql('postgres', q{BEGIN; SELECT try('bob', 'mallory'); SELECT 1/0});
$node->psql('postgres', q{BEGIN; SELECT try('bob', 'mallory')});
is(tries('bob', 'mallory', 2), 'reject NO_MATCH, refuse LOCKED', 'four attempts that were rolled back count');
is(tries('bob', 'bob', 1), 'refuse LOCKED', 'the right face waits as well');
my $wait = query(q{SELECT extract(epoch FROM retry_after) FROM visage.verify('bob', fresh('bob'), 'branch')});
ok($wait > 0 && $wait <= 30, "told how long: $wait s");

# By address and device, and a success in between sets neither back.
query(q{UPDATE visage.attempt_limit SET period_failures = 3 WHERE kind IN ('address', 'device')});
is(tries('carol', 'mallory', 2, '{"address": "192.0.2.1", "device": "phone-1"}'), repeated('reject NO_MATCH', 2), 'two failures of a phone');
is(tries('carol', 'carol', 1, '{"address": "192.0.2.1", "device": "phone-1"}'), 'accept OK', 'a success');
is(tries('carol', 'mallory', 2, '{"address": "192.0.2.1", "device": "phone-1"}'), 'reject NO_MATCH, refuse LOCKED', 'the third is the last');
is(tries('carol', 'carol', 1, '{"address": "192.0.2.1"}'), 'refuse LOCKED', 'the address alone is locked');
is(tries('carol', 'carol', 1, '{"address": "192.0.2.2", "device": "phone-1"}'), 'refuse LOCKED', 'the device alone is locked');
is(tries('carol', 'carol', 1, '{"address": "192.0.2.2", "device": "phone-2"}'), 'accept OK', 'another is not');

# The counters outlive the server's end, however it ends. Waits are longer than the test takes.
query(q{UPDATE visage.attempt_limit SET first_delay = '1 hour' WHERE kind = 'subject'});
sub still_locked {
  my ($when) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  is(tries('bob', 'bob', 1), 'refuse LOCKED', "locked $when");
  is(tries('carol', 'carol', 1, '{"device": "phone-1"}'), 'refuse LOCKED', '… the device too');
  is(tries('alice', 'alice', 1), 'refuse LOCKED', '… and the subject of the storm');
  return;
}
$node->stop('immediate');
$node->start;
wait_for_server();
still_locked('after an immediate stop');
$node->restart;
wait_for_server();
still_locked('after a restart');
my $victim = $node->background_psql('postgres');
my $pid = $victim->query_safe('SELECT pg_backend_pid()');
kill KILL => $pid;
wait_until(sub { !kill 0, $pid }, 'the end of the backend');
wait_until(sub { is_up($node) }, 'the restart');
{ local $SIG{PIPE} = 'IGNORE'; eval { $victim->quit }; }
wait_for_server();
still_locked('after a crash');

# Memory has 1024 places; what leaves it is read again, by a transaction with an old snapshot as well.
query(q{UPDATE visage.attempt_limit SET period_failures = 100000 WHERE kind = 'source'});
my $old = $node->background_psql('postgres');
$old->query_safe('BEGIN ISOLATION LEVEL REPEATABLE READ');
$old->query_safe('SELECT count(*) FROM visage.attempt');
is(tries('carol', 'mallory', 6), repeated('reject NO_MATCH', 5) . ', refuse LOCKED', 'carol is locked after the snapshot');
is(query(q{SELECT count(*) FROM generate_series(1, 1500) i WHERE try('stranger-' || i, 'mallory') = 'refuse UNKNOWN_SUBJECT'}), 1500,
  'more subjects than memory has places');
cmp_ok(query(q{SELECT count(*) FROM visage.attempts}), '>=', 1500, '… all of them stored');
is($old->query_safe(q{SELECT try('carol', 'carol')}), 'refuse LOCKED', 'an old snapshot does not bring an old counter back');
$old->query_safe('COMMIT');
$old->quit;
is(query(q{SELECT count(*) FROM generate_series(1, 1500) i WHERE try('stranger-' || i, 'mallory') = 'refuse UNKNOWN_SUBJECT'}), 1500, 'their second failures');
is(query(q{SELECT count(*) FROM visage.attempts WHERE kind = 'subject' AND failures = 2}), 1500, '… counted on top of the first');

# A verdict that changes nothing writes nothing: an accept without failures before it.
query(q{SELECT visage.unlock('bob', 'test')});
is(tries('bob', 'bob', 1), 'accept OK', 'unlocked');
my $rows = q{SELECT md5(string_agg(a.xmin::text || a.ctid::text, ',' ORDER BY a.key)) FROM visage.attempt a};
my $before = query($rows);
is(tries('bob', 'bob', 50), repeated('accept OK', 50), 'fifty accepts');
is(query($rows), $before, '… touched no counter');

# A period that a site shortens ends at once.
query(q{UPDATE visage.attempt_limit SET period = '1 second' WHERE kind = 'device'});
is(tries('bob', 'bob', 1, '{"device": "phone-1"}'), 'accept OK', 'policy applies at once');
query(q{UPDATE visage.attempt_limit SET period = '10 minutes' WHERE kind = 'device'});

# Failover: the standby has the rows, and its memory begins with them.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('attempt_standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
is(tries('bob', 'mallory', 6), repeated('reject NO_MATCH', 5) . ', refuse LOCKED', 'bob is locked while the standby follows');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
$node->stop('immediate');
$standby->promote;
$current = $standby;
wait_for_server();
still_locked('after the failover');
is(query(q{SELECT visage.unlock('bob', 'fails over')}), 't', 'an unlock on the new primary');
is(tries('bob', 'bob', 1), 'accept OK', '… unlocks');

done_testing();
