# Approximate indexes of galleries: FAISS is in the index worker alone; searches with an index find whom the exact ones find,
# while people come and go, the workers die, and what lies on disk is altered. [6.2c] [6.6f] [8.2.4c] [8.2.4d]
use strict;
use warnings;

use File::Basename qw(basename);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $people = 300;
my $node = new_server('indexed', init => { allows_streaming => 1 });
configure($node, Visage::preloaded($node));
$node->start;
load_fixture($node);

# People who are met again, and strangers: their probes are made when they are needed.
$node->safe_psql('postgres', <<"SQL");
SELECT visage.open_gallery('test/1', 128);
CREATE TABLE face AS SELECT i, fixture.feature('p' || i, 1) AS enrolled, fixture.feature('p' || i, 2) AS again FROM generate_series(1, $people + 20) i;
CREATE FUNCTION probe_of(feature real[]) RETURNS visage.probe LANGUAGE sql VOLATILE AS \$\$
  SELECT visage.seal_probe(\$1, 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}') \$\$;
CREATE FUNCTION found(feature real[], method text) RETURNS text LANGUAGE plpgsql AS \$\$
BEGIN
  PERFORM set_config('visage.search_method', method, false);
  RETURN (SELECT coalesce(string_agg(c.subject || ' ' || c.score, ', ' ORDER BY c.score DESC, c.subject) FILTER (WHERE c.score >= 0.5), 'nobody')
    || CASE WHEN bool_and(c.complete) THEN '' ELSE ', undetermined' END FROM visage.score_candidates(probe_of(feature), 0.01) c);
END \$\$;
SELECT visage.register('p' || i, probe_of(enrolled)) FROM face WHERE i <= $people;
SQL
is($node->safe_psql('postgres', "SELECT count(*) FROM face WHERE i BETWEEN 1 AND 100 AND found(again, 'exact') <> 'nobody'"), '100', 'whoever is registered is found');

sub reconfigure { my (%settings) = @_; configure($node, Visage::preloaded($node), %settings); $node->reload; return }
sub index_is {
  my ($column) = @_;
  return $node->safe_psql('postgres', "SELECT coalesce((SELECT $column FROM visage.gallery_indexes x ORDER BY epoch DESC LIMIT 1)::text, 'none')");
}
sub serves { return index_is('state') eq 'serving' && index_is('done = due') eq 'true' }
# How many of the searches differ from the exact ones.
sub compare {
  my ($method, $from, $to) = @_;
  my $differ = $node->safe_psql('postgres',
    "SELECT count(*) FILTER (WHERE found(again, '$method') <> found(again, 'exact')) || ' of ' || count(*) FROM face WHERE i BETWEEN $from AND $to");
  return $differ;
}
sub searches { return $node->safe_psql('postgres', 'SELECT searches FROM visage.gallery_memory') }
sub maps_of { my ($pid) = @_; return slurp_file("/proc/$pid/maps") }
sub worker { return $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'pg_visage index worker'}) }

# As shipped there is no index, FAISS is in no process, and every search is exact.
is(index_is('state'), 'none', 'as shipped there is no index');
unlike(maps_of(worker()), qr/pg_visage_gallery|libgomp|blas/, 'and FAISS is not in the worker either');
is(compare('hnsw', 1, 20), '0 of 20', 'searches that ask for one are exact');

my $first = 1;
for my $kind ('hnsw', 'ivf') {
  reconfigure('visage.gallery_index' => $kind);
  wait_until(sub { index_is('method') eq $kind && serves() }, "the index of kind $kind");
  # As many as tell 0.999 from less; of 200 a single one who is overlooked by chance would be too many.
  my ($sampled, $answered, $recall) = split /\|/,
    $node->safe_psql('postgres', "SET visage.index_timeout = '10s'; SELECT sampled, answered, recall FROM visage.gallery_recall(10000)");
  is("$sampled $answered", '10000 10000', "$kind: recall is measured");
  cmp_ok($recall, '>=', 0.999, "$kind: recall");

  # What follows is about whom an index has, not about how far it looks: one that looks everywhere overlooks nobody.
  reconfigure('visage.gallery_index' => 'none');
  wait_until(sub { index_is('state') eq 'none' }, 'no index');
  reconfigure('visage.gallery_index' => $kind, 'visage.index_probed' => 1000);
  wait_until(sub { index_is('method') eq $kind && serves() }, "the index of kind $kind again");
  is(index_is('codes'), $node->safe_psql('postgres', 'SELECT count(*) FROM visage.subject_reference'), "$kind: it has everybody");

  # [8.2.4c] In no process that talks to a client.
  my $session = $node->background_psql('postgres');
  my $pid = $session->query_safe('SELECT pg_backend_pid()');
  $session->query_safe("SET visage.search_method = '$kind'; SELECT count(*) FROM visage.score_candidates(probe_of((SELECT again FROM face WHERE i = 1)), 0.01)");
  # A process that ended meanwhile has no maps.
  my %maps = map { $_ => (-e "/proc/$_/maps" ? eval { maps_of($_) } // '' : '') }
    split /\n/, $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE backend_type <> 'pg_visage index worker'});
  my @unclean = grep { $maps{$_} =~ /pg_visage_gallery|libgomp|libblas|liblapack|faiss/ } keys %maps;
  is("@unclean", '', "$kind: neither FAISS nor OpenMP nor BLAS is in any other process");
  like($maps{$pid}, qr/pg_visage\.so/, "$kind: nor in one that has asked");
  $session->quit;

  # An index that is slow to answer is not waited for, and is right to be asked in vain; here it is to answer.
  reconfigure('visage.gallery_index' => $kind, 'visage.index_probed' => 1000, 'visage.index_timeout' => '60s');
  wait_until(sub { $node->safe_psql('postgres', 'SHOW visage.index_timeout') eq '1min' }, 'the settings');
  my $asked = index_is('answers');
  my $searches = searches();
  is(compare($kind, 1, 120), '0 of 120', "$kind: finds whom the exact search finds");
  is(searches() - $searches, 240, "$kind: searches are counted, and what the index worker reads is not");
  wait_until(sub { index_is('answers') >= $asked + 115 }, "$kind: the index answered");
  is(compare($kind, $people + 11, $people + 20), '0 of 10', "$kind: and nobody where there is nobody");
  # Newer than the index, renewed, and gone: each is so from the commit on.
  for my $step (1 .. 10) {
    my $who = $first++;
    $node->safe_psql('postgres', "SELECT visage.cancel('p$who')");
    is($node->safe_psql('postgres', "SELECT found(again, '$kind') FROM face WHERE i = $who"), 'nobody', "$kind: who is cancelled is not found") if $step == 1;
    $node->safe_psql('postgres', "SELECT visage.register('p$who', probe_of(enrolled)) FROM face WHERE i = $who") if $step % 2 == 0;
    is(compare($kind, $who, $who + 1), '0 of 2', "$kind: change $step is seen at once");
  }

  # Somebody new, whom memory has and the index has not: it follows a second later at most.
  for my $i (map { $people + ($kind eq 'hnsw' ? 0 : 5) + $_ } 1 .. 5) {
    my ($stdout, $stderr);
    $node->psql('postgres', <<"SQL", stdout => \$stdout, stderr => \$stderr, on_error_die => 1);
SELECT fixture.verdict(visage.register('p$i', probe_of(enrolled))) FROM face WHERE i = $i;
DO \$\$ DECLARE since CONSTANT timestamptz := clock_timestamp(); BEGIN
  WHILE (SELECT seen_at FROM visage.gallery_memory) <= since LOOP PERFORM pg_sleep(0.002); END LOOP; END \$\$;
SELECT found(again, '$kind') = found(again, 'exact') AND found(again, '$kind') <> 'nobody' FROM face WHERE i = $i;
SQL
    is($stdout, "accept OK\nt", "$kind: who is newer than the index is found ($i)");
  }

  # [8.2.4d] The file of an index goes when somebody in it is erased; it is sealed, private, and in no backup.
  my @files = map { basename($_) } glob($node->data_dir . '/pgsql_tmp_visage_index/*');
  wait_until(sub { !glob($node->data_dir . '/pgsql_tmp_visage_index/*') }, "$kind: the end of the snapshot");
  # Half of them are there again, so the others are strays.
  wait_until(sub { index_is('strays') > 0 || index_is('state') eq 'building' || serves() }, "$kind: strays");
}

# [6.2a] [8.1.4a] Nobody of another institution sees it, or measures with it.
$node->safe_psql('postgres', q{CREATE ROLE elsewhere IN ROLE visage_admin; SELECT visage.grant_institution('elsewhere', 'elsewhere'); SELECT visage.revoke_institution('default', 'visage_admin')});
is($node->safe_psql('postgres', q{SET ROLE elsewhere; SET visage.institution = 'elsewhere'; SELECT (SELECT count(*) FROM visage.gallery_indexes), (SELECT count(*) FROM visage.gallery_recall(1))}),
  '0|0', 'another institution sees no index and cannot measure with it');
$node->safe_psql('postgres', q{SELECT visage.grant_institution('default', 'visage_admin')});
is($node->safe_psql('postgres', q{SET ROLE elsewhere; SELECT count(*) FROM visage.gallery_indexes}), '1', 'who acts for it does');

# Workers that are killed.
reconfigure('visage.gallery_index' => 'hnsw');
wait_until(sub { index_is('method') eq 'hnsw' && serves() }, 'the index');
my $loop = sub {
  my ($signal, $type, $what) = @_;
  my $pid = $node->safe_psql('postgres', "SELECT pid FROM pg_stat_activity WHERE backend_type = '$type'");
  kill $signal => $pid;
  wait_until(sub { !kill 0, $pid }, "the end of the $what");
  wait_until(sub { is_up($node) }, 'the server');
  is(compare('hnsw', 100, 140), '0 of 41', "$what ended by $signal: searches go on, exact or right");
  wait_until(\&serves, "the index after the $what ended by $signal");
  is(compare('hnsw', 100, 140), '0 of 41', 'and right when it is there again');
  return;
};
$loop->('TERM', 'pg_visage index worker', 'index worker');
$loop->('TERM', 'pg_visage gallery worker', 'gallery worker');
$loop->('KILL', 'pg_visage index worker', 'index worker');

# While it builds: ended again and again, as soon as it is there.
for my $round (1 .. 4) {
  my $pid = worker();
  kill TERM => $pid if $pid ne '';
  wait_until(sub { worker() !~ /^(?:$pid)?$/ }, 'the next index worker');
  is(compare('hnsw', 100, 105), '0 of 6', "index worker ended while it begins, $round: searches are right");
}
wait_until(\&serves, 'the index after all that');

# One that does not answer.
my $stopped = worker();
hold($node, $stopped);
is($node->safe_psql('postgres', q{SET visage.index_timeout = '50ms'; SELECT count(*) FILTER (WHERE found(again, 'hnsw') <> found(again, 'exact')) FROM face WHERE i BETWEEN 150 AND 155}),
  '0', 'an index worker that stands still: searches wait for their time, and are exact');
kill CONT => $stopped;
is(compare('hnsw', 150, 180), '0 of 31', 'and asks it again when it goes on');

# A snapshot serves the next start; one that is altered, cut off, or of other codes does not.
my $folder = $node->data_dir . '/pgsql_tmp_visage_index';
my $file = sub { my ($path) = glob("$folder/*"); return $path };
wait_until(sub { defined $file->() }, 'the snapshot');
my $snapshot = $file->();
is(sprintf('%04o', (stat $snapshot)[2] & 07777), '0600', 'it is a private file');
$node->backup('with_index');
ok(-e $node->backup_dir . '/with_index/PG_VERSION' && !-e $node->backup_dir . '/with_index/pgsql_tmp_visage_index', 'no base backup has it');
my $restart = sub {
  my ($change, $from_snapshot, $name) = @_;
  $node->stop;
  my $good = slurp_file($snapshot);
  $change->($good);
  $node->start;
  wait_until(\&serves, "the index: $name");
  is(index_is('from_snapshot'), $from_snapshot, "$name: used or not");
  is(compare('hnsw', 200, 240), '0 of 41', "$name: searches are right");
  return;
};
my $put = sub { my ($bytes) = @_; open my $out, '>:raw', $snapshot or die $!; print $out $bytes; close $out; return };
$restart->(sub { }, 'true', 'as it was written');
$restart->(sub { my ($good) = @_; substr($good, length($good) / 2, 1) ^= "\x01"; $put->($good) }, 'false', 'one bit altered');
wait_until(sub { -e $snapshot }, 'the next snapshot');
$restart->(sub { my ($good) = @_; $put->(substr $good, 0, length($good) - 100) }, 'false', 'cut off');
wait_until(sub { -e $snapshot }, 'the next snapshot');
# Stale: of a time before changes that it did not see.
my $old = slurp_file($snapshot);
$node->safe_psql('postgres', q{SELECT visage.cancel('p' || i) FROM generate_series(205, 207) i; SELECT visage.register('p' || i, probe_of(enrolled)) FROM face WHERE i > 315});
$restart->(sub { $put->($old) }, 'true', 'stale');
is($node->safe_psql('postgres', q{SELECT found(again, 'hnsw') FROM face WHERE i = 206}), 'nobody', 'who is gone since is not found');
isnt($node->safe_psql('postgres', q{SELECT found(again, 'hnsw') FROM face WHERE i = 317}), 'nobody', 'who came since is');
wait_until(sub { !-e $snapshot }, 'the end of a snapshot that holds somebody who was erased');

# No room: searched exactly, and the view says so.
my $pid = worker();
reconfigure('visage.gallery_index' => 'hnsw', 'visage.index_memory' => '64kB');
kill TERM => $pid;
wait_until(sub { index_is('state') eq 'over the limit' }, 'what it says');
like(index_is('fault'), qr/^it takes \d+ kB, more than visage.index_memory has left$/, 'an index without room says so');
is(compare('hnsw', 250, 260), '0 of 11', 'and searches are exact');
reconfigure('visage.gallery_index' => 'hnsw');
wait_until(\&serves, 'the index when there is room');

# The extension is dropped and made anew under the worker: what it had is nobody's.
my $log = log_size($node);
$node->safe_psql('postgres', 'DROP EXTENSION pg_visage CASCADE');
$pid = worker();
kill TERM => $pid;
wait_until(sub { worker() !~ /^(?:$pid)?$/ }, 'the next index worker');
wait_until(sub { !glob("$folder/*") }, 'the end of the snapshot');
unlike(log_since($node, $log), qr/ERROR|FATAL(?!.*terminating)/, 'without a table it finds nothing, and nothing to complain of');

# Switched off: no file and no FAISS are left.
reconfigure('visage.gallery_index' => 'none');
wait_until(sub { worker() ne '' && maps_of(worker()) !~ /pg_visage_gallery/ }, 'the end of all indexes');
is(scalar(() = glob("$folder/*")), 0, 'no snapshot is left');
$node->stop;
done_testing();
