# Galleries in memory under faults: whoever is killed, whatever does not fit, a search finds whom the table shows, or
# says that it cannot tell. [6.2c] [6.6f] [8.1.4a]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('galleries', init => { allows_streaming => 1 });
my $keys = $node->basedir . '/keys';
$node->start;
load_fixture($node);
lift_limits($node);

sub value { my ($sql, $on) = @_; return ($on // $node)->safe_psql('postgres', $sql); }
# found(person): whom memory and the table give, and where the first answer came from.
value(<<'SQL');
CREATE FUNCTION names(person text, method text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
  PERFORM set_config('visage.search_method', method, true);
  RETURN (SELECT coalesce(string_agg(s.external_id, ' ' ORDER BY 1) FILTER (WHERE c.score > 0.5), 'nobody')
          FROM visage.score_candidates(fixture.probe(person, 9)) c LEFT JOIN visage.subject s ON s.id = c.subject);
END $$;
CREATE FUNCTION found(person text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
  before CONSTANT bigint := (SELECT searches FROM visage.gallery_memory);
  in_memory CONSTANT text := names(person, 'exact');
  from_memory CONSTANT boolean := (SELECT searches FROM visage.gallery_memory) > before;
  in_table CONSTANT text := names(person, 'table');
BEGIN
  RETURN CASE WHEN in_memory <> in_table THEN in_memory || ', but ' || in_table ELSE in_memory END || CASE WHEN from_memory THEN ', memory' ELSE ', table' END;
END $$;
CREATE FUNCTION people(first int, last int) RETURNS bigint LANGUAGE sql AS $$
  SELECT count(*) FROM generate_series($1, $2) i, visage.register('p' || i, fixture.probe('p' || i, 1)) r WHERE r.reason = 'OK' $$;
SQL

sub wait_for { my ($condition, $what) = @_; $node->poll_query_until('postgres', "SELECT coalesce(($condition), false)") or die "waited too long: $what"; return; }
sub serves {
  my $since = value('SELECT clock_timestamp()');
  wait_for("SELECT bool_and(state = 'serving' AND seen_at > '$since') FROM visage.galleries WHERE institution = 'default'", 'memory to serve');
  return;
}
sub finds {
  my ($person, $expected, $name) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return is(value("SELECT found('$person')"), $expected, $name);
}
sub worker { return value('SELECT pid FROM visage.gallery_memory'); }
# Ended by a signal that takes all of the server with it.
sub crash {
  my ($pid) = @_;
  my $began = value('SELECT pg_postmaster_start_time()');
  my $size = log_size($node);
  kill 'KILL', $pid;
  wait_until(sub { log_since($node, $size) =~ /database system is ready to accept connections/ }, 'the restart after a crash');
  wait_until(sub { is_up($node) }, 'connections');
  wait_for("SELECT state = 'ready' FROM visage.audit_status", 'the audit writer');
  return;
}

# Who is deleted while memory is first filled leaves it too: the worker has its snapshot, and is held before it reads.
value('SELECT people(40, 41)');
my ($locker, $searcher, $pid);
$locker = $node->background_psql('postgres');
$locker->query_safe('BEGIN; LOCK TABLE visage.subject_key IN ACCESS EXCLUSIVE MODE');
value("SELECT visage.open_gallery('test/1', 128)");
wait_for("SELECT EXISTS (SELECT FROM pg_stat_activity a, visage.gallery_memory w WHERE a.pid = w.pid AND a.wait_event_type = 'Lock')", 'a worker that waits');
my $filling = worker();
kill 'STOP', $filling;
$locker->query_safe('COMMIT');
$locker->quit;
value("SELECT visage.cancel('p40')");
kill 'CONT', $filling;
serves();
is(value('SELECT compared_singly FROM visage.galleries'), 1, 'who was deleted while memory was filled is not there');
value("SELECT visage.cancel('p41')");
value('SELECT people(1, 30)');
serves();
finds('p7', 'p7, memory', 'somebody who is registered is found in memory');
finds('stranger', 'nobody, memory', 'a stranger is not');

# Codes are in memory that is locked and left out of core dumps.
sub range_of {
  my ($pid) = @_;
  my ($locked, $dumped, $inside) = (0, 0, 0);
  for (split /\n/, slurp_file("/proc/$pid/smaps")) {
    $inside = (hex($2) - hex($1)) if /^([0-9a-f]+)-([0-9a-f]+) rw-s .*\/dev\/zero/;
    $inside = 0 if /^[0-9a-f]+-[0-9a-f]+ / && !/rw-s .*\/dev\/zero/;
    next if !$inside || !/^VmFlags:(.*)/;
    my $flags = $1;
    $locked += $inside if $flags =~ /\blo\b/;
    $dumped += $inside if $flags !~ /\bdd\b/ && $flags =~ /\blo\b/;
  }
  return ($locked, $dumped);
}
my ($locked, $dumped) = range_of(worker());
cmp_ok($locked, '>=', value('SELECT taken FROM visage.gallery_memory'), 'what holds codes is locked');
is($dumped, 0, '… and not dumped');

# A server that stops and starts.
$node->restart;
like(value("SELECT found('p7')"), qr/^p7, (memory|table)$/, 'found right after a restart');
serves();
finds('p7', 'p7, memory', 'after a restart memory is filled again');

# The worker ends while it serves.
my $old = worker();
value("SELECT pg_terminate_backend($old)");
like(value("SELECT found('p7')"), qr/^p7, (memory|table)$/, 'found while there is no worker');
wait_for("SELECT pid <> $old FROM visage.gallery_memory", 'another worker');
serves();
finds('p8', 'p8, memory', 'the next worker serves');
crash(worker());
like(value("SELECT found('p8')"), qr/^p8, (memory|table)$/, 'found after a crash of the worker');
serves();
finds('p8', 'p8, memory', 'memory is filled again after it');

# … and while it fills: it waits for a table that somebody locked.
for my $how ('terminated', 'killed') {
  my $locker = $node->background_psql('postgres', on_error_stop => 0);
  $old = worker();
  $locker->query_safe('BEGIN; LOCK TABLE visage.subject_key IN ACCESS EXCLUSIVE MODE');
  value("SELECT pg_terminate_backend($old)");
  wait_for("SELECT EXISTS (SELECT FROM pg_stat_activity a, visage.gallery_memory w WHERE a.pid = w.pid AND a.wait_event_type = 'Lock')", 'a worker that waits');
  is(value('SELECT state FROM visage.gallery_memory'), 'filling', "a worker that fills is shown ($how)");
  is(value("SELECT DISTINCT state FROM visage.galleries"), 'filling', '… with its gallery');
  if ($how eq 'killed') { crash(worker()); }
  else { value('SELECT pg_terminate_backend(pid) FROM visage.gallery_memory'); $locker->query_safe('COMMIT'); }
  eval { $locker->quit };
  like(value("SELECT found('p9')"), qr/^p9, (memory|table)$/, "found after the worker was $how while it filled");
  serves();
  finds('p9', 'p9, memory', '… and in memory, once filled');
}

# A search ends in the middle: what it kept from being freed is freed.
sub start_search {
  my ($person) = @_;
  my $lock = $node->background_psql('postgres');
  $lock->query_safe('BEGIN; LOCK TABLE visage.gallery IN ACCESS EXCLUSIVE MODE');
  return ($lock, another_search($person));
}
sub another_search {
  my ($person) = @_;
  my $searcher = $node->background_psql('postgres', on_error_stop => 0);
  my $pid = $searcher->query_safe('SELECT pg_backend_pid()');
  $searcher->query_until(qr/begun/, "\\echo begun\nSELECT names('$person', 'exact');\n");
  wait_for("SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid", 'a search that waits');
  return ($searcher, $pid);
}
serves();
($locker, $searcher, $pid) = start_search('p9');
is(value('SELECT readings FROM visage.gallery_memory'), 1, 'a search that reads memory is shown');
value("SELECT visage.cancel('p10')");
wait_for('SELECT waiting > 0 FROM visage.gallery_memory', 'a place that waits for the search');
value("SELECT pg_terminate_backend($pid)");
wait_for('SELECT readings = 0 AND waiting = 0 FROM visage.gallery_memory', 'the end of the search');
pass('a search that was terminated keeps nothing');
$locker->query_safe('COMMIT');
$locker->quit;
eval { $searcher->quit };
serves();
($locker, $searcher, $pid) = start_search('p9');
crash($pid);
eval { $locker->quit };
eval { $searcher->quit };
serves();
is(value('SELECT readings FROM visage.gallery_memory'), 0, 'nor one that was killed');
finds('p9', 'p9, memory', '… and others find');

# The worker ends while a search reads: what it wiped leads nowhere, and the search goes on to the table. The next
# worker may not fill meanwhile, so that what was wiped stays so.
($locker, $searcher, $pid) = start_search('p9');
my $keys_locker = $node->background_psql('postgres');
$keys_locker->query_safe('BEGIN; LOCK TABLE visage.subject_key IN ACCESS EXCLUSIVE MODE');
$old = worker();
value("SELECT pg_terminate_backend($old)");
wait_for("SELECT pid <> $old FROM visage.gallery_memory", 'another worker');
$locker->query_safe('COMMIT');
wait_for("SELECT count(*) = 1 FROM pg_locks WHERE pid = $pid AND NOT granted AND relation = 'visage.subject_key'::regclass", 'a search that reads the table');
$keys_locker->query_safe('COMMIT');
like($searcher->query_safe('SELECT 1'), qr/^p9$/m, 'a search whose memory was wiped finds in the table');
$_->quit for $locker, $keys_locker, $searcher;
serves();

# Codes move while a search reads: enough people for several blocks, most of whom go.
value('SELECT people(100, 2400)');
serves();
my $before = value('SELECT taken FROM visage.gallery_memory');
($locker, $searcher, $pid) = start_search('p9');
value(q{SELECT count(*) FROM visage.subject s, visage.cancel(s.external_id) WHERE substr(s.external_id, 2)::int BETWEEN 100 AND 2390});
wait_for('SELECT waiting > 2000 FROM visage.gallery_memory', 'places that wait for the search');
# A second search does not need them: once the first has ended they are free, and codes are moved under the second.
my ($second, $second_pid) = another_search('p2395');
value("SELECT pg_terminate_backend($pid)");
wait_for("SELECT taken < $before AND waiting > 0 AND readings = 1 FROM visage.gallery_memory", 'memory that was compacted');
eval { $searcher->quit };
$locker->query_safe('COMMIT');
like($second->query_safe('SELECT 1'), qr/^p2395$/m, 'a search during compaction finds');
wait_for('SELECT waiting = 0 FROM visage.gallery_memory', 'the places to be freed');
$_->quit for $locker, $second;
serves();
finds("p$_", "p$_, memory", "p$_ is found after it") for 1, 9, 2395, 2400;
finds('p500', 'nobody, memory', 'who was cancelled is not');

# The server ends between a commit and the worker's round: the worker is held.
hold($node, worker());
value("SELECT visage.register('late', fixture.probe('late', 1)), visage.cancel('p11')");
finds('late', 'late, memory', 'who came after the last round is found');
finds('p11', 'nobody, memory', 'who went is not');
kill_postmaster_and_worker();
sub kill_postmaster_and_worker {
  my $held = worker();
  my ($postmaster) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
  kill 'KILL', $postmaster;
  kill 'CONT', $held;
  kill_postmaster($node);
  $node->start;
  wait_for("SELECT state = 'ready' FROM visage.audit_status", 'the audit writer');
  return;
}
like(value("SELECT found('late')"), qr/^late, (memory|table)$/, 'found after the crash');
serves();
finds('late', 'late, memory', '… in memory too');
finds('p11', 'nobody, memory', '… and who went is not there');

# All at once.
value('BEGIN; TRUNCATE visage.gallery_code; COMMIT');
serves();
is(value("SELECT codes_in_memory || ' ' || (compared_singly > 20) FROM visage.galleries"), '0 true', 'codes that were truncated leave memory');
finds('p9', 'p9, memory', '… and their references are compared one by one');

# In a database that no worker serves nobody takes the list of what went away again.
value('CREATE DATABASE other');
$node->safe_psql('other', 'SET client_min_messages = error; CREATE EXTENSION pg_visage CASCADE; TRUNCATE visage.gallery_code');
is($node->safe_psql('other', 'SELECT count(*) FROM visage.gallery_removal'), 0, 'another database keeps no list for the worker');

# A standby reads the table; it takes over, and fills memory.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
is(value('SELECT state FROM visage.gallery_memory', $standby), 'stopped', 'a standby has no worker');
is(value("SELECT DISTINCT state FROM visage.galleries", $standby), 'stopped', '… and says so of its galleries');
my $probe = value("SELECT fixture.probe('p9', 9)");
is(value("SELECT s.external_id FROM visage.score_candidates('$probe') c JOIN visage.subject s ON s.id = c.subject WHERE c.score > 0.5", $standby), 'p9', 'it reads the table');
$node->stop;
$standby->promote;
$node = $standby;
wait_for("SELECT state = 'ready' FROM visage.audit_status", 'the audit writer');
serves();
finds('p9', 'p9, memory', 'once promoted it serves');

# Without the root of its codes a gallery says so, and opens them once the root is back.
value('SELECT people(3000, 3003)');
serves();
my ($root) = slurp_file("$keys/transform") =~ /^(1 \S+)/m;
my $newer = '2 ' . random_key();
write_file("$keys/transform", $newer);
$node->restart;
wait_for("SELECT bool_and(state = 'key missing' AND codes_in_memory = 0 AND NOT loaded) FROM visage.galleries", 'a gallery without its key');
pass('codes whose root is not loaded do not count as codes');
write_file("$keys/transform", $root, $newer);
is(value('SELECT visage.reload_keys()'), 1, 'the root comes back');
wait_for("SELECT bool_and(state = 'serving' AND codes_in_memory = 4) FROM visage.galleries", 'codes that open again');
finds('p3001', 'p3001, memory', '… and with it the codes');

# More galleries than memory has room for: those that do not fit are searched in the table, and the log says so.
my %settings = ('shared_preload_libraries' => 'pg_visage', 'visage.key_provider' => "file:$keys/envelope",
  'visage.transform_key_provider' => "file:$keys/transform", 'visage.keeper' => 'off');
configure($node, %settings, 'visage.gallery_memory' => '1MB');
$node->restart;
for my $i (1 .. 8) {
  value(<<"SQL");
SELECT visage.grant_institution('bank $i', current_user::regrole);
INSERT INTO visage.channel (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'bank $i';
INSERT INTO visage.scenario (institution, name) SELECT id, 'default' FROM visage.institution WHERE name = 'bank $i';
SET visage.institution = 'bank $i';
SELECT visage.add_capture_source('bank $i');
SELECT visage.open_gallery('test/1', 128);
SELECT visage.register('one', visage.seal_probe(fixture.feature('one', 1), 'test/1', 0.9, 'bank $i'));
SQL
}
my $states = q{SELECT string_agg(DISTINCT state, ', ' ORDER BY state) FROM visage.galleries};
wait_for("SELECT ($states) = 'over the limit, serving'", 'the limit');
pass('some galleries do not fit');
is(value('SELECT state FROM visage.gallery_memory'), 'serving', 'the others are served');
cmp_ok(value('SELECT taken FROM visage.gallery_memory'), '<=', 1024 * 1024, 'the limit holds');
like(slurp_file($node->logfile), qr/LOG:  \S+ *the gallery of institution \d+, model "test\/1" does not fit into visage\.gallery_memory/, 'the log says so');
is(value("SET visage.institution = 'bank $_'; SELECT s.external_id FROM visage.score_candidates(visage.seal_probe(fixture.feature('one', 9), 'test/1', 0.9, 'bank $_')) c JOIN visage.subject s ON s.id = c.subject WHERE c.score > 0.5"),
  'one', "found in bank $_") for 1 .. 8;

configure($node, %settings, 'visage.gallery_memory' => '0');
$node->restart;
is(value('SELECT state FROM visage.gallery_memory'), 'off', 'without memory there is no worker');
is(value('SELECT DISTINCT state FROM visage.galleries'), 'off', '… nor a gallery in it');
finds('p9', 'p9, table', '… and the table is searched');
value("SELECT visage.cancel('p9')");
is(value('SELECT count(*) FROM visage.gallery_removal'), 0, 'nobody keeps a list for a worker that is not there');

# The system does not let it lock as much as it would take.
configure($node, %settings);
$node->stop;
my $limited = 'ulimit -l 256 && exec pg_ctl -w -D "$0" -l "$1" start';
system_or_bail('bash', '-c', $limited, $node->data_dir, $node->logfile);
$node->_update_pid(1);
wait_for("SELECT ($states) ~ 'not locked'", 'memory that cannot be locked');
like(slurp_file($node->logfile), qr/could not be locked: Cannot allocate memory/, 'the log says what limit it is');
like(value("SELECT found('p8')"), qr/^p8, (memory|table)$/, 'found all the same');
$node->stop;

# Without keys it can do nothing, and says so now and then, however often it is woken.
configure($node, 'shared_preload_libraries' => 'pg_visage', 'visage.keeper' => 'off');
my $start = log_size($node);
$node->start;
my $stuck = value(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_visage gallery worker'});
my $complaint = qr/\[$stuck\] ERROR:  VG003: visage\.key_provider is not set/;
wait_until(sub { log_since($node, $start) =~ $complaint }, 'a worker that complains');
value('SELECT visage.wake_gallery_worker(true)') for 1 .. 40;
my $complaints = () = log_since($node, $start) =~ /$complaint/g;
# After 0, 2, 6, 14, 30 and 62 seconds.
cmp_ok($complaints, '<=', 6, 'a worker that cannot work does not fill the log');
$node->stop;

done_testing();
