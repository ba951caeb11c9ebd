# Keys: how a server starts with them, what it says when it cannot, and where they never are.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('keys');
my $keys = $node->basedir . '/keys';
my %good = Visage::preloaded($node);
my ($root, $other) = (random_key(), random_key());

# Any 8 bytes of a key in hex, in either case: what no log may hold.
sub hex_pattern {
  # Both cases spelled out: a case-blind pattern of this size takes minutes on a data directory.
  my @parts = map { my $hex = $_; map { substr $hex, 2 * $_, 16 } 0 .. length($hex) / 2 - 8 } @_;
  my $parts = join '|', @parts, map { uc } @parts;
  return qr/$parts/;
}

# A server with a bad configuration does not start, and says so once, with the next thing to do.
sub refuses {
  my ($name, $provider, $message, $hint) = @_;
  configure($node, %good, 'visage.key_provider' => $provider, 'visage.transform_key_provider' => '');
  my $log = start_fails($node);
  return fail("$name: the server started") if !defined $log;
  my $fatal = () = $log =~ /FATAL: /g;
  ok($fatal == 1 && $log =~ /FATAL:  \w+: visage\.key_provider: $message/ && $log =~ /HINT: .*$hint/,
    "$name: one error with a hint")
    or diag($log);
  unlike($log, hex_pattern($root, $other), "$name: no key in the log");
  return;
}

sub key_file { my ($name, @lines) = @_; return 'file:' . write_file("$keys/$name", @lines); }

refuses('unknown scheme', "vault:$keys/envelope", 'no such provider: "vault:', 'Use file:<path> or command:<argv>');
refuses('no scheme', "$keys/envelope", 'no such provider', 'Use file:<path> or command:<argv>');
refuses('missing file', "file:$keys/nowhere", 'could not read key file .*nowhere": No such file',
  'openssl rand -hex 32');
refuses('directory', "file:$keys", '".*" is not a regular file', 'Use a file, or command');
my $open_file = key_file('open', "1 $root");
for my $mode (0644, 0640, 0604, 0660) {
  chmod $mode, "$keys/open";
  refuses(sprintf('file of mode %o', $mode), $open_file, 'key file ".*open" can be read by others', 'chmod 0600');
}
refuses('empty file', key_file('empty'), 'no key', 'openssl rand -hex 32');
refuses('only comments', key_file('comments', '# none yet', ''), 'no key', 'openssl rand -hex 32');
refuses('short key', key_file('short', '1 ' . substr($root, 0, 62)), 'line 1: key has 31 bytes, at least 32',
  'openssl rand -hex 32');
refuses('long key', key_file('long', "1 $root$root$root"), 'line 1: key has 96 bytes, at most 64',
  'openssl rand -hex 32');
refuses('odd number of digits', key_file('odd', "1 ${root}a"), 'line 1: odd number of hex digits',
  'openssl rand -hex 32');
refuses('not hex', key_file('nothex', '# made by hand', '1 ' . substr($root, 2) . 'xy'),
  'line 2: key is not hexadecimal', 'openssl rand -hex 32');
refuses('key without a version', key_file('bare', $root), 'line 1: expected', 'openssl rand -hex 32');
refuses('version 0', key_file('zero', "0 $root"), 'line 1: version must be a number', 'openssl rand -hex 32');
refuses('duplicate version', key_file('twice', "1 $root", "1 $other"), 'line 2: version 1 appears twice',
  'openssl rand -hex 32');
refuses('one repeated byte', key_file('repeated', '1 ' . '5a' x 32), 'line 1: key is one repeated byte',
  'openssl rand -hex 32');
refuses('zeros', key_file('zeros', '1 ' . '00' x 32), 'line 1: key is one repeated byte', 'openssl rand -hex 32');
refuses('endless file', key_file('endless', map { "$_ $root" } 1 .. 500), '.*longer than \d+ bytes', 'one line a key');

refuses('failing command', "command:cat $keys/envelope; exit 3", 'the key command failed', 'Run it by hand');
refuses('missing command', 'command:no-such-program-of-ours', 'the key command failed', 'Run it by hand');
refuses('silent command', 'command:true', 'no key', 'openssl rand -hex 32');
key_file('source', "1 $root");
refuses('command that prints too much', "command:yes 1 $root", 'the key command printed more than \d+ bytes',
  'one line a key');

SKIP: {
  # Made by tests/check-tap when it runs as root: readable by us, owned by somebody else.
  skip 'only root can make a file of another user', 3 if !defined $ENV{VISAGE_FOREIGN_KEYS};
  refuses('file of another user', "file:$ENV{VISAGE_FOREIGN_KEYS}/foreign",
    'key file ".*foreign" can be read by others or belongs to another user', 'chown');
  configure($node, %good, 'visage.key_provider' => "file:$ENV{VISAGE_FOREIGN_KEYS}/root_group");
  ok($node->start(fail_ok => 1), "root's file, readable by our group, is accepted as for ssl_key_file") && $node->stop;
}

# The second custody is named when it is the one that fails.
configure($node, %good, 'visage.transform_key_provider' => 'file:/nowhere/transform');
like(start_fails($node) // 'started', qr/FATAL:  \w+: visage\.transform_key_provider: could not read key file/,
  'the transform custody is named');

# Without preload, and without a provider, the server runs; what needs keys says what is missing.
configure($node, %good);
$node->start;
load_fixture($node);
verdict_is($node, 'alice', 'accept OK', 'registered', flow => 'register');
$node->stop;

configure($node);
$node->start;
my $error = fails($node, q{SELECT visage.seal_probe(fixture.feature('alice', 1), 'test/1', 0.9, 'fixture')}, '55000',
  qr/pg_visage is not preloaded/, 'without preload a call fails');
like($error, qr/HINT:  Add pg_visage to shared_preload_libraries/, '… and says what to add');
fails($node, 'SELECT * FROM visage.keys', '55000', qr/pg_visage is not preloaded/, 'without preload there are no keys to show');
fails($node, 'SELECT visage.reload_keys()', '55000', qr/pg_visage is not preloaded/, '… nor to reload');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.references_for_calibration() r WHERE r.reference::text IS NOT NULL'),
  1, 'without preload stored references can be read as text');
$node->stop;

configure($node, shared_preload_libraries => 'pg_visage');
my $offset = log_size($node);
$node->start;
like(log_since($node, $offset), qr/LOG:  \w+: visage\.key_provider is not set/, 'without a provider the start says so');
$error = fails($node, q{SELECT visage.seal_probe(fixture.feature('alice', 1), 'test/1', 0.9, 'fixture')}, 'VG003',
  qr/visage\.key_provider is not set/, 'without a provider a call fails');
like($error, qr/HINT:  Set visage\.key_provider/, '… and says what to set');
$node->stop;

# A command is as good as a file.
configure($node, %good, 'visage.key_provider' => "command:cat $keys/envelope");
$node->start;
verdict_is($node, 'alice', 'accept OK', 'keys from a command open what keys from a file sealed');
$node->stop;

# Split custody: neither half alone verifies; the transform half has its own rows in visage.keys.
configure($node, %good, 'visage.transform_key_provider' => key_file('stranger', '1 ' . random_key()));
$node->start;
fails($node, q{SELECT visage.verify('alice', fixture.probe('alice', 1))}, 'VG001', qr/transform key version 1/,
  'another transform root opens nothing [6.6h]');
$node->stop;

# Rotation: a version is added to the provider and loaded without a restart.
my ($first) = slurp_file("$keys/envelope") =~ /^1 (\w+)/;
my $second = random_key();
configure($node, %good);
$node->start;
is($node->safe_psql('postgres', 'SELECT visage.reload_keys()'), 0, 'nothing new to load');
write_file("$keys/envelope", "1 $first", "2 $second");
is($node->safe_psql('postgres', 'SELECT visage.reload_keys()'), 1, 'a reload finds the new version');
verdict_is($node, 'alice', 'accept OK', 'what the old version sealed still opens');
verdict_is($node, 'bob', 'accept OK', 'a new subject is sealed', flow => 'register');
$node->safe_psql('postgres', q{SELECT visage.add_capture_source('second')});
is($node->safe_psql('postgres',
    q{SELECT string_agg(concat_ws(' ', version, loaded, newest, subject_keys, subject_references, capture_sources), ', ' ORDER BY version)
      FROM visage.keys WHERE custody = 'envelope'}),
  '1 t f 1 1 1, 2 t t 1 1 1', 'visage.keys shows both versions and what depends on each');
is($node->safe_psql('postgres', q{SELECT string_agg(concat_ws(' ', version, ledger_keys, keyed_hashes), ', ' ORDER BY version)
      FROM visage.keys WHERE custody = 'envelope'}), '1 1 t, 2 0 f', '… the ledger, counters and hashes as well');
is($node->safe_psql('postgres', q{SELECT caller || ': ' || note FROM visage.history WHERE object = 'keys'}),
  $node->safe_psql('postgres', 'SELECT current_user') . ': envelope 1, envelope 2, transform 1',
  'that versions were loaded is an event [8.1.4a]');

# A reload disturbs nobody who is in the middle of a call.
$node->safe_psql('postgres', "CREATE TABLE face AS SELECT fixture.feature('alice', 7) AS feature");
my %script = (
  reload => 'SELECT visage.reload_keys();',
  verify => q{SELECT (visage.verify('alice', visage.seal_probe(feature, 'test/1', 0.9, 'fixture',
    '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}'))).decision FROM face;});
my ($reloads, $verifications) = map {
  my ($name, $count) = @$_;
  my $file = write_file($node->basedir . "/$name.sql", $script{$name} =~ s/\n/ /gr);
  IPC::Run::start([ 'pgbench', '-n', '-c', 1, '-t', $count, '-f', $file, $node->connstr('postgres') ], '>&', \my $output);
} [ 'reload', 20000 ], [ 'verify', 500 ];
my @succeeded = map { $_->finish ? 'yes' : 'no' } $verifications, $reloads;
is_deeply(\@succeeded, [ 'yes', 'yes' ], 'verifications beside reloads all succeed');

# A reload never loses a version, and a refused one changes nothing.
for my $case (['vanished', "2 $second"], ['changed', "1 $other", "2 $second"]) {
  my ($what, @lines) = @$case;
  write_file("$keys/envelope", @lines, '3 ' . random_key());
  fails($node, 'SELECT visage.reload_keys()', '55006', qr/envelope key version 1 is missing from the provider or has changed/,
    "a reload is refused when a version has $what");
  verdict_is($node, 'alice', 'accept OK', '… and the loaded keys stay');
  is($node->safe_psql('postgres', q{SELECT max(version) FROM visage.keys}), 2, '… all of them');
}
write_file("$keys/envelope", 'nonsense');
fails($node, 'SELECT visage.reload_keys()', 'F0000', qr/visage\.key_provider: line 1/, 'a reload of nonsense is refused');
verdict_is($node, 'alice', 'accept OK', '… and the loaded keys stay');
$node->stop;

# A restart takes what the provider says; what depends on a missing version says so.
write_file("$keys/envelope", "2 $second");
$node->start;
my $probe = q{visage.seal_probe(fixture.feature('%s', 3), 'test/1', 0.9, 'second',
  '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}')};
fails($node, q{SELECT visage.verify('bob', fixture.probe('bob', 3))}, 'VG002', qr/key version 1/,
  "a capture source whose key's version is missing cannot seal");
fails($node, "SELECT visage.verify('alice', " . sprintf($probe, 'alice') . ')', 'VG002', qr/key version 1/,
  'a subject whose version is missing cannot be verified');
# So does the ledger, until its key is rotated.
$error = fails($node, "SELECT visage.verify('bob', " . sprintf($probe, 'bob') . ')', 'VG005', qr/version 1 is not loaded/,
  'there is no verdict while the ledger cannot be signed');
$node->safe_psql('postgres', 'SELECT visage.rotate_ledger_key()');
is($node->safe_psql('postgres', "SELECT fixture.verdict(visage.verify('bob', " . sprintf($probe, 'bob') . '))'),
  'accept OK', 'others can');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.verify_ledger()'), 0, 'the ledger verifies across the change of its key');
is($node->safe_psql('postgres',
    q{SELECT concat_ws(' ', loaded, subject_keys, subject_references, capture_sources) FROM visage.keys
      WHERE custody = 'envelope' AND version = 1}),
  'f 1 1 1', 'visage.keys shows the version that is needed and missing');
$node->stop;

write_file("$keys/envelope", "1 $other", "2 $second");
$node->start;
fails($node, "SELECT visage.verify('alice', " . sprintf($probe, 'alice') . ')', 'VG001', qr/./,
  'another key under the same version opens nothing');
$node->stop;
write_file("$keys/envelope", "1 $first", "2 $second");
$node->start;
verdict_is($node, 'alice', 'accept OK', 'with the right keys back, it does');

# In memory: one mapping, shared, locked and left out of core dumps.
my $pid = (split /\n/, slurp_file($node->data_dir . '/postmaster.pid'))[0];
my @mappings = slurp_file("/proc/$pid/smaps") =~ /^([0-9a-f]+-[0-9a-f]+ .*\n(?:[A-Z]\w+:.*\n)+)/mg;
my @protected = grep { /^VmFlags:(?=.* lo\b)(?=.* dd\b)(?=.* sh\b)/m } @mappings;
is(scalar @protected, 1, 'one shared mapping of the postmaster is locked and excluded from dumps [6.6h]');
my ($locked_from, $locked_to) = map { hex } $protected[0] =~ /^([0-9a-f]+)-([0-9a-f]+)/;

# Addresses in a process where a root key's bytes stand; undef when its memory cannot be read.
sub addresses_of_keys {
  my ($process) = @_;
  my $pattern = join '|', map { quotemeta pack 'H*', substr $_, 0, 32 } $first, $second,
    slurp_file("$keys/transform") =~ /^1 (\w+)/;
  my @found;
  open my $memory, '<:raw', "/proc/$process/mem" or return;
  for my $line (split /\n/, slurp_file("/proc/$process/maps")) {
    my ($from, $to) = $line =~ /^([0-9a-f]+)-([0-9a-f]+) r/ or next;
    ($from, $to) = (hex $from, hex $to);
    next if $line =~ /\[v(var|syscall)/ || !sysseek $memory, $from, 0;
    my $content = '';
    my $rest = $to - $from;
    while ($rest > 0) {
      my $part = sysread $memory, $content, $rest, length $content or last;
      $rest -= $part;
    }
    push @found, $from + pos($content) - 16 while $content =~ /$pattern/gs;
  }
  return \@found;
}

my $session = $node->background_psql('postgres');
my $backend = $session->query_safe('SELECT pg_backend_pid()');
$session->query_safe(q{SELECT visage.verify('alice', fixture.probe('alice', 4))});
$session->query_safe('SELECT visage.reload_keys()');
for my $process ([ $pid, 'postmaster' ], [ $backend, 'backend that verified and reloaded' ]) {
SKIP: {
    my $found = addresses_of_keys($process->[0]);
    skip "the memory of the $process->[1] cannot be read here", 2 if !defined $found;
    cmp_ok(scalar(grep { $_ >= $locked_from && $_ < $locked_to } @$found), '>=', 3, "$process->[1]: the keys are in that mapping");
    is(scalar(grep { $_ < $locked_from || $_ >= $locked_to } @$found), 0, "$process->[1]: and nowhere else");
  }
}
$session->quit;

# On disk: nowhere below the data directory, with its write-ahead log, in the log, in a dump, or in a setting.
$node->safe_psql('postgres', 'CHECKPOINT');
$node->safe_psql('postgres', "CREATE TABLE control AS SELECT 'control-" . unpack('H*', 'searched') . "'::text AS found; CHECKPOINT");
$node->run_log([ 'pg_dump', '-d', $node->connstr('postgres'), '-f', $node->basedir . '/dump.sql' ]);
write_file($node->basedir . '/settings.txt', $node->safe_psql('postgres', 'SELECT s FROM pg_settings s'));
my @files = (files_below($node->data_dir), glob($PostgreSQL::Test::Utils::log_path . '/keys_keys*.log'), $node->basedir . '/dump.sql', $node->basedir . '/settings.txt');
cmp_ok(scalar find_in_files(qr/control-7365617263686564/, @files), '>=', 3, 'the search finds what is there: heap, log of writes, dump');
my @roots = ($first, $second, $root, $other, slurp_file("$keys/transform") =~ /^1 (\w+)/);
my $raw = join '|', map { my $bytes = pack 'H*', $_; map { quotemeta substr $bytes, $_, 8 } 0 .. length($bytes) - 8 } @roots;
is_deeply([ find_in_files(qr/$raw/s, @files) ], [], 'no 8 bytes of a root key on disk [8.2.4c, 6.5c]');
is_deeply([ find_in_files(hex_pattern(@roots), @files) ], [], '… nor their hex');
$node->stop;

done_testing();
