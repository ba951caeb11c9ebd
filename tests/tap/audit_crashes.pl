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
use Load;
use Visage;

my $rounds = $ENV{VISAGE_ROUNDS} // 50;
my $node = new_server('audit_crashes');
# What a crash costs beyond what we test.
$node->append_conf('postgresql.conf', "max_wal_size = 64MB\nlog_error_verbosity = terse\nlog_min_messages = fatal\n");
$node->start;
load_fixture($node);
lift_limits($node);
load_faces($node, 'alice', 'bob');

my $load = Load->start($node, 'load', 4);

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
  $load->wait_for_more(1 + int rand 60);
  if ($kind eq 'postmaster') {
    kill_postmaster($node);
    $node->start;
  } else {
    my $pid = $node->safe_psql('postgres', $victims{$kind});
    next if $pid eq '' || !kill KILL => $pid;
    wait_until(sub { !kill 0, $pid }, "the end of the $kind");
    wait_until(sub { is_up($node) }, 'the restart');
  }
  ++$killed;
  ++$of_kind{$kind};
  my $faults = faults_of($node, $kept);
  $unclean .= "round $round, $kind: $faults\n" if $faults ne '';
  $kept = $node->safe_psql('postgres', 'SELECT visage.checkpoint()');
}
$load->wait_for_more(20);
my @lines = $load->stop;
cmp_ok($killed, '>=', $rounds * 0.9, "$killed kills: " . join ', ', map { "$of_kind{$_} $_" } sort keys %of_kind);
is($unclean, '', 'after each the ledger verified, against the checkpoint of the round before');

all_settled($node);
verifies($node, $kept, 'at the end as well, without a gap');
cmp_ok(scalar @lines, '>', $rounds, scalar(@lines) . ' verdicts were told');
Load::all_recorded($node, @lines);
verdict_is($node, 'alice', 'accept OK', 'verdicts go on');
$node->stop;

done_testing();
