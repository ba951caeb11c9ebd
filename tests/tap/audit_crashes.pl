# Backends, the audit writer and the postmaster are killed at random points under load. Whatever verdict a client was
# told is in the ledger afterwards, the ledger verifies, and every failure that was told counts. [8.1.4a, 8.2.5b, 8.2.5d]
#
# VISAGE_ROUNDS=… for more rounds than a run of all tests can wait for, VISAGE_SEED=… for the choices of another run.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Ledger;
use Visage;

my $rounds = $ENV{VISAGE_ROUNDS} // 50;
my $clients = 4;
my $node = new_server('audit_crashes');
# What a crash costs beyond what we test.
$node->append_conf('postgresql.conf', "max_wal_size = 64MB\nlog_error_verbosity = terse\nlog_min_messages = fatal\n");
$node->start;
load_fixture($node);
lift_limits($node);
load_faces($node, 'alice', 'bob');

# A client asks for verdicts for ever and writes down each that it is told, with its event, one by one: alice as herself,
# mallory as bob. psql flushes after each answer, so what is in the file was told.
my $script = write_file($node->basedir . '/load.sql', map {
  my ($subject, $person) = @$_;
  "SELECT o.event, o.decision, o.reason, o.transaction_id, '$subject' FROM visage.verify('$subject', fresh('$person')) o;"
} ([ 'alice', 'alice' ], [ 'bob', 'mallory' ]) x 500);
my $stop = $node->basedir . '/stop';
my @told = map { $node->basedir . "/told.$_" } 1 .. $clients;
my @workers;
for my $file (@told) {
  write_file($file);
  my $pid = fork // die $!;
  if (!$pid) {
    open STDOUT, '>>', $file or die;
    open STDERR, '>', '/dev/null' or die;
    until (-e $stop) {
      system 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-f', $script;
      select undef, undef, undef, 0.02;  # the server is away: not too many attempts a second
    }
    require POSIX;
    POSIX::_exit(0);
  }
  push @workers, $pid;
}
# The test may die in between.
END { if (@workers) { my $status = $?; open my $file, '>', $stop; kill TERM => @workers; waitpid $_, 0 for @workers; $? = $status; } }

sub told { my $size = 0; $size += -s $_ for @told; return $size; }
sub wait_for_more {
  my ($bytes) = @_;
  my $before = told();
  wait_until(sub { told() >= $before + $bytes }, 'verdicts');
  return;
}
sub up { return $node->psql('postgres', 'SELECT 1', timeout => 30) == 0; }

my %victims = (
  backend => q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1},
  writer => q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_visage audit writer'},
  walwriter => q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'walwriter'});
my @kinds = ('backend', 'writer', 'postmaster', 'backend', 'writer', 'walwriter');
my ($kept, $unclean, $killed, %of_kind) = (undef, '', 0);
my $seed = $ENV{VISAGE_SEED} // time;
srand $seed;
note "VISAGE_SEED=$seed";
for my $round (1 .. $rounds) {
  my $kind = $kinds[ $round % @kinds ];
  # About 70 bytes a verdict.
  wait_for_more(70 * (1 + int rand 60));
  if ($kind eq 'postmaster') {
    kill_postmaster($node);
    $node->start;
  } else {
    my $pid = $node->safe_psql('postgres', $victims{$kind});
    next if $pid eq '' || !kill KILL => $pid;
    wait_until(sub { !kill 0, $pid }, "the end of the $kind");
    wait_until(\&up, 'the restart');
  }
  ++$killed;
  ++$of_kind{$kind};
  my $faults = faults_of($node, $kept);
  $unclean .= "round $round, $kind: $faults\n" if $faults ne '';
  $kept = $node->safe_psql('postgres', 'SELECT visage.checkpoint()');
}
wait_for_more(70 * 20);
write_file($stop);
waitpid $_, 0 for splice @workers;
cmp_ok($killed, '>=', $rounds * 0.9, "$killed kills: " . join ', ', map { "$of_kind{$_} $_" } sort keys %of_kind);
is($unclean, '', 'after each the ledger verified, against the checkpoint of the round before');

all_settled($node);
verifies($node, $kept, 'at the end as well, without a gap');
my @lines = map { grep { /^\d+\|\w+\|\w+\|[0-9a-f-]{36}\|\w+$/ } split /\n/, slurp_file($_) } @told;
cmp_ok(scalar @lines, '>', $rounds, scalar(@lines) . ' verdicts were told');
write_file($node->basedir . '/told.csv', @lines);
$node->safe_psql('postgres', "CREATE TABLE told (event bigint, decision text, reason text, transaction_id uuid, subject text);
  COPY told FROM '" . $node->basedir . "/told.csv' WITH (DELIMITER '|')");
is($node->safe_psql('postgres', q{SELECT count(*) FROM told t LEFT JOIN visage.history h ON h.event = t.event AND h.transaction_id = t.transaction_id
    AND h.decision::text = t.decision AND h.reason::text = t.reason AND h.subject = t.subject WHERE h.event IS NULL}), 0,
  'every verdict that a client was told is in the ledger, as it was told [8.1.4a]');
is($node->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT event) FROM told'), 0, 'no two were told of one event');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT subject || ' ' || decision || ' ' || reason, ', ') FROM told}), 'alice accept OK, bob reject NO_MATCH',
  'nobody was told anything else');
is($node->safe_psql('postgres', 'SELECT max(seq) + 1 - count(*) FROM visage.event'), 0, 'numbers have no gap');

my ($failures) = $node->safe_psql('postgres', q{SELECT failures FROM visage.attempts WHERE kind = 'subject' AND subject = 'bob'});
cmp_ok($failures, '>=', $node->safe_psql('postgres', q{SELECT count(*) FROM told WHERE subject = 'bob'}), 'every failure that was told counts [8.2.5d]');
cmp_ok($failures, '>=', $node->safe_psql('postgres', q{SELECT count(*) FROM visage.history WHERE subject = 'bob' AND operation = 'verify' AND reason IN ('NO_MATCH', 'INTERRUPTED')}),
  '… and every one that is recorded');
verdict_is($node, 'alice', 'accept OK', 'verdicts go on');
$node->stop;

done_testing();
