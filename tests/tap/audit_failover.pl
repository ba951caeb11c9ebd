# Failover to a synchronous standby, twice: whatever was told and whatever was handed out is there as well, the ledger
# goes on where it was, attempts and used probes are remembered. [8.1.4a, 8.2.5b, 8.2.5d]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Auditor;
use Ledger;
use Load;
use Visage;

$ENV{PGOPTIONS} = '-c statement_timeout=600s';  # a wait for a standby that nobody expects must not hang the test
my $primary = new_server('first', init => { allows_streaming => 1 });
$primary->start;
build_auditor($primary->basedir);
load_fixture($primary);
lift_limits($primary);
load_faces($primary, 'alice', 'bob', 'carol');

sub value { my ($node, $sql) = @_; return $node->safe_psql('postgres', $sql); }
sub require_standby {
  my ($node, $name) = @_;
  value($node, "ALTER SYSTEM SET synchronous_standby_names = '$name'");
  $node->reload;
  $node->poll_query_until('postgres', "SELECT state = 'ready' AND current_setting('synchronous_standby_names') = '$name' FROM visage.audit_status") or die;
  return;
}
sub add_standby {
  my ($node, $name) = @_;
  $node->backup("base_$name");
  my $standby = PostgreSQL::Test::Cluster->new($name);
  $standby->init_from_backup($node, "base_$name", has_streaming => 1);
  $standby->start;
  require_standby($node, $name);
  $node->poll_query_until('postgres', "SELECT sync_state = 'sync' FROM pg_stat_replication WHERE application_name = '$name'") or die 'no synchronous standby';
  return $standby;
}
# The standby takes over and waits for no standby itself.
sub promote {
  my ($standby) = @_;
  $standby->append_conf('postgresql.auto.conf', "synchronous_standby_names = ''");
  $standby->reload;
  $standby->promote;
  wait_until(sub { is_up($standby) && value($standby, 'SELECT state FROM visage.audit_status') eq 'ready' }, 'the audit writer of the promoted standby');
  return;
}

my $key = 'key ' . value($primary, 'SELECT visage.ledger_public_key()');
my (@notes, @told, @used);
sub keep_note { my ($node) = @_; push @notes, value($node, 'SELECT visage.checkpoint()'); return $notes[-1]; }
# All that was handed out is one ledger, says a public judge, with proofs of this server.
sub one_ledger {
  my ($node, $name) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my @questions = ($key, (map { note_question($_) } @notes), tree_questions($node, map { read_note($_)->{size} } @notes));
  my @answers = ask_auditor(@questions);
  return is(join("\n", map { $answers[$_] eq 'ok' ? () : "$questions[$_] → $answers[$_]" } 0 .. $#answers), '', "$name: " . scalar(@notes) . ' checkpoints');
}

my $first = $primary;
for my $name ('second', 'third') {
  my $standby = add_standby($primary, $name);
  my $load = Load->start($primary, "load_$name", 4);
  for my $round (1 .. 6) { $load->wait_for_more(10); keep_note($primary); }
  # Probes that are used up to the last moment, by somebody who is told so.
  for my $round (1 .. 5) {
    my $probe = value($primary, q{SELECT fresh('carol')});
    push @used, $probe if value($primary, "SELECT fixture.verdict(visage.verify('carol', '$probe'))") eq 'accept OK';
  }
  my $unused = value($primary, q{SELECT fresh('carol')});
  keep_note($primary);
  kill_postmaster($primary);
  push @told, $load->stop;
  promote($standby);
  cmp_ok(scalar @told, '>', 60, "$name takes over: " . scalar(@told) . ' verdicts were told before');
  verifies($standby, $_, 'its ledger verifies') for @notes[ 0, -1 ];
  all_settled($standby);
  Load::all_recorded($standby, @told);
  is(value($standby, "SELECT fixture.verdict(visage.verify('carol', '$_'))"), 'refuse REPLAYED_PROBE', 'a probe that was used is remembered') for @used;
  is(value($standby, "SELECT fixture.verdict(visage.verify('carol', '$unused'))"), 'accept OK', 'one that was not is good');
  keep_note($standby);
  one_ledger($standby, 'before and after');
  is(value($standby, 'SELECT visage.ledger_public_key()'), substr($key, 4), 'under one key');
  is(value($standby, 'SELECT count(*) - count(DISTINCT settles) FROM visage.event WHERE settles IS NOT NULL'), 0, 'nothing is settled twice');
  $primary = $standby;
}

# The first server, started again by mistake, goes its own way. Its ledger verifies by itself, and against what was
# handed out before; a checkpoint from after the failover shows the fork.
my $before = $notes[0];
value($primary, q{SELECT count(visage.verify('alice', fresh())) FROM generate_series(1, 10)});
my $after = keep_note($primary);
$first->append_conf('postgresql.auto.conf', "synchronous_standby_names = ''");
$first->start;
$first->poll_query_until('postgres', q{SELECT state = 'ready' FROM visage.audit_status});
my $missing = read_note($after)->{size} + 5 - events_of($first);
value($first, "SELECT count(visage.verify('bob', fresh('mallory'))) FROM generate_series(1, $missing)");
verifies($first, $_, 'the fork looks well by itself') for undef, $before;
like(faults_of($first, $after), qr/not the checkpoint's|truncated/, 'against a checkpoint of the other branch it does not');
$first->stop;

# A standby that is away: nothing is told and nothing handed out that it would not know.
my $standby = add_standby($primary, 'fourth');
$standby->stop;
my $kept = $notes[-1];
my $session = $primary->background_psql('postgres', on_error_stop => 0);
$session->query_safe(q{SET visage.audit_timeout = '300ms'});
sub fails_in {
  my ($sql, $sqlstate, $name) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $out = $session->query("\\set VERBOSITY verbose\n$sql");
  my $error = $session->{stderr};
  $session->{stderr} = '';
  return ok($error =~ /ERROR:  $sqlstate: / && $out !~ /accept|reject|pg_visage\//, $name) || diag("output: $out, error: $error");
}
# Not before the limit that it takes away is over.
sub reset_all { my ($session) = @_; $session->query('RESET ALL'); my $error = $session->{stderr}; $session->{stderr} = ''; return $error eq '' }
my $events = events_of($primary);
fails_in(q{SELECT fixture.verdict(visage.verify('bob', fresh('mallory')))}, 'VG006', 'no verdict without the standby');
is(events_of($primary), $events, '… and no record to be seen');
my $failures = value($primary, q{SELECT failures FROM visage.attempts WHERE kind = 'subject' AND subject = 'bob'});
# Ended while it waits, the writer has committed here and nowhere else: from now on everybody sees that record.
my $writer = value($primary, 'SELECT pid FROM visage.audit_status');
value($primary, "SELECT pg_terminate_backend($writer)");
$primary->poll_query_until('postgres', "SELECT pid IS DISTINCT FROM $writer AND state = 'ready' FROM visage.audit_status");
cmp_ok(events_of($primary), '>', $events, 'the writer was ended while it waited: the record shows');
$session->query_safe(q{SET statement_timeout = '300ms'});
fails_in('SELECT visage.checkpoint()', '57014', '… and no checkpoint of it is handed out');
verifies($primary, $kept, 'it can be verified here');
wait_until(sub { reset_all($session) }, 'a statement within its own time limit');
$standby->start;
$primary->poll_query_until('postgres', "SELECT sync_state = 'sync' FROM pg_stat_replication WHERE application_name = 'fourth'");
is($session->query_safe(q{SELECT fixture.verdict(visage.verify('alice', fresh()))}), 'accept OK', 'with the standby back verdicts go on');
keep_note($primary);
kill_postmaster($primary);
{ local $SIG{PIPE} = 'IGNORE'; eval { $session->quit }; }
promote($standby);
verifies($standby, $_, 'the fourth knows all that was handed out') for $kept, $notes[-1];
one_ledger($standby, 'over three failovers');
cmp_ok(value($standby, q{SELECT failures FROM visage.attempts WHERE kind = 'subject' AND subject = 'bob'}), '>', $failures, 'what could not be told counts');
verdict_is($standby, 'alice', 'accept OK', 'verdicts go on');
$standby->stop;

done_testing();
