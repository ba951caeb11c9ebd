# A probe is used once: across sessions, rollbacks, crashes and restarts, and when the memory of uses is full.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('replay');
configure($node, Visage::preloaded($node), 'visage.max_probes' => 1024);
$node->start;
load_fixture($node);
$node->safe_psql('postgres', "CREATE TABLE face AS SELECT fixture.feature('alice', 7) AS feature");

my $quality = q{'{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}'};

# A fresh probe of alice, as text.
sub probe {
  my (%options) = @_;
  my $lifetime = $options{lifetime} // '5 minutes';
  return $node->safe_psql('postgres',
    "SELECT visage.seal_probe(feature, 'test/1', 0.9, 'fixture', $quality, lifetime => '$lifetime') FROM face");
}

# What a session of its own is told about it.
sub verdict_of { my ($probe) = @_; return $node->safe_psql('postgres', "SELECT fixture.verdict(visage.verify('alice', '$probe'))"); }

sub wait_for_server { wait_until(sub { $node->psql('postgres', 'SELECT 1') == 0 }, 'the restart'); return; }

verdict_is($node, 'alice', 'accept OK', 'registered', flow => 'register');

# Other sessions and other flows.
my $used = probe();
is(verdict_of($used), 'accept OK', 'the first use is scored');
is(verdict_of($used), 'refuse REPLAYED_PROBE', 'a second session is refused');
is($node->safe_psql('postgres', "SELECT fixture.verdict(visage.add_reference('alice', '$used'))"), 'refuse REPLAYED_PROBE',
  'another flow is refused');
is($node->safe_psql('postgres', "SELECT fixture.verdict(visage.register('new', '$used'))"), 'refuse REPLAYED_PROBE',
  'a registration is refused');
is($node->safe_psql('postgres', "SELECT fixture.verdict(visage.compare('$used', '" . probe() . "'))"), 'refuse REPLAYED_PROBE',
  'a comparison is refused');

# Rollback, savepoint, error and disconnect take nothing back.
my %ends = (
  'a rollback' => "BEGIN; SELECT visage.verify('alice', '%s'); ROLLBACK",
  'a savepoint' => "BEGIN; SAVEPOINT s; SELECT visage.verify('alice', '%s'); ROLLBACK TO s; COMMIT",
  'an error' => "BEGIN; SELECT visage.verify('alice', '%s'); SELECT 1/0",
  'a transaction left open' => "BEGIN; SELECT visage.verify('alice', '%s')",
  'a reject' => "SELECT visage.verify('bob', '%s')");
for my $end (sort keys %ends) {
  my $probe = probe();
  $node->psql('postgres', sprintf $ends{$end}, $probe);
  is(verdict_of($probe), 'refuse REPLAYED_PROBE', "$end does not give a probe back");
}

# A crash clears the memory: whatever was captured before can no longer be told from a replay.
my ($unused, $used_before) = (probe(), probe());
is(verdict_of($used_before), 'accept OK', 'used before the crash');
my $victim = $node->background_psql('postgres');
my $pid = $victim->query_safe('SELECT pg_backend_pid()');
kill KILL => $pid;
wait_until(sub { !kill 0, $pid }, 'the end of the backend');
wait_for_server();
{ local $SIG{PIPE} = 'IGNORE'; eval { $victim->quit }; }
for my $probe ([ $used, 'used long before' ], [ $used_before, 'used' ], [ $unused, 'captured and not used' ]) {
  is(verdict_of($probe->[0]), 'refuse EXPIRED_PROBE', "after a crash: $probe->[1] before it is refused");
}
my $fresh = probe();
is(verdict_of($fresh), 'accept OK', 'a new capture is accepted');
is(verdict_of($fresh), 'refuse REPLAYED_PROBE', '… once');

my $kept = probe();
$node->restart;
is(verdict_of($_), 'refuse EXPIRED_PROBE', 'after a restart: refused') for $fresh, $kept;
$node->stop('immediate');
$node->start;
is(verdict_of($_), 'refuse EXPIRED_PROBE', 'after an immediate stop: refused') for $fresh, $kept;

# Full: an error and no verdict, for as long as what it remembers could be replayed.
my $many = "SELECT count(visage.verify('nobody', visage.seal_probe(feature, 'test/1', 0.9, 'fixture', $quality, lifetime => '%s')))
  FROM face, generate_series(1, %d)";
my $remembered = probe();
is(verdict_of($remembered), 'accept OK', 'an early use');
is($node->safe_psql('postgres', sprintf $many, '5 minutes', 700), 700, 'room for 700 that stay');
my $began = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
fails($node, sprintf($many, '5 seconds', 400), '53400', qr/replay memory holds 1024 unexpired probes and is full/,
  'a full memory refuses by an error');
my $error = fails($node, "SELECT visage.verify('alice', '" . probe() . "')", '53400', qr/is full/, 'a good probe gets no verdict');
like($error, qr/HINT:  Raise visage\.max_probes/, '… and the operator a hint');
fails($node, "SELECT visage.register('late', '" . probe() . "')", '53400', qr/is full/, 'nobody is registered');
is(verdict_of($remembered), 'refuse REPLAYED_PROBE', 'what was used is still known');
is($node->safe_psql('postgres', "SELECT count(*) FROM visage.history WHERE operation = 'register' AND decision = 'accept'"), 1,
  'nothing is half done');

# Room returns when probes expire, and only then.
my $patient = probe();
my $answer;
wait_until(sub { ($answer) = ($node->psql('postgres', "SELECT fixture.verdict(visage.verify('alice', '$patient'))"))[1]; $answer ne '' },
  'room in the replay memory');
is($answer, 'accept OK', 'when some have expired there is room');
is($node->safe_psql('postgres', "SELECT clock_timestamp() - '$began' >= interval '4.9 seconds'"), 't', '… and not before');
is(verdict_of($patient), 'refuse REPLAYED_PROBE', 'the waiting probe is used now');
is(verdict_of($remembered), 'refuse REPLAYED_PROBE', 'what has not expired is not forgotten');
cmp_ok($node->safe_psql('postgres', sprintf $many, '5 seconds', 200), '==', 200, 'room for as many as have expired');

# Expiry is the database's, whatever the source says.
my $short = probe(lifetime => '1 microsecond');
is(verdict_of($short), 'refuse EXPIRED_PROBE', 'expired by its own word');
$node->append_conf('postgresql.conf', "visage.probe_max_age = 1");
$node->reload;
my $old = probe(lifetime => '1 hour');
$node->poll_query_until('postgres', "SELECT clock_timestamp() - captured_at > '1 second' FROM visage.probe_info('$old')");
is(verdict_of($old), 'refuse EXPIRED_PROBE', 'expired by visage.probe_max_age');
for my $case ([ '1 minute', 'refuse EXPIRED_PROBE' ], [ '20 seconds', 'accept OK' ]) {
  is($node->safe_psql('postgres', "SELECT fixture.verdict(visage.verify('alice', visage.seal_probe(feature, 'test/1', 0.9, 'fixture',
        $quality, captured_at => clock_timestamp() + '$case->[0]'))) FROM face"),
    $case->[1], "dated $case->[0] ahead, with a clock_skew of 30 s");
}
$node->stop;

done_testing();
