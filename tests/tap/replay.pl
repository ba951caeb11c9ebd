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

sub wait_for_server { wait_until(sub { is_up($node) }, 'the restart'); return; }

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

# The memory of uses comes back from the ledger: a crash and a restart forget no use and cost no unused probe.
sub crash {
  my $victim = $node->background_psql('postgres');
  my $pid = $victim->query_safe('SELECT pg_backend_pid()');
  kill KILL => $pid;
  wait_until(sub { !kill 0, $pid }, 'the end of the backend');
  wait_for_server();
  { local $SIG{PIPE} = 'IGNORE'; eval { $victim->quit }; }
  return;
}
my $document = probe();
is($node->safe_psql('postgres', "SELECT fixture.verdict(visage.compare('" . probe() . "', '$document'))"), 'accept OK', 'a document is used');
my %restarts = (
  'a crash' => \&crash,
  'a restart' => sub { $node->restart },
  'an immediate stop' => sub { $node->stop('immediate'); $node->start });
for my $restart (sort keys %restarts) {
  my ($unused, $used_before) = (probe(), probe());
  is(verdict_of($used_before), 'accept OK', "used before $restart");
  $restarts{$restart}->();
  is(verdict_of($_), 'refuse REPLAYED_PROBE', "after $restart: a use before it is known") for $used, $used_before, $document;
  is(verdict_of($unused), 'accept OK', '… a probe captured before and not used is good');
  is(verdict_of($unused), 'refuse REPLAYED_PROBE', '… once');
}

# A probe whose life became longer after its use was forgotten is not good again: what a restart did not read is refused.
my $long = probe(lifetime => '1 hour');
is(verdict_of($long), 'accept OK', 'a probe that would live for an hour is used');
configure($node, Visage::preloaded($node), 'visage.max_probes' => 1024, 'visage.probe_max_age' => '1s', 'visage.clock_skew' => '0');
$node->poll_query_until('postgres', "SELECT clock_timestamp() - captured_at > '1.1 seconds' FROM visage.probe_info('$long')");
$node->restart;
is(verdict_of($long), 'refuse EXPIRED_PROBE', 'after a restart with a shorter life of probes it has expired');
configure($node, Visage::preloaded($node), 'visage.max_probes' => 1024);
$node->reload;
$node->poll_query_until('postgres', q{SELECT current_setting('visage.probe_max_age') = '10min'});
like(verdict_of($long), qr/refuse (EXPIRED|REPLAYED)_PROBE/, '… and with a longer life it is not good again');

# Full: an error and no verdict, for as long as what it remembers could be replayed.
my $many = "SELECT count(visage.verify('nobody', visage.seal_probe(feature, 'test/1', 0.9, 'fixture', $quality, lifetime => '%s')))
  FROM face, generate_series(1, %d)";
my $remembered = probe();
is(verdict_of($remembered), 'accept OK', 'an early use');
my $began = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
is($node->safe_psql('postgres', sprintf $many, '10 minutes', 700), 700, 'room for 700 that stay');
# Lives that are not over before the rest is full, however slow the machine is.
my $life = 5 + 6 * $node->safe_psql('postgres', "SELECT extract(epoch FROM clock_timestamp() - '$began')::int");
$began = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
fails($node, sprintf($many, "$life seconds", 400), '53400', qr/replay memory holds 1024 unexpired probes and is full/,
  'a full memory refuses by an error');
my $error = fails($node, "SELECT visage.verify('alice', '" . probe() . "')", '53400', qr/is full/, 'a good probe gets no verdict');
like($error, qr/HINT:  Raise visage\.max_probes/, '… and the operator a hint');
fails($node, "SELECT visage.register('late', '" . probe() . "')", '53400', qr/is full/, 'nobody is registered');
my $full = $node->safe_psql('postgres', 'SELECT clock_timestamp()');
is(verdict_of($remembered), 'refuse REPLAYED_PROBE', 'what was used is still known');
is($node->safe_psql('postgres', "SELECT count(*) FROM visage.history WHERE operation = 'register' AND decision = 'accept'"), 1,
  'nothing is half done');

# Room returns when probes expire, and only then.
my $patient = probe();
my $answer;
wait_until(sub { ($answer) = ($node->psql('postgres', "SELECT fixture.verdict(visage.verify('alice', '$patient'))"))[1]; $answer ne '' },
  'room in the replay memory');
is($answer, 'accept OK', 'when some have expired there is room');
is($node->safe_psql('postgres', "SELECT clock_timestamp() - '$began' >= interval '$life seconds' - interval '0.1 seconds'"), 't', '… and not before');
is(verdict_of($patient), 'refuse REPLAYED_PROBE', 'the waiting probe is used now');
is(verdict_of($remembered), 'refuse REPLAYED_PROBE', 'what has not expired is not forgotten');
$node->poll_query_until('postgres', "SELECT clock_timestamp() - '$full' > interval '$life seconds'");
cmp_ok($node->safe_psql('postgres', sprintf $many, '10 minutes', 200), '==', 200, 'room for as many as have expired');

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
