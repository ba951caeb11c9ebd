# Secrets and evidence of factors leave no trace: not on disk, not in the write-ahead log, a dump or a log, however much
# the server is told to log.  [6.6e, 8.2.4c]
use strict;
use warnings;

use MIME::Base64 qw(encode_base64);
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('factor_secrets');
log_everything($node);
$node->start;
load_fixture($node);
$node->safe_psql('postgres', q{CREATE EXTENSION pg_stat_statements;
  SELECT visage.register('alice', fixture.probe('alice', 1)); SELECT visage.register('bob', fixture.probe('bob', 1));
  UPDATE visage.factor_policy SET password_cost = 8;
  UPDATE visage.attempt_limit SET free_failures = 1000, hard_stop = NULL, period_failures = NULL, period = NULL WHERE kind = 'factor';
  CREATE TABLE opened AS SELECT session FROM visage.open_session('alice', 'verify')});

# The markers, and every form in which they could be left behind.
my ($password, $guess) = ('Zwölf-Markierte-Drachen-47', 'Falsch-Markierte-Drachen-48');
my $raw = 'MarkerSecretOf20Byte';
my $base32 = 'JVQXE23FOJJWKY3SMV2E6ZRSGBBHS5DF';
sub forms { my ($bytes) = @_; return map { quotemeta } $bytes, unpack('H*', $bytes), encode_base64($bytes, ''), join(' ', unpack 'c*', $bytes); }
my $bcrypt = '\$2[abxy]\$\d\d\$[./A-Za-z0-9]{53}';
my $marker = join '|', forms($password), forms($guess), forms($raw), $base32, $bcrypt;
$marker = qr/$marker/;

sub must_work { my ($name, $sql) = @_; my ($status, $out, $error) = $node->psql('postgres', $sql); return is($status, 0, "$name: works") || diag($error); }
sub must_fail { my ($name, $sql) = @_; my ($status) = $node->psql('postgres', $sql); return isnt($status, 0, "$name: fails"); }
sub says { my ($name, $expected, $sql) = @_; return is($node->safe_psql('postgres', "SELECT fixture.verdict($sql)"), $expected, $name); }

says('a password is enrolled', 'accept OK', "visage.enrol_factor('alice', 'password', '$password')");
says('a TOTP secret is enrolled', 'accept OK', "visage.enrol_factor('alice', 'totp', '$base32')");
says('… and another as a URI', 'accept OK', "visage.enrol_factor('bob', 'totp', 'otpauth://totp/x?secret=$base32')");
says('… which is replaced', 'accept OK', "visage.replace_factor('bob', 'totp', '$base32')");
my $session = '(SELECT session FROM opened)';
says('the password is right', 'accept OK', "visage.present_factor($session, 'password', '$password')");
says('a guess is wrong', 'reject WRONG_FACTOR', "visage.present_factor($session, 'password', '$guess')");
must_work('PREPARE and EXECUTE', "PREPARE present_factor_1 (text) AS SELECT visage.present_factor($session, 'password', \$1); EXECUTE present_factor_1('$guess')");
must_work('DO', "DO \$\$ BEGIN PERFORM visage.present_factor($session, 'password', '$guess'); END \$\$");
must_work('COPY', "COPY (SELECT fixture.verdict(visage.present_factor($session, 'password', '$guess'))) TO STDOUT");
must_work('EXPLAIN', "EXPLAIN (ANALYZE, VERBOSE) SELECT visage.present_factor($session, 'password', '$guess')");
must_fail('arguments in the wrong order', "SELECT visage.present_factor($session, '$password', 'password')");
must_fail('an unknown session', "SELECT visage.present_factor('$password', 'password', 'x')");
must_fail('a secret that is none', "SELECT visage.enrol_factor('bob', 'certificate', '$password')");
must_fail('a TOTP secret that is none', "SELECT visage.replace_factor('bob', 'totp', '${base32}1')");
must_fail('a syntax error', "SELECT FROM FROM visage.present_factor($session, 'password', '$password')");
must_fail('cancelled', "SET statement_timeout = '100ms'; SELECT visage.present_factor($session, 'password', '$guess'), pg_sleep(60)");
for my $mode ('extended', 'prepared') {
  my $script = write_file($node->basedir . '/script.sql', "SELECT visage.present_factor($session, 'password', :guess);");
  my ($out, $error);
  ok(IPC::Run::run([ 'pgbench', '-n', '-t', 1, '-M', $mode, '-D', "guess=$guess", '-f', $script, $node->connstr('postgres') ],
      '>', \$out, '2>', \$error), "a parameter ($mode)") or diag($error);
}
is($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_statements WHERE query ~ 'Drachen|JVQXE23F'}), 0, 'pg_stat_statements has none');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM pg_stat_statements WHERE query ~ 'present_factor'}), '>=', 3, '… but has the statements');

# Killed while it hashes: the report of the crash quotes what ran.
$node->safe_psql('postgres', 'UPDATE visage.factor_policy SET password_cost = 16');
my $victim = $node->background_psql('postgres');
my $pid = $victim->query_safe('SELECT pg_backend_pid()');
$victim->query_until(qr/started/, "\\echo started\nSELECT visage.replace_factor('alice', 'password', '$password') FROM generate_series(1, 100);\n");
$node->poll_query_until('postgres', "SELECT state = 'active' AND query ~ 'replace_factor' FROM pg_stat_activity WHERE pid = $pid");
kill KILL => $pid;
wait_until(sub { is_up($node) && !kill 0, $pid }, 'the restart after the crash');
{ local $SIG{PIPE} = 'IGNORE'; eval { $victim->quit }; }

my $dump = $node->basedir . '/dump.sql';
$node->command_ok([ 'pg_dump', '-f', $dump, $node->connstr('postgres') ], 'a dump');
like(slurp_file($dump), qr/COPY visage\.factor .*\n[0-9a-f-]{36}/, '… has the factors');
$node->safe_psql('postgres', 'CHECKPOINT');
my @files = files_below($node->data_dir);
cmp_ok(scalar(grep { m{/pg_wal/} } @files), '>=', 1, 'the write-ahead log is searched');
for my $format (qw(log csv json)) { ok(scalar(grep { m{/log/.*\.$format$} } @files), "so are logs as $format"); }
my $logs = join '', map { slurp_file($_) } grep { m{/log/.*\.log$} } @files;
cmp_ok(scalar(() = $logs =~ /text withheld because it may hold a secret/g), '>=', 10, 'statements were logged, withheld');
like($logs, qr/was terminated by signal 9/, 'the crash was logged');
my @hits = find_in_files($marker, @files, $dump, $node->logfile);
is_deeply(\@hits, [], 'no password, no secret and no hash anywhere [6.6e, 8.2.4c]')
  or diag(map { my $text = slurp_file($_); $text =~ /([^\n]{0,300})($marker)/s ? "$_: $1\n" : () } @hits);

# The search itself can fail.
$node->safe_psql('postgres', "CREATE TABLE careless AS SELECT crypt('x', gen_salt('bf', 8)) AS hash, '$password' AS password, convert_to('$raw', 'UTF8') AS secret; CHECKPOINT");
for my $form ([ 'a hash', $bcrypt ], [ 'a password', quotemeta $password ], [ 'a secret', $raw ]) {
  my @found = find_in_files(qr/$form->[1]/, files_below($node->data_dir));
  ok((grep { m{/base/} } @found) && (grep { m{/pg_wal/} } @found), "control: $form->[0] in clear is found in heap and WAL");
}
$node->stop;

done_testing();
