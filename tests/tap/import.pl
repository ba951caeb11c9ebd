# An import whose backend, server or audit writer is killed goes on where it was: nothing is lost, nothing is twice, and each
# registration has its event. Two sessions share a batch. [6.2e]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $rows = 2000;  # more than it imports before it is killed for the last time
my $node = new_server('import');
$node->start;
load_fixture($node);
sub value { return $node->safe_psql('postgres', $_[0]); }

value("CREATE TABLE face AS SELECT i, array_agg((random() - 0.5)::real) AS feature FROM generate_series(1, $rows) i, generate_series(1, 128) GROUP BY i");
value("INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'registry', 1e-5)");
my ($batch, $nonce) = split /\|/, value("SELECT batch, nonce FROM visage.open_import('killed', 'registry')");

# By COPY, as a file would come; everybody a second time, under the name and with a probe of its own.
my $file = $node->basedir . '/rows.copy';
value(qq{COPY (SELECT $batch, 's' || i, visage.seal_probe(feature, 'test/1', source => 'fixture', session_nonce => '$nonce', lifetime => '1 day')
  FROM face, generate_series(1, 2) again ORDER BY again, i) TO '$file' (FORMAT binary)});
value("COPY visage.import_staging (batch, subject, probe) FROM '$file' (FORMAT binary)");
is(value("SELECT pending FROM visage.import_progress"), 2 * $rows, 'all is staged');

# A probe opens with one custody's root. What is stored, logged and backed up is sealed under the other one as well. [8.2.4c]
value('CHECKPOINT');
my $probe = do { open my $rows, '<:raw', $file or die "$file: $!"; local $/; <$rows> };
my $part = substr $probe, index($probe, "P\x01") + 150, 32;
is_deeply([ find_in_files(qr/\Q$part\E/s, files_below($node->basedir)) ], [ $file ], 'a staged probe is in the file that it came from, and nowhere else');

# What is there and what is said belong together, at any time.
sub holds {
  my ($when) = @_;
  my ($imported, $subjects, $done, $left, $pending) = split /\|/, value(qq{SELECT imported, (SELECT count(*) FROM visage.subject),
    (SELECT count(*) FROM visage.import_row WHERE decision = 'accept'), 2 * $rows - imported - refused, pending FROM visage.import_progress});
  is("$imported $imported $left", "$subjects $done $pending", "$when: as many subjects and rows as it says, $imported");
  return $imported;
}

sub begin_import {
  my ($part) = @_;
  my $session = $node->background_psql('postgres', on_error_stop => 0);
  my $pid = $session->query_safe('SELECT pg_backend_pid()');
  $session->{stdin} .= "CALL visage.import_references($batch, $part);\n";
  $session->{run}->pump_nb;
  return ($session, $pid);
}
sub end_session { my ($session) = @_; local $SIG{PIPE} = 'IGNORE'; eval { $session->quit }; return; }

my %kills = (
  'a cancelled backend' => sub { value("SELECT pg_terminate_backend($_[0])") },
  'a crash' => sub { kill KILL => $_[0] },
  'a killed audit writer' => sub { kill KILL => value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_visage audit writer'}) },
  'the end of the postmaster' => sub { kill_postmaster($node); $node->start });
my $before = 0;
for my $kill (sort keys %kills) {
  my ($session, $pid) = begin_import(7);
  wait_until(sub { value('SELECT imported FROM visage.import_progress') >= $before + 20 }, 'some rows');
  $kills{$kill}->($pid);
  wait_until(sub { is_up($node) && value("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^CALL' AND pid = $pid") == 0 }, 'the end of the import');
  end_session($session);
  my $now = holds("after $kill");
  cmp_ok($now, '>=', $before + 20, '… and nothing is lost');
  $before = $now;
}
cmp_ok($before, '<', $rows, 'it was never through');

# Two sessions finish it together.
my @sessions = map { (begin_import(5))[0] } 1 .. 2;
wait_until(sub { value('SELECT pending FROM visage.import_progress') == 0 }, 'the end of the import');
wait_until(sub { value("SELECT count(*) FROM pg_stat_activity WHERE query ~ '^CALL' AND state <> 'idle'") == 0 }, 'both sessions');
end_session($_) for @sessions;
holds('at the end');
is(value("SELECT imported, refused FROM visage.import_progress"), "$rows|$rows", 'everybody once, and everybody a second time refused');
is(value("SELECT reason, count(*) FROM visage.import_errors($batch) GROUP BY 1"), "SUBJECT_EXISTS|$rows", '… as a duplicate');
all_settled($node);
is(value(q{SELECT count(*) FROM visage.subject s WHERE (SELECT count(*) FROM visage.history h WHERE h.subject_surrogate = s.id
  AND h.operation = 'register' AND h.decision = 'accept' AND h.settled = 'committed') <> 1}), 0, 'each has one event that counts');
is(value('SELECT count(*) FROM visage.integrity()'), 0, 'everything belongs together');
is(value("SELECT count(*) FROM visage.import_row WHERE staged IS NOT NULL"), 0, 'no probe is left');
done_testing();
