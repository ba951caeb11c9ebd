# Behind pgbouncer in transaction mode: a client's statements may each run on another connection, and its connection is the
# next client's. Nothing of ours may depend on the one or stay for the other. [6.2a] [6.5d] [8.2.5d]
use strict;
use warnings;

use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my ($pgbouncer) = grep { -x } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin';
die 'pgbouncer is not installed: tools/setup' unless defined $pgbouncer;

my $node = new_server('pooling');
$node->append_conf('postgresql.conf', "max_connections = 40\n");
$node->start;
load_fixture($node);
# Two institutions, a role for each, and one that serves both.
$node->safe_psql('postgres', <<'SQL');
GRANT USAGE ON SCHEMA fixture TO PUBLIC;
CREATE ROLE north LOGIN IN ROLE visage_service, visage_capture;
CREATE ROLE south LOGIN IN ROLE visage_service, visage_capture;
CREATE ROLE both_of_them LOGIN IN ROLE visage_service, visage_capture;
SELECT visage.revoke_institution('default', role) FROM unnest('{visage_service,visage_capture}'::regrole[]) role;
SELECT visage.grant_institution(i, r), visage.grant_institution(i, 'both_of_them') FROM (VALUES ('north', 'north'::regrole), ('south', 'south')) v (i, r);
SELECT visage.grant_institution(i, current_user::regrole) FROM unnest(ARRAY['north', 'south']) i;
INSERT INTO visage.channel (institution, name) SELECT id, c FROM visage.institution, unnest(ARRAY['default', 'phone']) c WHERE name IN ('north', 'south');
INSERT INTO visage.scenario (institution, name) SELECT id, 'default' FROM visage.institution WHERE name IN ('north', 'south');
-- Bound to the role: nothing that a client sends is needed.
ALTER ROLE north SET visage.institution = 'north';
ALTER ROLE south SET visage.institution = 'south';
SET visage.institution = 'north'; SELECT visage.add_capture_source('north');
SET visage.institution = 'south'; SELECT visage.add_capture_source('south');
CREATE FUNCTION face(person text, sample int, source text DEFAULT current_setting('visage.institution'), nonce bytea DEFAULT NULL) RETURNS visage.probe LANGUAGE sql VOLATILE AS $$
  SELECT visage.seal_probe(fixture.feature(person, sample), 'test/1', 0.9, source, '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}', session_nonce => nonce) $$;
SQL

my $directory = $node->basedir . '/pooler';
mkdir $directory, 0700 or die "$directory: $!";
my $port = PostgreSQL::Test::Cluster::get_free_port();
my @users = ('north', 'south', 'both_of_them');
write_file("$directory/users", map { qq{"$_" ""} } @users);
write_file("$directory/pgbouncer.ini", '[databases]',
  'bank = host=' . $node->host . ' port=' . $node->port . ' dbname=postgres', '[pgbouncer]', 'pool_mode = transaction',
  "listen_port = $port", 'listen_addr =', "unix_socket_dir = $directory", 'auth_type = trust', "auth_file = $directory/users",
  # One connection for all clients of a role: whatever stays on it the next one meets.
  'default_pool_size = 1', "logfile = $directory/log", "pidfile = $directory/pid", 'ignore_startup_parameters = extra_float_digits');
my $pooler = IPC::Run::start([ $pgbouncer, "$directory/pgbouncer.ini" ], '>', \my $said, '2>&1');
END { $pooler->kill_kill if defined $pooler; }
wait_until(sub { -S "$directory/.s.PGSQL.$port" }, 'pgbouncer');

# A psql of its own behind the pooler, or `where`, which stays until it is told to leave.
sub client {
  my ($user, $where) = @_;
  $where //= "host=$directory port=$port dbname=bank";
  my $client = { in => '', out => '', error => '', asked => 0 };
  $client->{run} = IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', "$where user=$user" ],
    '<', \$client->{in}, '>', \$client->{out}, '2>', \$client->{error}, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
  return $client;
}

# What a statement returns, or its SQLSTATE.
sub ask {
  my ($client, $sql) = @_;
  my $end = 'answered ' . ++$client->{asked};
  ($client->{out}, $client->{error}) = ('', '');
  # The answer comes by one pipe, the error by another.
  $client->{in} .= "$sql\n\\echo $end\n\\warn $end\n";
  $client->{run}->pump until $client->{out} =~ /^\Q$end\E$/m && $client->{error} =~ /^\Q$end\E$/m;
  $client->{out} =~ s/^\Q$end\E\n//m;
  return $1 if $client->{error} =~ /^ERROR:  (\w{5}): /m;
  chomp $client->{out};
  return $client->{out};
}
sub vanish { my ($client) = @_; $client->{run}->kill_kill(grace => 0); return; }
sub verify_sql {
  my ($subject, $sample, $more) = @_;
  return "SELECT fixture.verdict(visage.verify('$subject', face('alice', $sample)" . ($more // '') . '));';
}

# The role is bound to its institution.
my ($north, $south) = (client('north'), client('south'));
is(ask($north, q{SELECT fixture.verdict(visage.register('alice', face('alice', 1)));}), 'accept OK', 'registered in the north, through the pooler');
is(ask($south, verify_sql('alice', 2)), 'refuse UNKNOWN_SUBJECT', 'the same name is nobody in the south [6.2a]');
is(ask($north, verify_sql('alice', 2)), 'accept OK', '… and verified in the north');
is(ask($south, q{SET visage.institution = 'north';} . verify_sql('alice', 3)), '42501', 'a client of the south cannot name the north');
is(ask($south, 'RESET visage.institution;' . verify_sql('alice', 3)), 'refuse UNKNOWN_SUBJECT', '… and is where it was');

# A role that serves both says which in each transaction.
my @both = map { client('both_of_them') } 1 .. 3;
is(ask($both[0], "SELECT pg_backend_pid();"), ask($both[1], "SELECT pg_backend_pid();"), 'one connection serves them all');
for my $round (1 .. 3) {
  is(ask($both[0], "BEGIN; SET LOCAL visage.institution = 'north';" . verify_sql('alice', 10 + $round) . 'COMMIT;'), 'accept OK', "north for one client, round $round");
  is(ask($both[1], "BEGIN; SET LOCAL visage.institution = 'south';" . verify_sql('alice', 10 + $round) . 'COMMIT;'), 'refuse UNKNOWN_SUBJECT', '… south for the next');
  is(ask($both[2], "SELECT visage.list_references('alice');"), '', '… and neither for one that says nothing');
}
is(ask($both[2], verify_sql('alice', 20)), '42501', '… which is refused: the shipped institution is not its own');
# What SET leaves on the connection the next client has: what the documentation says must not be used.
ask($both[0], "SET visage.institution = 'north';");
is(ask($both[1], 'SHOW visage.institution;'), 'north', 'SET without LOCAL reaches the next client of the same role');
is(ask($north, 'SHOW visage.institution;') . ask($south, 'SHOW visage.institution;'), 'northsouth', '… and no other role');
ask($both[0], 'RESET visage.institution;');

# What a backend keeps in memory follows a change that was made elsewhere, by the next statement of whichever client.
is(ask($north, verify_sql('alice', 21)), 'accept OK', 'the connection has the policy in memory');
$node->safe_psql('postgres', q{UPDATE visage.channel SET liveness_floor = 0.95 WHERE institution = (SELECT id FROM visage.institution WHERE name = 'north')});
is(ask($north, verify_sql('alice', 22)), 'refuse LIVENESS', 'a changed policy holds at once');
$node->safe_psql('postgres', q{UPDATE visage.channel SET liveness_floor = NULL WHERE institution = (SELECT id FROM visage.institution WHERE name = 'north')});
$node->safe_psql('postgres', q{SELECT visage.revoke_institution('south', 'both_of_them')});
is(ask($both[1], "BEGIN; SET LOCAL visage.institution = 'south';" . verify_sql('alice', 23) . ';ROLLBACK;'), '42501', 'so does a revoked institution [8.1.4a]');
is(ask($both[0], "BEGIN; SET LOCAL visage.institution = 'north';" . verify_sql('alice', 23) . 'COMMIT;'), 'accept OK', '… for that alone');
$node->safe_psql('postgres', q{REVOKE visage_service FROM both_of_them});
is(ask($both[0], "BEGIN; SET LOCAL visage.institution = 'north';" . verify_sql('alice', 24) . 'ROLLBACK;'), '42501', 'so does a membership that ended');
$node->safe_psql('postgres', q{GRANT visage_service TO both_of_them});

# A session of ours is none of PostgreSQL's: it is opened on one connection and used on another. [6.5d]
my ($opened, $nonce) = split /\|/, ask($north, q{SELECT session, nonce FROM visage.open_session('alice', 'verify');});
my $in_session = qq{'default', 'default', jsonb_build_object('session', '$opened')};
isnt(ask($north, 'SELECT pg_backend_pid();'), ask($both[0], 'SELECT pg_backend_pid();'), 'two connections');
is(ask($both[0], qq{BEGIN; SET LOCAL visage.institution = 'north';
  SELECT fixture.verdict(visage.verify('alice', face('alice', 30, 'north', '$nonce'), $in_session)); COMMIT;}), 'accept OK', 'a session opened on the one is known on the other');
is(ask($north, qq{SELECT fixture.verdict(visage.verify('alice', face('alice', 31, 'north', '$nonce'), $in_session));}), 'refuse REPLAYED_SESSION', '… and used up on every one');

# Opened on one channel, claimed and finished on another, each on whatever connection there is. Who waits for it hears of it, on
# a connection past the pooler.
my $listener = client('north', 'host=' . $node->host . ' port=' . $node->port . ' dbname=postgres');
ask($listener, 'LISTEN visage_session;');
($opened, $nonce) = split /\|/, ask($both[0], q{BEGIN; SET LOCAL visage.institution = 'north';
  SELECT session, nonce FROM visage.open_session('alice', 'verify', 'default', 'default', '{"finish_channel": "phone"}'); COMMIT;});
is(ask($north, qq{SELECT claimed FROM visage.claim_session('$opened', 'phone', '{"device": "phone-7"}');}), 't', 'a session is claimed on another connection than opened');
is(ask($both[0], qq{BEGIN; SET LOCAL visage.institution = 'north'; SELECT fixture.verdict(visage.verify('alice', face('alice', 35, 'north', '$nonce'),
  'phone', 'default', '{"session": "$opened", "device": "phone-7"}')); COMMIT;}), 'accept OK', '… and finished on the other channel');
my $heard = '';
wait_until(sub { $heard .= ask($listener, 'SELECT;'); $heard =~ /SUCCEEDED/ }, 'the end of the session');
is(join(' ', $heard =~ /\Q$opened\E", "state": "(\w+)"/g), 'CREATED IN_PROGRESS SUCCEEDED', 'each state is announced, once');
unlike($heard, qr/alice/, '… and names nobody');
vanish($listener);

# biz_id: the answer is the first one, whoever asks and wherever.
my $call = q{SELECT transaction_id FROM visage.verify('alice', probe, context => '{"biz_id": "payment-1"}')};
$node->safe_psql('postgres', q{SET ROLE north; SET visage.institution = 'north'; RESET ROLE; CREATE TABLE sealed AS SELECT face('alice', 40, 'north') AS probe; GRANT SELECT ON sealed TO PUBLIC});
$call =~ s/probe,/(SELECT probe FROM sealed),/;
my $first = ask($north, "$call;");
like($first, qr/^[0-9a-f-]{36}$/, 'a call with a biz_id');
is(ask(client('north'), "$call;"), $first, '… is answered once: another client has the same outcome');
is($node->safe_psql('postgres', q{SELECT count(*) FROM visage.event WHERE biz_id = 'payment-1'}), 1, '… and there is one record');

# A client that vanishes between two statements leaves nothing held: no attempt, no biz_id, no lock.
my $limit = 5;
$node->safe_psql('postgres', qq{INSERT INTO visage.attempt_limit (institution, kind, with_liveness, free_failures, first_delay, max_delay)
  SELECT id, 'subject', false, $limit, '1 minute', '1 hour' FROM visage.institution WHERE name = 'north'});
for my $i (1 .. 2 * $limit) {
  my $leaving = client('north');
  is(ask($leaving, 'BEGIN;' . verify_sql('alice', 50 + $i, qq{, context => '{"biz_id": "left-$i"}'})), 'accept OK', "compared for client $i, which is gone then");
  vanish($leaving);
}
my $after = client('north');
is(ask($after, verify_sql('alice', 70)), 'accept OK', 'more left than may be in flight at one time, and nothing is locked [8.2.5d]');
# A backend notices a little later that its client is gone.
ok($node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE a.usename = 'north' AND l.locktype = 'advisory'}),
  '… no biz_id is held');
is($node->safe_psql('postgres', q{SELECT count(*) FROM visage.event WHERE biz_id ~ '^left-'}), 2 * $limit, '… each comparison is recorded, whatever became of its client');
# Failures count, also those of who is gone.
for my $i (1 .. $limit) {
  my $leaving = client('north');
  is(ask($leaving, "BEGIN; SELECT fixture.verdict(visage.verify('alice', face('mallory', $i)));"), 'reject NO_MATCH', "failure $i of a client that is gone then");
  vanish($leaving);
}
is(ask($after, verify_sql('alice', 71)), 'refuse LOCKED', 'a client that vanishes does not get its failures back');
$node->safe_psql('postgres', q{SET visage.institution = 'north'; SELECT visage.unlock('alice', 'tested')});

# A data-changing call in a transaction that its client leaves is rolled back, and the ledger says so.
my $leaving = client('north');
is(ask($leaving, q{BEGIN; SELECT fixture.verdict(visage.register('bob', face('bob', 1)));}), 'accept OK', 'a registration whose client is gone before COMMIT');
vanish($leaving);
is(ask($after, q{SELECT count(*) FROM visage.list_references('bob');}), '0', '… did not take place');
$node->poll_query_until('postgres', q{SELECT settled = 'rolled back' FROM visage.history WHERE operation = 'register' ORDER BY event DESC LIMIT 1})
  or die 'not settled';
pass('… and its record says so');
# Statements that are prepared without a name, as libpq's PQexecParams and visaged do it, go through, and many at a time.
my $script = write_file("$directory/verify.sql", q{SELECT 1 / (fixture.verdict(visage.verify('alice', face('alice', 100 * :client_id + 80))) = 'accept OK')::int;});
command_ok([ 'pgbench', '-n', '-M', 'extended', '-c', 4, '-t', 10, '-f', $script, '-h', $directory, '-p', $port, '-U', 'north', 'bank' ],
  'four clients on one connection, in the extended protocol');
ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE usename = 'north'}), '… it is one');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.verify_ledger()'), 0, 'the ledger verifies');

vanish($_) for $north, $south, $after, @both;
$pooler->signal('INT');
$pooler->finish;
undef $pooler;
$node->stop;
done_testing();
