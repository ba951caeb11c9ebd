# What may go wrong between a decision and its record: a writer that waits, that is ended, a disk that is full; callers
# who are cancelled, roll back, prepare. No verdict leaves without a record, no record is undone, no attempt is gained.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Ledger;
use Visage;

# Nothing here waits for long: a lock that a query of the test itself meets must not hang it.
$ENV{PGOPTIONS} = '-c statement_timeout=600s';
my $node = new_server('audit_faults');
$node->append_conf('postgresql.conf', 'max_prepared_transactions = 5');
$node->start;
load_fixture($node);
lift_limits($node);
load_faces($node, 'alice', 'bob', 'carol', 'broken');

sub value { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }
# What became of the call that named this business id: decision, reason, end of its transaction.
sub record_of { my ($id) = @_; return value("SELECT concat_ws(' ', operation, decision, reason, settled) FROM visage.history WHERE biz_id = '$id'"); }
sub recorded { my ($id, $expected, $name) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1;
  $node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM visage.history WHERE biz_id = '$id')");
  return is(record_of($id), $expected, $name); }
sub call { my ($id, %options) = @_; my ($flow, $subject, $person) = map { $options{$_} } 'flow', 'subject', 'person'; $subject //= 'bob';
  return sprintf q{visage.%s('%s', fresh('%s'), context => '{"biz_id": "%s"}')}, $flow // 'verify', $subject, $person // $subject, $id; }
sub failures { my ($subject) = @_; return value("SELECT coalesce(sum(failures), 0) FROM visage.attempts WHERE kind = 'subject' AND subject = '$subject'"); }
# The statement fails so in a session that goes on.
sub fails_in {
  my ($session, $sql, $sqlstate, $name) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my $out = $session->query("\\set VERBOSITY verbose\n$sql");
  my $error = $session->{stderr};
  $session->{stderr} = '';
  return ok($error =~ /ERROR:  $sqlstate: / && $out !~ /accept|reject/, $name) || diag("output: $out, error: $error");
}
# Waits until a session waits, as the condition says.
sub wait_for { my ($condition) = @_; return $node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $condition)"); }
my $writer_waits = q{backend_type = 'pg_visage audit writer' AND wait_event_type = 'Lock'};
sub caller_waits { my ($pid) = @_; return "pid = $pid AND wait_event_type = 'Extension'"; }

# The writer waits for a lock. Whoever stops waiting for it gets no verdict, and the record appears all the same.
my $blocker = $node->background_psql('postgres');
sub block { $blocker->query_safe('BEGIN; LOCK visage.event IN SHARE MODE'); return; }
sub unblock { $blocker->query_safe('COMMIT'); return; }
block();
my $before = failures('bob');
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe(q{SET visage.audit_timeout = '200ms'});
fails_in($session, 'SELECT ' . call('late', person => 'mallory'), 'VG006', 'a record that is late: no verdict');
like(value('SELECT state FROM visage.audit_status'), qr/ready/, 'the writer is there');
fails_in($session, 'SELECT ' . call('later'), 'VG004', '… and the session cannot begin another before');
my $timed = $node->background_psql('postgres', on_error_stop => 0);
$timed->query_safe(q{SET statement_timeout = '2s'});
fails_in($timed, 'SELECT ' . call('timed', person => 'mallory'), '57014', 'statement_timeout while it waits for the record: no verdict');
fails_in($timed, 'SELECT ' . call('timed again'), '57014', '… and while it waits for the one before');
my %ended;
for my $how ('cancel', 'terminate') {
  my $victim = $node->background_psql('postgres', on_error_stop => 0);
  my $pid = $victim->query_safe('SELECT pg_backend_pid()');
  $victim->query_until(qr/started/, "\\echo started\nSELECT " . call($how, person => 'mallory') . ";\n");
  wait_for(caller_waits($pid));
  value("SELECT pg_${how}_backend($pid)");
  $node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid AND state = 'active')");
  $ended{$how} = $victim;
}
# The same for who waits for an earlier record of its own.
{
  my $victim = $ended{cancel};
  my $pid = value(q{SELECT pid FROM pg_stat_activity WHERE query LIKE '%"cancel"%' AND pid <> pg_backend_pid()});
  $victim->query_until(qr/again/, "\\echo again\nSELECT " . call('cancel again') . ";\n");
  wait_for(caller_waits($pid) . q{ AND query LIKE '%cancel again%'});
  value("SELECT pg_cancel_backend($pid)");
  $node->poll_query_until('postgres', "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $pid AND state = 'active')");
}
# Nobody cancels what the writer is about.
wait_for($writer_waits);
value('SELECT pg_cancel_backend(pid) FROM visage.audit_status');
is(value('SELECT queued >= 1 AND oldest_queued > interval $$0.1 seconds$$ FROM visage.audit_status'), 't', 'visage.audit_status shows what waits, and how long');
is(record_of($_), '', "$_: not recorded yet") for 'late', 'timed', 'cancel', 'terminate';
unblock();
recorded($_, 'verify reject NO_MATCH', "$_: recorded once the writer goes on") for 'late', 'timed', 'cancel', 'terminate';
$node->poll_query_until('postgres', 'SELECT queued = 0 FROM visage.audit_status');
is(record_of($_), '', "$_: never begun, never recorded") for 'later', 'timed again', 'cancel again';
is(value('SELECT failed FROM visage.audit_status'), 0, 'no record failed');
is(failures('bob'), $before + 4, 'each counts as a failure, told or not [8.2.5d]');
unlike($ended{cancel}->query('SELECT 1') . $ended{cancel}{stdout}, qr/reject|accept/, 'who was cancelled was told nothing');
my $again = 0;
for ($session, $timed) { $_->query_safe('RESET ALL'); is($_->query_safe('SELECT (' . call('again' . ++$again) . ').reason'), 'OK', 'the session goes on'); }
{ local $SIG{PIPE} = 'IGNORE'; eval { $_->quit } for values %ended; }
$node->command_ok([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', 'SELECT ' . call('quick') ], 'so do others');

# Before anything was scored there is nothing to record: the probe and the attempt are still good.
all_settled($node);
my $events = events_of($node);
my $probe = value(q{SELECT fresh('bob')});
my $policy_lock = $node->background_psql('postgres');
$policy_lock->query_safe('BEGIN; LOCK visage.subject IN ACCESS EXCLUSIVE MODE');
my $fresh_session = $node->background_psql('postgres', on_error_stop => 0);
$fresh_session->query_safe(q{SET statement_timeout = '2s'});
fails_in($fresh_session, "SELECT visage.verify('bob', '$probe')", '57014', 'statement_timeout before the comparison');
$policy_lock->query_safe('COMMIT');
is(events_of($node), $events, '… no record');
is($fresh_session->query_safe("SELECT fixture.verdict(visage.verify('bob', '$probe'))"), 'accept OK', '… and the probe is as unused as before');
$fresh_session->quit;

# A counter that is not in memory is read before as well, though after the probe was opened.
$policy_lock->query_safe('BEGIN; LOCK visage.attempt IN ACCESS EXCLUSIVE MODE');
$events = events_of($node);
my $opened = value(q{SELECT fresh('carol')});
$fresh_session = $node->background_psql('postgres', on_error_stop => 0);
$fresh_session->query_safe(q{SET statement_timeout = '2s'});
fails_in($fresh_session, "SELECT visage.verify('carol', '$opened')", '57014', 'statement_timeout while the attempts are read');
$policy_lock->query_safe('COMMIT');
is(events_of($node), $events, '… no record');
is($fresh_session->query_safe("SELECT fixture.verdict(visage.verify('carol', '$opened'))"), 'refuse REPLAYED_PROBE', '… but the probe was opened and stays used');
is($fresh_session->query_safe('SELECT (' . call('carol', subject => 'carol') . ').reason'), 'OK', '… and the next is good');
is(failures('carol'), 0, '… and no attempt is held');
$fresh_session->quit;

# After: an error or a cancel takes the verdict back and not the attempt. A session that knows no threshold yet reads it
# after the comparison.
$policy_lock->query_safe('BEGIN; LOCK visage.calibration IN ACCESS EXCLUSIVE MODE');
for my $how ('statement_timeout', 'pg_cancel_backend', 'pg_terminate_backend') {
  $before = failures('bob');
  my $victim = $node->background_psql('postgres', on_error_stop => 0);
  my $pid = $victim->query_safe('SELECT pg_backend_pid()');
  $victim->query_safe(q{SET statement_timeout = '2s'}) if $how eq 'statement_timeout';
  $victim->query_until(qr/started/, "\\echo started\nSELECT " . call("interrupted by $how") . ";\n");
  wait_for("pid = $pid AND wait_event_type = 'Lock'") and value("SELECT $how($pid)") if $how ne 'statement_timeout';
  recorded("interrupted by $how", 'verify refuse INTERRUPTED', "$how after the comparison is recorded");
  is(failures('bob'), $before + 1, '… and counts as a failure [8.2.5d]');
  { local $SIG{PIPE} = 'IGNORE'; eval { $victim->quit }; }
}
$policy_lock->query_safe('COMMIT');
$policy_lock->quit;
verdict_is($node, 'bob', 'accept OK', 'bob is accepted again');
value(q{UPDATE visage.subject_reference r SET reference = (SELECT o.reference FROM visage.subject_reference o JOIN visage.subject s ON s.id = o.subject WHERE s.external_id = 'alice')
  FROM visage.subject s WHERE s.id = r.subject AND s.external_id = 'broken'});
$before = failures('broken');
for my $round (1 .. 3) { fails($node, 'SELECT ' . call("error $round", subject => 'broken'), 'VG001', qr/./, 'an error in the comparison'); }
recorded("error $_", 'verify refuse INTERRUPTED', '… is recorded') for 1 .. 3;
is(failures('broken'), $before + 3, '… and counts as a failure');

# What the caller does with its transaction is its own affair.
value('BEGIN; SELECT ' . call('rollback', person => 'mallory') . '; ROLLBACK');
recorded('rollback', 'verify reject NO_MATCH', 'ROLLBACK undoes no record');
my $settled = sub { my ($id, $expected, $name) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1;
  $node->poll_query_until('postgres', "SELECT EXISTS (SELECT FROM visage.history WHERE biz_id = '$id' AND settled = '$expected')");
  return is(record_of($id) =~ s/.* (?=$expected$)//r, $expected, $name); };
sub register { my ($name) = @_; return call($name, flow => 'register', subject => $name, person => 'alice'); }
value('SELECT ' . register('committed'));
value('BEGIN; SELECT ' . register('rolled_back') . '; ROLLBACK');
value('BEGIN; SAVEPOINT s; SELECT ' . register('savepoint') . '; ROLLBACK TO s; SELECT ' . register('beside_savepoint') . '; COMMIT');
value('BEGIN; SAVEPOINT s; SELECT ' . register('released') . '; RELEASE s; COMMIT');
value('BEGIN; SAVEPOINT s; SAVEPOINT t; SELECT ' . register('released_in_vain') . '; RELEASE t; ROLLBACK TO s; COMMIT');
value('DO $$ BEGIN PERFORM ' . register('block') . '; RAISE EXCEPTION $e$x$e$; EXCEPTION WHEN OTHERS THEN NULL; END $$');
value('DO $$ BEGIN PERFORM ' . register('fine_block') . '; EXCEPTION WHEN OTHERS THEN NULL; END $$');
$node->psql('postgres', 'BEGIN; SELECT ' . register('left') . '; SELECT 1/0');
value('BEGIN; SELECT ' . register($_) . "; PREPARE TRANSACTION '$_'") for 'prepared', 'prepared_in_vain', 'prepared_over_restart', 'prepared_over_crash';
my %end = (committed => 'committed', rolled_back => 'rolled back', savepoint => 'rolled back', beside_savepoint => 'committed', released => 'committed',
  released_in_vain => 'rolled back', block => 'rolled back', fine_block => 'committed', left => 'rolled back');
$settled->($_, $end{$_}, "$_: $end{$_}") for sort keys %end;
is(value(q{SELECT string_agg(external_id, ' ' ORDER BY external_id COLLATE "C") FROM visage.subject WHERE external_id NOT IN ('alice', 'bob', 'carol', 'broken')}),
  join(' ', sort grep { $end{$_} eq 'committed' } keys %end), 'and that is true: who is registered');
recorded($_, 'register accept OK open', "$_: open") for 'prepared', 'prepared_in_vain';
value(q{COMMIT PREPARED 'prepared'});
value(q{ROLLBACK PREPARED 'prepared_in_vain'});
$settled->('prepared', 'committed', 'COMMIT PREPARED is noticed');
$settled->('prepared_in_vain', 'rolled back', 'ROLLBACK PREPARED is noticed');
$session->query_safe('BEGIN; SELECT ' . register('open_at_crash'));
$_->quit for $timed, $blocker;
$node->restart;
recorded('prepared_over_restart', 'register accept OK open', 'prepared over a restart: still open');
value(q{COMMIT PREPARED 'prepared_over_restart'});
$settled->('prepared_over_restart', 'committed', '… then committed');
$settled->('open_at_crash', 'rolled back', 'what was open at the restart was rolled back');
$node->stop('immediate');
$node->start;
value(q{ROLLBACK PREPARED 'prepared_over_crash'});
$settled->('prepared_over_crash', 'rolled back', 'prepared over a crash, then rolled back');
all_settled($node);
is(value('SELECT count(*) - count(DISTINCT settles) FROM visage.event WHERE settles IS NOT NULL'), 0, 'nothing is settled twice');
is(value(q{SELECT string_agg(s.external_id, ', ') FROM visage.subject s WHERE NOT EXISTS (SELECT FROM visage.history h
  WHERE h.subject = s.external_id AND h.operation = 'register' AND h.settled = 'committed')}), '', 'whoever is registered has a committed event');

# The writer is ended, again and again, under load: callers in flight are told so or get their verdict; it comes back.
my $load = write_file($node->basedir . '/load.sql', (q{SELECT fixture.verdict(visage.verify('alice', fresh()));}) x 3000);
my @loads = map {
  my ($out, $error) = ('', '');
  [ IPC::Run::start([ 'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres'), '-f', $load ], '>', \$out, '2>', \$error), \$out, \$error ]
} 1 .. 3;
my ($pid, $ends) = (0, 0);
my $witness = $node->background_psql('postgres', on_error_stop => 0);
my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
END { kill CONT => $postmaster if defined $postmaster; }
for my $round (1 .. 4) {
  $node->poll_query_until('postgres', "SELECT state = 'ready' AND pid <> $pid AND recorded > 0 FROM visage.audit_status");
  $pid = value('SELECT pid FROM visage.audit_status');
  # Once the postmaster is held, which would begin another within the second.
  kill STOP => $postmaster if $round == 1;
  $ends += $witness->query_safe("SELECT count(*) FROM (SELECT pg_terminate_backend($pid) t) s WHERE t");
  wait_until(sub { $witness->query_safe("SELECT pid IS DISTINCT FROM $pid FROM visage.audit_status") eq 't' }, 'the end of the writer');
  next if $round > 1;
  fails_in($witness, 'SELECT ' . call('no writer'), 'VG004', 'without a writer there is no verdict');
  kill CONT => $postmaster;
}
$witness->quit;
is($ends, 4, 'the writer was ended four times');
# Whoever calls while it is away is told so; it is back within the second that the postmaster waits.
$node->poll_query_until('postgres', "SELECT state = 'ready' AND pid <> $pid FROM visage.audit_status");
my ($answers, %errors) = (0);
for (@loads) {
  my ($run, $out, $error) = @$_;
  $run->finish;
  $answers += () = $$out =~ /^accept OK$/mg;
  is(join(', ', grep { $_ ne 'accept OK' } split /\n/, $$out), '', 'nobody was told anything else');
  ++$errors{$1} while $$error =~ /ERROR:  (\w+):/g;
}
is(join(' ', grep { !/^VG00[45]$/ } sort keys %errors), '', 'and no other errors') or diag(explain(\%errors));
cmp_ok($answers, '>', 100, "$answers verdicts meanwhile");
cmp_ok(value(q{SELECT count(*) FROM visage.history WHERE operation = 'verify' AND subject = 'alice' AND decision = 'accept'}), '>=', $answers, '… each is recorded');
verdict_is($node, 'alice', 'accept OK', 'then all is as before');
verifies($node, undef, 'and the ledger verifies');

# A name of no database: callers wait for the writer, no longer than they said.
configure($node, Visage::preloaded($node), 'visage.database' => 'nowhere');
$node->restart;
$session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe(q{SET visage.audit_timeout = '200ms'});
fails_in($session, 'SELECT ' . call('nowhere'), 'VG004', 'a writer that cannot start: no verdict');
$session->query_safe(q{SET visage.audit_timeout = '60s'; SET statement_timeout = '2s'});
fails_in($session, 'SELECT ' . call('nowhere'), '57014', '… and who waits for it can be cancelled');
is(value('SELECT state FROM visage.audit_status'), 'not started', 'visage.audit_status says so');
$session->query_safe('RESET statement_timeout');
my $waiting = $session->query_safe('SELECT pg_backend_pid()');
$session->query_until(qr/nowhere/, "\\echo nowhere\nSELECT " . call('nowhere') . ";\n");
wait_for(caller_waits($waiting));
value("SELECT pg_cancel_backend($waiting)");
$node->poll_query_until('postgres', "SELECT state <> 'active' FROM pg_stat_activity WHERE pid = $waiting");
unlike($session->query('SELECT 1') . $session->{stdout}, qr/accept|reject/, '… by hand as well');
like($session->{stderr}, qr/57014/, '… which says so');
$session->quit;
configure($node, Visage::preloaded($node));
$node->restart;

SKIP: {
  # Made by tests/check-tap when it runs as root and may mount: a file system of 64 MB.
  my $disk = $ENV{VISAGE_SMALL_DISK};
  skip 'no small disk: only root may mount one', 11 if !defined $disk;
  value("CREATE TABLESPACE small LOCATION '$disk'");
  value('ALTER TABLE visage.event SET TABLESPACE small');
  verdict_is($node, 'alice', 'accept OK', 'the ledger is on a small disk');
  my $filler = "$disk/filler";
  open my $file, '>:raw', $filler or die $!;
  1 while syswrite $file, "\0" x 65536;
  close $file;
  my ($full, $good) = ('', 0);
  # The last page has room yet.
  for (1 .. 100) {
    my ($status, $out, $error) = $node->psql('postgres', "\\set VERBOSITY verbose\nSELECT fixture.verdict(visage.verify('bob', fresh('mallory')))");
    ++$good if $status == 0;
    $full = $error and last if $status != 0;
  }
  like($full, qr/ERROR:  VG005: .*No space left on device/, 'a full disk: no verdict');
  like($full, qr/HINT: .*visage\.audit_status/, '… and a hint');
  like(value('SELECT fault FROM visage.audit_status'), qr/No space left/, '… and the status says why');
  fails($node, 'SELECT ' . call('full', person => 'mallory'), 'VG005', qr/No space left/, 'the next call likewise');
  is(record_of('full'), '', '… it is not recorded');
  # Which of the two it would have been must not show in what is counted: it is a verdict that nobody recorded.
  my @would_be = map { failures($_) } 'alice', 'carol';
  fails($node, 'SELECT ' . call('full', subject => 'alice'), 'VG005', qr/No space left/, 'the right face');
  fails($node, 'SELECT ' . call('full', subject => 'carol', person => 'mallory'), 'VG005', qr/No space left/, '… and the wrong one get the same answer');
  unlink $filler or die $!;
  verdict_is($node, 'bob', 'accept OK', 'with room again verdicts go on');
  is(join(' ', map { failures($_) } 'alice', 'carol'), join(' ', map { $_ + 1 } @would_be), '… and they have counted alike, under their names');
  verifies($node, undef, 'the ledger has no gap');
  value('ALTER TABLE visage.event SET TABLESPACE pg_default; DROP TABLESPACE small');
}
$node->stop;

done_testing();
