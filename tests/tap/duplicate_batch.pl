# A gallery is compared with itself, and somebody ends that: nothing stays of it but records that say that it was rolled back, and
# the next run finds everybody. Its threads end with its process: who kills one kills that. [6.2c] [8.1.4a]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $people = 12;
my $node = new_server('batch');
$node->start;
load_fixture($node);
lift_limits($node);

sub value { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }
value(q{INSERT INTO visage.calibration (institution, model, scheme, fmr, threshold, source, measured_at)
  VALUES (1, 'test/1', 'gallery/1024', 1e-9, 0.5, 'made up', '2026-01-01')});
value("SELECT visage.open_gallery('test/1', 128)");
is(value(qq{SELECT count(*) FROM generate_series(1, $people) i, (VALUES ('p', 1), ('q', 2)) v (name, sample),
  LATERAL visage.register(v.name || i, fixture.probe('p' || i, v.sample)) r WHERE r.reason = 'OK'}), 2 * $people, 'people under two names each');

# Held up as it reads the first codes, and as it writes the last of its findings.
my $last = value(q{SELECT p.a FROM visage.near_pairs(1, 'test/1', 0.01, 2) WITH ORDINALITY p (a, b, place) ORDER BY p.place DESC LIMIT 1});
my @holds = (['it reads', 'LOCK TABLE visage.subject_key IN ACCESS EXCLUSIVE MODE', 0],
  ['it writes', "SELECT FROM visage.subject WHERE id = '$last' FOR UPDATE", $people - 1]);

sub found { return value(q{SELECT count(*) FROM visage.history WHERE operation = 'find_duplicate'}); }
sub locked_kb { my ($pid) = @_; return slurp_file("/proc/$pid/status") =~ /^VmLck:\s+(\d+) kB/m ? $1 : die 'no VmLck'; }
for my $ended ('pg_cancel_backend', 'pg_terminate_backend', 'KILL') {
  for my $hold (@holds) {
    my ($when, $lock, $written) = @$hold;
    my $name = "$ended while $when";
    my $before = found();
    my $locker = $node->background_psql('postgres', on_error_stop => 0);
    $locker->query_safe("BEGIN; $lock");
    my $search = $node->background_psql('postgres', on_error_stop => 0);
    my $pid = $search->query_safe('SELECT pg_backend_pid()');
    my $locked = locked_kb($pid);
    $search->query_until(qr/begun/, "\\echo begun\nSELECT findings FROM visage.find_duplicates('test/1');\n");
    $node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $pid AND wait_event_type = 'Lock'") or die 'it does not wait';
    # Codes in clear are in locked memory, and only until all were compared.
    cmp_ok(locked_kb($pid), $written > 0 ? '==' : '>', $locked, "$name: codes in locked memory, or none");
    is(found() - $before, $written, "$name: so many findings are in the ledger");
    if ($ended eq 'KILL') {
      my $size = log_size($node);
      kill 'KILL', $pid;
      wait_until(sub { log_since($node, $size) =~ /database system is ready to accept connections/ }, 'the restart');
      wait_until(sub { is_up($node) }, 'connections');
    } else {
      value("SELECT $ended($pid)");
      wait_until(sub { value("SELECT count(*) FROM pg_stat_activity WHERE pid = $pid AND state = 'active'") eq '0' }, 'its end');
    }
    is(locked_kb($pid), $locked, "$name: its memory is given back") if $ended eq 'pg_cancel_backend';
    eval { $_->quit } for $locker, $search;
    is(value('SELECT (SELECT count(*) FROM visage.duplicate_finding), (SELECT count(*) FROM visage.duplicate_progress)'), '0|0', "$name: nothing stays");
    all_settled($node);
    is(value(q{SELECT count(*) FROM visage.history WHERE operation = 'find_duplicate' AND settled <> 'rolled back'}), 0, "$name: its records say so");
  }
}
is(value(q{SELECT alike, findings FROM visage.find_duplicates('test/1')}), "$people|$people", 'the next run finds everybody');
is(value(q{SELECT alike, findings FROM visage.find_duplicates('test/1')}), "$people|0", '… once');
$node->stop;
done_testing();
