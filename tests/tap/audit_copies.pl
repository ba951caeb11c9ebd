# Copies made while verdicts are given: dump and restore, base backup, standby. The ledger verifies on each against what
# was handed out before, goes on there, and an older copy put in the place of the newer is found. [6.5c, 8.2.4f, 8.2.5b]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Auditor;
use Ledger;
use Load;
use Visage;

my $node = new_server('copies', init => { allows_streaming => 1 });
$node->start;
build_auditor($node->basedir);
load_fixture($node);
lift_limits($node);
load_faces($node, 'alice', 'bob');
my %good = Visage::preloaded($node);

sub value { my ($server, $sql, $database) = @_; return $server->safe_psql($database // 'postgres', $sql); }
my $key = 'key ' . value($node, 'SELECT visage.ledger_public_key()');
my $load = Load->start($node, 'load', 4);
$load->wait_for_more(50);
my $before = value($node, 'SELECT visage.checkpoint()');
my %dump = map { $_ => $node->basedir . "/dump.$_" } 'plain', 'custom', 'directory';
$node->command_ok([ 'pg_dump', '-Fp', '-d', $node->connstr('postgres'), '-f', $dump{plain} ], 'pg_dump under load, plain');
$node->command_ok([ 'pg_dump', '-Fc', '-d', $node->connstr('postgres'), '-f', $dump{custom} ], '… custom');
$node->command_ok([ 'pg_dump', '-Fd', '-j2', '-d', $node->connstr('postgres'), '-f', $dump{directory} ], '… two jobs');
my $soon = value($node, 'SELECT visage.checkpoint()');
$node->backup('base', backup_options => ['--checkpoint=fast']);
$node->command_ok([ 'pg_verifybackup', $node->backup_dir . '/base' ], 'pg_basebackup under load');
$load->wait_for_more(50);
my @told = $load->stop;
my $after = value($node, 'SELECT visage.checkpoint()');
my $size = read_note($after)->{size};
cmp_ok($size, '>', read_note($before)->{size} + 50, 'the ledger grew meanwhile');

# Is what the copy signs the beginning of what was handed out here later? The judge is a public one, the proof ours.
sub beginning_of_ours {
  my ($note, $name) = @_;
  local $Test::Builder::Level = $Test::Builder::Level + 1;
  my @answers = ask_auditor($key, note_question($note), note_question($after), tree_questions($node, map { read_note($_)->{size} } $note, $after));
  return is("@answers", 'ok ok ok ok ok ok', $name);
}

# A restored database goes on: it is the same ledger, and another one from its next event on.
my $restored = new_server('restored');
configure($restored, %good);
$restored->start;
for my $kind ('plain', 'custom', 'directory') {
  value($restored, "CREATE DATABASE $kind");
  $restored->command_ok($kind eq 'plain' ? [ 'psql', '-Xq', '-v', 'ON_ERROR_STOP=1', '-o', '/dev/null', '-d', $restored->connstr($kind), '-f', $dump{$kind} ]
    : [ 'pg_restore', '-e', '-d', $restored->connstr($kind), $dump{$kind} ], "$kind: restored");
  verifies($restored, $before, "$kind: verifies against what was handed out before the dump", $kind);
  like(faults_of($restored, $after, $kind), qr/^\d+ truncated$/, "$kind: is shorter than what was handed out after it");
  beginning_of_ours(value($restored, 'SELECT visage.checkpoint()', $kind), "$kind: is the beginning of the ledger");
}
serve($restored, 'directory');
verdict_is($restored, 'alice', 'accept OK', 'with the keys it goes on', database => 'directory');
all_settled($restored, 'directory');
verifies($restored, $before, '… and verifies', 'directory');
my $missing = read_note($soon)->{size} + 5 - events_of($restored, 'directory');
value($restored, "SELECT count(visage.verify('alice', fresh())) FROM generate_series(1, $missing)", 'directory');
verifies($restored, undef, 'grown past the other it looks well by itself', 'directory');
like(faults_of($restored, $soon, 'directory'), qr/not the checkpoint's/, '… and against the kept checkpoint it is found');
$restored->stop;

# A base backup recovers to a later moment than it was begun at. Put in the place of the server it came from, an older
# one is found by whatever was handed out since.
my $recovered = PostgreSQL::Test::Cluster->new('recovered');
$recovered->init_from_backup($node, 'base');
$recovered->start;
$recovered->poll_query_until('postgres', q{SELECT state = 'ready' FROM visage.audit_status});
all_settled($recovered);
verifies($recovered, $before, 'a base backup verifies');
like(faults_of($recovered, $after), qr/truncated|not the checkpoint's/, '… an older one in the place of the newer is found');
verdict_is($recovered, 'bob', 'accept OK', 'and goes on');
verifies($recovered, $before, '… and verifies');
$missing = $size + 5 - events_of($recovered);
value($recovered, "SELECT count(visage.verify('alice', fresh())) FROM generate_series(1, $missing)") if $missing > 0;
verifies($recovered, undef, 'grown past the other it looks well by itself');
like(faults_of($recovered, $after), qr/not the checkpoint's/, '… and against the kept checkpoint it is found');
$recovered->stop;

# A standby verifies what it has, without writing anything.
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
all_settled($node);
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert'));
verifies($standby, $_, 'a standby verifies') for undef, $before, $after;
my $there = value($standby, 'SELECT visage.checkpoint()');
is((ask_auditor($key, note_question($there)))[1], 'ok', '… and hands out a signed checkpoint');
cmp_ok(read_note($there)->{size}, '>=', $size, '… of the whole ledger');
is(scalar(grep { $_ ne 'ok' } ask_auditor($key, note_question($there), record_questions($standby, 0, read_note($there)->{size}, 0, 17, $size - 1))), 0,
  '… with proofs');
$standby->stop;
Load::all_recorded($node, @told);

# Thrown away and begun anew under the same name and key, it is another ledger.
value($node, 'SET client_min_messages = warning; DROP EXTENSION pg_visage CASCADE; DROP SCHEMA fixture CASCADE; DROP EXTENSION pgcrypto CASCADE;
  DROP SCHEMA IF EXISTS visage CASCADE; DROP TABLE face');
load_fixture($node);
lift_limits($node);
load_faces($node, 'alice', 'bob');
is('key ' . value($node, 'SELECT visage.ledger_public_key()'), $key, 'a ledger begun anew has the same name and key');
verifies($node, undef, '… looks well by itself');
like(faults_of($node, $before), qr/truncated/, '… and is found by what was kept');
value($node, "SELECT count(visage.verify('alice', fresh())) FROM generate_series(1, " . (read_note($before)->{size} + 5) . ')');
like(faults_of($node, $before), qr/not the checkpoint's/, '… grown past it as well');
$node->stop;

done_testing();
