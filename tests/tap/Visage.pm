# What the server tests share: servers with keys of their own, the fixture's people, and searches for what must
# not be found.
package Visage;

use strict;
use warnings;

use Exporter 'import';
use File::Basename qw(dirname);
use File::Find ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

our @EXPORT = qw(random_key write_file new_server configure start_fails log_size log_since load_fixture fails
  load_faces lift_limits log_everything kill_postmaster hold is_up verdict verdict_is serve all_settled files_below find_in_files wait_until);

my $tests = dirname(dirname(__FILE__));

# The hex of a fresh root key.
sub random_key {
  open my $source, '<:raw', '/dev/urandom' or die "no random numbers: $!";
  read($source, my $bytes, 32) == 32 or die 'no random numbers';
  return unpack 'H*', $bytes;
}

# Writes lines to a file that only we can read; returns its path.
sub write_file {
  my ($path, @lines) = @_;
  my $mask = umask 077;
  open my $file, '>:raw', $path or die "$path: $!";
  print $file map { "$_\n" } @lines;
  close $file or die "$path: $!";
  umask $mask;
  return $path;
}

# Sets what `configure` set before to these settings; takes effect with the next start.
sub configure {
  my ($node, %settings) = @_;
  write_file($node->data_dir . '/visage.conf', map { "$_ = '$settings{$_}'" } sort keys %settings);
  return;
}

# A cluster, not started, with its own keys in <basedir>/keys. Options: init => arguments of init().
sub new_server {
  my ($name, %options) = @_;
  my $node = PostgreSQL::Test::Cluster->new($name);
  $node->init(extra => [ '--encoding=UTF8', '--no-locale' ], %{ $options{init} // {} });
  # A crash test needs the restart that the framework switches off.
  $node->append_conf('postgresql.conf',
    "restart_after_crash = on\nlog_statement = none\nlog_error_verbosity = verbose\ninclude_if_exists = 'visage.conf'\n");
  my $keys = $node->basedir . '/keys';
  mkdir $keys, 0700 or die "$keys: $!";
  write_file("$keys/envelope",  '1 ' . random_key());
  write_file("$keys/transform", '1 ' . random_key());
  configure($node, preloaded($node));
  return $node;
}

# The settings of a server that works, to be changed by a test.
sub preloaded {
  my ($node) = @_;
  my $keys = $node->basedir . '/keys';
  return (
    'shared_preload_libraries' => 'pg_visage',
    'visage.key_provider' => "file:$keys/envelope",
    'visage.transform_key_provider' => "file:$keys/transform",
    # It re-wraps and erases when a test asks for it.
    'visage.keeper' => 'off');
}

# All that can be logged, in all formats. What operations.md asks for is there too: track_utility off, because
# pg_stat_statements keeps the text of utility statements as it is. For a server that has not started.
sub log_everything {
  my ($node) = @_;
  $node->append_conf('postgresql.conf', <<'CONF');
logging_collector = on
log_destination = 'stderr,csvlog,jsonlog'
log_statement = all
log_duration = on
log_min_duration_statement = 0
log_min_messages = debug1
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
debug_print_parse = on
debug_print_plan = on
track_activity_query_size = 16kB
auto_explain.log_min_duration = 0
auto_explain.log_analyze = on
auto_explain.log_verbose = on
auto_explain.log_nested_statements = on
pg_stat_statements.track = all
pg_stat_statements.track_utility = off
CONF
  configure($node, preloaded($node), 'shared_preload_libraries' => 'pg_visage,auto_explain,pg_stat_statements');
  return;
}

# Installs the extension and the fixture that the SQL tests use, from their own file.
sub load_fixture {
  my ($node, $database) = @_;
  my ($status, $out, $error) =
    $node->psql($database // 'postgres', slurp_file("$tests/sql/install.sql"));
  die "fixture: $error" if $status != 0;
  return;
}

# Registers people and keeps a feature of each, because making one takes longer than a verification:
# fresh('alice') is a probe of alice as of now.
sub load_faces {
  my ($node, @people) = @_;
  my $names = join ', ', map { "'$_'" } @people;
  $node->safe_psql('postgres', <<"SQL");
CREATE TABLE face AS SELECT person, fixture.feature(person, 7) AS feature FROM unnest(ARRAY[$names, 'mallory']) person;
CREATE FUNCTION fresh(person text DEFAULT 'alice') RETURNS visage.probe LANGUAGE sql VOLATILE AS \$\$
  SELECT visage.seal_probe(f.feature, 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}')
  FROM public.face f WHERE f.person = \$1
\$\$;
SELECT visage.register(person, fixture.probe(person, 1)) FROM unnest(ARRAY[$names]) person;
SQL
  return;
}

# Its children notice by themselves, in their own time; until then the shared memory is in use.
sub kill_postmaster {
  my ($node) = @_;
  my ($pid) = slurp_file($node->data_dir . '/postmaster.pid') =~ /^(\d+)/;
  my $memory = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[6];
  my ($segment) = $memory =~ /(\d+)\s*$/;
  $node->kill9;
  wait_until(sub { !kill 0, $pid }, 'the end of the postmaster');
  wait_until(sub { slurp_file('/proc/sysvipc/shm') !~ /^\s*\d+\s+$segment\s+\d+\s+\d+\s+\d+\s+\d+\s+[1-9]/m }, 'the end of its children');
  return;
}

# Stops a worker until SIGCONT, where it rests: elsewhere it could have a lock that all others need.
sub hold {
  my ($node, $pid) = @_;
  wait_until(sub {
      kill STOP => $pid;
      return 1 if $node->safe_psql('postgres', "SELECT wait_event_type = 'Extension' FROM pg_stat_activity WHERE pid = $pid") eq 't';
      kill CONT => $pid;
      return 0;
    }, 'a worker that rests');
  return;
}

# Whether it answers. One that still begins or already ends may hang up before it has read the question, and that throws.
sub is_up {
  my ($node, $sql) = @_;
  return (eval { $node->psql('postgres', $sql // 'SELECT 1') } // 1) == 0;
}

# Attempts are counted still, and lock nobody.
sub lift_limits {
  my ($node) = @_;
  $node->safe_psql('postgres', q{UPDATE visage.attempt_limit SET free_failures = NULL, first_delay = NULL, max_delay = NULL,
    hard_stop = CASE WHEN kind = 'subject' THEN 1000000000 END, period_failures = NULL, period = NULL});
  return;
}

sub log_size { my ($node) = @_; return -s $node->logfile // 0; }
sub log_since { my ($node, $offset) = @_; return slurp_file($node->logfile, $offset); }

# Starts a server that must not start; returns what it logged, or undef if it started after all.
sub start_fails {
  my ($node) = @_;
  $node->rotate_logfile;
  if ($node->start(fail_ok => 1)) { $node->stop; return; }
  return slurp_file($node->logfile);
}

# The statement must fail with this SQLSTATE and a message like this.
sub fails {
  my ($node, $sql, $sqlstate, $message, $name, %options) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my ($status, $out, $error) =
    $node->psql($options{database} // 'postgres', "\\set VERBOSITY verbose\n$sql");
  ok($status != 0 && $error =~ /ERROR:  $sqlstate: / && $error =~ $message, $name)
    or diag("status $status, output: $out, error: $error");
  return $error;
}

# Decision and reason of a verification with a fresh sample of a person (of the subject itself by default).
sub verdict {
  my ($node, $subject, %options) = @_;
  my $person = $options{person} // $subject;
  my $flow = $options{flow} // 'verify';
  return $node->safe_psql($options{database} // 'postgres',
    "SELECT fixture.verdict(visage.$flow('$subject', fixture.probe('$person', 7)))");
}

sub verdict_is {
  my ($node, $subject, $expected, $name, %options) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  return is(verdict($node, $subject, %options), $expected, $name);
}

# Has the audit writer keep this database's ledger; returns when it does.
sub serve {
  my ($node, $database) = @_;
  $node->safe_psql('postgres', "ALTER SYSTEM SET visage.database = '$database'");
  $node->reload;
  $node->poll_query_until($database, q{SELECT state = 'ready' AND database = current_database() FROM visage.audit_status})
    or die "no audit writer for $database";
  return;
}

# Waits until the end of every transaction that an event names is recorded.
sub all_settled {
  my ($node, $database) = @_;
  $node->poll_query_until($database // 'postgres', q{SELECT NOT EXISTS (SELECT FROM visage.event e WHERE e.xid IS NOT NULL
    AND NOT EXISTS (SELECT FROM visage.event s WHERE s.settles = e.seq))}) or die 'a transaction is not settled';
  return;
}

# Every regular file below these paths.
sub files_below {
  my @files;
  File::Find::find({ no_chdir => 1, wanted => sub { push @files, $_ if -f $_ } }, @_);
  return @files;
}

# Which of the files hold a match of the pattern, which is of bytes. A file may vanish while a server runs.
sub find_in_files {
  my ($pattern, @files) = @_;
  my @hits;
  for my $path (@files) {
    open my $file, '<:raw', $path or next;
    local $/;
    my $content = <$file> // '';
    push @hits, $path if $content =~ $pattern;
  }
  return @hits;
}

# Calls until it returns true; dies after the framework's timeout.
sub wait_until {
  my ($condition, $what) = @_;
  my $end = time + $PostgreSQL::Test::Utils::timeout_default;
  until ($condition->()) {
    die "waited too long: $what" if time > $end;
    select undef, undef, undef, 0.05;
  }
  return;
}

1;
