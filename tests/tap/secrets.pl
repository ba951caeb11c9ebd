# A feature leaves no trace: not on disk, not in the write-ahead log, not in any log, however seal_probe is called and
# however much the server is told to log.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('secrets');
log_everything($node);
$node->start;
load_fixture($node);
$node->safe_psql('postgres', 'CREATE EXTENSION pg_stat_statements');

# The marker: values that stand nowhere else, and what the product makes of them.
sub as_float { my ($value) = @_; return unpack 'f<', pack 'f<', $value; }
my @feature = map { as_float(($_ * 7919 % 257 - 128 + $_ / 131) / 1000) } 1 .. 128;
my $norm = 0;
$norm += $_ * $_ for @feature;
my $scale = 1 / sqrt $norm;
my @unit = map { as_float($_ * $scale) } @feature;
my @decimals = map { sprintf '%.9g', $_ } @feature;
my $array = '{' . join(',', @decimals) . '}';
my $malformed = '{' . join(',', @decimals, 'oops') . '}';

# Any 16 bytes that start at a value, as given and at unit length; any value's first seven digits as text.
my $bytes = join '|', map { my @values = @$_; map { quotemeta pack 'f<4', @values[ $_ .. $_ + 3 ] } 0 .. $#values - 3 }
  \@feature, \@unit;
my $digits = join '|', map { /(\d\.\d*?[1-9]\d{6})/ ? quotemeta $1 : () } map { sprintf '%.12f', abs } @feature, @unit;
# Also byte by byte, as debug_print_plan has it.
my $listed = join '|', map { my @values = @$_; map { join ' ', unpack 'c*', pack 'f<4', @values[ $_ .. $_ + 3 ] } 0 .. $#values - 3 }
  \@feature, \@unit;
my $marker = qr/$bytes|$digits|$listed/s;

my $tail = q{'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}'};
sub sealed { my ($argument) = @_; return "visage.seal_probe($argument, $tail)"; }
sub must_work { my ($name, $sql) = @_; my ($status, $out, $error) = $node->psql('postgres', $sql); return is($status, 0, "$name: works") || diag($error); }
sub must_fail { my ($name, $sql) = @_; my ($status) = $node->psql('postgres', $sql); return isnt($status, 0, "$name: fails"); }
sub pgbench {
  my ($name, $mode, $expected, $sql) = @_;
  my $script = write_file($node->basedir . '/script.sql', $sql);
  my ($out, $error);
  my $ok = IPC::Run::run([ 'pgbench', '-n', '-t', 1, '-M', $mode, '-D', "feature=$array", '-D', "broken=$malformed",
      '-f', $script, $node->connstr('postgres') ], '>', \$out, '2>', \$error);
  return is($ok ? 'works' : 'fails', $expected, "$name ($mode): $expected") || diag($error);
}

# The statements that a careless caller may write.
my $literal = sealed("'$array'");
must_work('a literal', "SELECT fixture.verdict(visage.register('marked', $literal))");
must_work('an array expression', 'SELECT ' . sealed('ARRAY[' . join(', ', @decimals) . ']::real[]') . ' IS NULL');
must_work('casts', 'SELECT ' . sealed('ARRAY[' . join(', ', map { "'$_'::real" } @decimals) . ']') . ' IS NULL');
must_work('PREPARE and EXECUTE', 'PREPARE s (real[]) AS SELECT ' . sealed('$1') . " IS NULL; EXECUTE s('$array')");
must_work('a function of the caller', "CREATE FUNCTION wrapper(real[]) RETURNS visage.probe LANGUAGE plpgsql AS \$\$
  BEGIN RETURN " . sealed('$1') . "; END \$\$; SELECT wrapper('$array') IS NULL");
must_work('a prepared wrapper', "PREPARE w (real[]) AS SELECT wrapper(\$1) IS NULL; EXECUTE w('$array')");
must_work('DO', "DO \$\$ BEGIN PERFORM $literal; END \$\$");
must_work('dynamic SQL', "DO \$\$ BEGIN EXECUTE format('SELECT wrapper(%L)', '$array'); END \$\$");
must_work('a cursor', "BEGIN; DECLARE c CURSOR FOR SELECT wrapper('$array') IS NULL; FETCH c; COMMIT");
must_work('COPY', "COPY (SELECT wrapper('$array') IS NULL) TO STDOUT");
must_work('EXPLAIN', "EXPLAIN (ANALYZE, VERBOSE) SELECT $literal");
must_work('verify', "SELECT fixture.verdict(visage.verify('marked', $literal))");
must_work('CREATE TABLE AS', "CREATE TABLE kept AS SELECT $literal AS probe");
for my $mode ('extended', 'prepared') {
  pgbench('a parameter', $mode, 'works', 'SELECT ' . sealed(':feature') . ';');
  pgbench('a parameter of a wrapper', $mode, 'works', 'SELECT wrapper(:feature);');
  pgbench('a malformed parameter', $mode, 'fails', 'SELECT ' . sealed(':broken') . ';');
  pgbench('a malformed parameter of a wrapper', $mode, 'fails', 'SELECT wrapper(:broken);');
  pgbench('a refused parameter', $mode, 'fails', q{SELECT visage.seal_probe(:feature, 'no such model', 0.9, 'fixture');});
}
must_fail('malformed', 'SELECT ' . sealed("'$malformed'"));
must_fail('malformed for a wrapper', "SELECT wrapper('$malformed')");
must_fail('malformed in EXECUTE', 'PREPARE s (real[]) AS SELECT ' . sealed('$1') . "; EXECUTE s('$malformed')");
must_fail('malformed in a function', "DO \$\$ BEGIN PERFORM wrapper('$malformed'); END \$\$");
must_fail('refused', "SELECT visage.seal_probe('$array', 'test/1', 7, 'fixture')");
must_fail('refused in dynamic SQL', "DO \$\$ BEGIN EXECUTE 'SELECT visage.seal_probe(''$array'', ''no such model'')'; END \$\$");
must_fail('cancelled', "SET statement_timeout = '100ms'; SELECT wrapper('$array'), pg_sleep(60)");
must_fail('misspelt', "SELECT visage.seal_prob('$array')");
must_fail('a syntax error', "SELECT FROM FROM visage.seal_probe('$array')");

# Two backends deadlock while one holds a feature in its statement: each report quotes the other's.
$node->safe_psql('postgres', 'CREATE TABLE one (); CREATE TABLE two ()');
my ($first, $second) = map { $node->background_psql('postgres', on_error_stop => 0) } 1, 2;
$first->query_safe('BEGIN; LOCK one');
$second->query_safe('BEGIN; LOCK two');
$first->query_until(qr/started/, "\\echo started\nSELECT wrapper('$array'), * FROM two;\n");
$node->poll_query_until('postgres', 'SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)');
$second->query('SELECT * FROM one');
$_->quit for $first, $second;

# The server's own report of a killed backend quotes what it ran.
my $victim = $node->background_psql('postgres');
my $pid = $victim->query_safe('SELECT pg_backend_pid()');
$victim->query_until(qr/started/, "\\echo started\nSELECT wrapper('$array'), pg_sleep(600);\n");
$node->poll_query_until('postgres', "SELECT wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $pid");
is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_stat_statements WHERE query ~ E\'[0-9]\\\\.[0-9]{6}\''), 0,
  'pg_stat_statements has no feature');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_statements WHERE query ~ 'seal_probe'}), '>', 5,
  '… but has the statements');
kill KILL => $pid;
wait_until(sub { is_up($node) && !kill 0, $pid }, 'the restart after the crash');
{ local $SIG{PIPE} = 'IGNORE'; eval { $victim->quit }; }

# Nothing of it anywhere: heap, indexes, write-ahead log, statistics, logs of three formats.
$node->safe_psql('postgres', 'CHECKPOINT');
my @files = files_below($node->data_dir);
cmp_ok(scalar(grep { m{/pg_wal/} } @files), '>=', 1, 'the write-ahead log is searched');
is(scalar(grep { m{/log/.*\.(log|csv|json)$} } @files), 3, 'so are three logs');
my $logs = join '', map { slurp_file($_) } grep { m{/log/.*\.log$} } @files;
cmp_ok(scalar(() = $logs =~ /text withheld because it may hold a secret/g), '>=', 20, 'statements were logged, withheld');
cmp_ok(scalar(() = $logs =~ /\[12[78] numbers withheld\]/g), '>=', 10, 'so were the numbers of wrappers');
like($logs, qr/deadlock detected/, 'the deadlock was logged');
like($logs, qr/was terminated by signal 9/, 'the crash was logged');
my @hits = find_in_files($marker, @files, $node->logfile);
is_deeply(\@hits, [], 'no 16 bytes and no decimal of the feature [6.6h, 8.2.4c, 8.2.5g]')
  or diag(map { my $text = slurp_file($_); $text =~ /([^\n]{0,300})($marker)/s ? "$_: $1\n" : () } @hits);

# The search itself can fail: a feature that somebody stores in clear is found, in the heap and in the WAL.
$node->safe_psql('postgres', "CREATE TABLE careless AS SELECT '$array'::real[] AS feature; CHECKPOINT");
my @found = find_in_files(qr/$bytes/s, files_below($node->data_dir));
ok((grep { m{/base/} } @found) && (grep { m{/pg_wal/} } @found), 'control: a feature in clear is found in heap and WAL')
  or diag(explain(\@found));
for my $form ([ 'its text', $array ], [ 'its bytes as numbers', '[ 1 ' . join(' ', unpack 'c*', pack 'f<*', @unit) . ']' ]) {
  write_file($node->basedir . '/careless.txt', "x $form->[1]");
  is(scalar find_in_files($marker, $node->basedir . '/careless.txt'), 1, "control: $form->[0] is found");
}
$node->stop;

done_testing();
