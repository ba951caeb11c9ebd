# Faults: killed and cancelled backends, absurd arguments, and every byte of what is stored or handed in, altered. The
# server goes on, and nothing is ever accepted that should not be.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('faults');
configure($node, Visage::preloaded($node));
$node->start;
load_fixture($node);
# An attempt that ends in an error counts as failed, and there are thousands here.
$node->safe_psql('postgres', 'UPDATE visage.attempt_limit SET free_failures = NULL, first_delay = NULL, max_delay = NULL, hard_stop = NULL, period_failures = NULL, period = NULL');
verdict_is($node, $_, 'accept OK', "$_ is registered", flow => 'register') for 'alice', 'bob';
# One probe a call: features are made beforehand, because making them takes longer than a verification.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE face AS SELECT person, fixture.feature(person, 7) AS feature FROM unnest(ARRAY['alice', 'bob', 'mallory']) person;
CREATE FUNCTION fresh(person text DEFAULT 'alice') RETURNS visage.probe LANGUAGE sql VOLATILE AS $$
  SELECT visage.seal_probe(f.feature, 'test/1', 0.9, 'fixture', '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 80}')
  FROM face f WHERE f.person = $1
$$;
CREATE PROCEDURE verify_for_ever() LANGUAGE plpgsql AS $$
DECLARE
  outcome visage.outcome;
BEGIN
  LOOP
    outcome := visage.verify('alice', fresh());
    IF outcome.decision <> 'accept' THEN RAISE EXCEPTION '%', outcome; END IF;
    COMMIT;
  END LOOP;
END $$;
SQL

sub good { my ($name) = @_; local $Test::Builder::Level = $Test::Builder::Level + 1; return verdict_is($node, 'alice', 'accept OK', $name); }
sub events { return $node->safe_psql('postgres', 'SELECT count(*) FROM visage.event'); }

# A backend dies amid verifications. All backends restart; the keys stay, because the postmaster holds them.
my $before = events();
my $loop = $node->background_psql('postgres');
my $pid = $loop->query_safe('SELECT pg_backend_pid()');
$loop->query_until(qr/started/, "\\echo started\nCALL verify_for_ever();\n");
wait_until(sub { events() >= $before + 50 }, 'verifications');
kill KILL => $pid;
wait_until(sub { !kill 0, $pid }, 'the end of the backend');
wait_until(sub { is_up($node) }, 'the restart');
{ local $SIG{PIPE} = 'IGNORE'; eval { $loop->quit }; }
cmp_ok(events(), '>=', $before + 50, 'what was committed before the crash is there');
is($node->safe_psql('postgres', q{SELECT count(*) FROM visage.history WHERE decision = 'accept' AND operation = 'verify' AND subject IS NULL}), 0,
  'no event is half there');
good('after a crash verifications go on');

# Cancelled and timed out, often, in one session: what a call holds is given back each time.
my $session = $node->background_psql('postgres', on_error_stop => 0);
my $cancelled = 0;
for my $round (1 .. 12) {
  my ($out, $failed) = $session->query("SET statement_timeout = '${round}0ms'; CALL verify_for_ever()");
  ++$cancelled if $session->{stderr} =~ /canceling statement due to statement timeout/;
  # Which is under that limit as well.
  wait_until(sub { $session->{stderr} = ''; $session->query('SET statement_timeout = 0'); $session->{stderr} eq '' }, 'the end of the limit');
}
is($cancelled, 12, 'each loop was cancelled');
is($session->query_safe(q{SELECT fixture.verdict(visage.verify('alice', fresh()))}), 'accept OK', 'the session goes on after timeouts');
for my $round (1 .. 20) {
  $session->query(q{SELECT visage.verify('alice', fresh(), 'no such channel')});
  $session->query(q{SELECT visage.seal_probe(array_fill('NaN'::real, ARRAY[128]), 'test/1', 0.9, 'fixture')});
  $session->{stderr} = '';
}
is($session->query_safe(q{SELECT fixture.verdict(visage.verify('alice', fresh()))}), 'accept OK', '… and after forty errors');
is($session->query_safe(q{SELECT string_agg(DISTINCT fixture.verdict(visage.verify('alice', fresh())), ',') FROM generate_series(1, 100)}),
  'accept OK', 'a hundred in one statement');
is($session->query_safe('SELECT DISTINCT unnest(ARRAY[' . join(', ', (q{fixture.verdict(visage.verify('alice', fresh()))}) x 20) . '])'),
  'accept OK', '… and twenty in one row');
is($session->query_safe('SELECT DISTINCT unnest(ARRAY[' . join(', ', (q{(visage.compare(fresh(), fresh())).reason}) x 20) . '])'),
  'OK', '… of comparisons as well');
$session->quit;

# Absurd sizes.
my %absurd = (
  'a feature of ten million values' => q{SELECT visage.seal_probe(array_fill(1::real, ARRAY[10000000]), 'test/1', 0.9, 'fixture')},
  'a model of a megabyte' => q{SELECT visage.seal_probe(feature, repeat('m', 1000000), 0.9, 'fixture') FROM face LIMIT 1},
  'a source of a megabyte' => q{SELECT visage.seal_probe(feature, 'test/1', 0.9, repeat('s', 1000000)) FROM face LIMIT 1},
  'a digest of a megabyte' => q{SELECT visage.seal_probe(feature, 'test/1', 0.9, 'fixture', image_digest => repeat('x', 1000000)::bytea) FROM face LIMIT 1},
  'ten thousand measures' => q{SELECT visage.seal_probe(feature, 'test/1', 0.9, 'fixture',
    (SELECT jsonb_object_agg('m' || i, i) FROM generate_series(1, 10000) i)) FROM face LIMIT 1},
  'a measure with a name of a megabyte' => q{SELECT visage.seal_probe(feature, 'test/1', 0.9, 'fixture', jsonb_build_object(repeat('q', 1000000), 1)) FROM face LIMIT 1},
  'deep json as quality' => q{SELECT visage.seal_probe(feature, 'test/1', 0.9, 'fixture', (repeat('{"a":', 5000) || '1' || repeat('}', 5000))::jsonb) FROM face LIMIT 1},
  'a lifetime past the end of time' => q{SELECT visage.seal_probe(feature, 'test/1', 0.9, 'fixture', lifetime => '300000 years') FROM face LIMIT 1},
  'a capture at the end of time' => q{SELECT visage.seal_probe(feature, 'test/1', 0.9, 'fixture', captured_at => '294276-12-31') FROM face LIMIT 1},
  'a subject of a hundred megabytes' => q{SELECT visage.verify(repeat('s', 100000000), fresh())},
  'a channel of a hundred megabytes' => q{SELECT visage.verify('alice', fresh(), repeat('c', 100000000))},
  'a context of ten megabytes' => q{SELECT visage.verify('alice', fresh(), context => jsonb_build_object('a', repeat('c', 10000000)))},
  'a probe of a hundred megabytes' => q{SELECT repeat('A', 100000000)::visage.probe},
  'a reference of a hundred megabytes' => q{SELECT repeat('A', 100000000)::visage.reference});
for my $name (sort keys %absurd) {
  my ($status, $out, $error) = $node->psql('postgres', $absurd{$name});
  ok($status != 0 && length $error < 2000 && $error !~ /server closed|terminat/, "$name: a short error") or diag(substr "$status $out $error", 0, 500);
}
good('after absurd arguments verifications go on');

# Every byte of a probe altered, handed in through binary COPY. What the type lets in must not be accepted; the probe
# itself must be as unused as before.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE original AS SELECT fresh() AS probe;
CREATE TABLE altered (probe visage.probe);
CREATE TABLE fate (byte int, what text);
SQL
my $bytes = pack 'H*', $node->safe_psql('postgres', q{SELECT encode(visage.probe_send(probe), 'hex') FROM original});
my $directory = $node->basedir . '/altered';
mkdir $directory or die;
sub write_copy {
  my ($name, $value) = @_;
  open my $file, '>:raw', "$directory/$name" or die;
  print $file "PGCOPY\n\377\r\n\0", pack('NNnN', 0, 0, 1, length $value), $value, pack('n', 65535);
  close $file;
  return;
}
for my $byte (0 .. length($bytes) - 1) {
  my $value = $bytes;
  substr($value, $byte, 1) ^= chr(1 << $byte % 8);
  write_copy($byte, $value);
}
write_copy('original', $bytes);
$node->safe_psql('postgres', sprintf <<'SQL', $directory, length($bytes) - 1);
DO $$
DECLARE
  decision text;
BEGIN
  FOR i IN 0 .. %2$d LOOP
    DELETE FROM altered;
    BEGIN
      EXECUTE format('COPY altered FROM %%L BINARY', '%1$s/' || i);
      BEGIN
        SELECT fixture.verdict(visage.verify('alice', probe)) INTO decision FROM altered;
      EXCEPTION WHEN OTHERS THEN
        decision := 'error ' || sqlstate;
      END;
    EXCEPTION WHEN OTHERS THEN
      decision := 'not let in ' || sqlstate;
    END;
    INSERT INTO fate VALUES (i, decision);
  END LOOP;
END $$
SQL
my $fates = $node->safe_psql('postgres', q{SELECT string_agg(DISTINCT what, ', ' ORDER BY what) FROM fate});
unlike($fates, qr/accept|reject/, 'no altered probe is compared [8.2.3b]');
unlike($fates, qr/error (XX|58|57)/, '… or breaks anything');
is($node->safe_psql('postgres', 'SELECT count(*) FROM fate'), length $bytes, 'every byte was tried');
cmp_ok($node->safe_psql('postgres', q{SELECT count(*) FROM fate WHERE what = 'error VG001'}), '>', length($bytes) * 3 / 4, 'most do not open');
note "fates of altered probes: $fates";
is($node->safe_psql('postgres', "COPY altered FROM '$directory/original' BINARY;
    SELECT fixture.verdict(visage.verify('alice', probe)) FROM altered ORDER BY probe::text = (SELECT probe::text FROM original) DESC LIMIT 1"),
  'accept OK', 'control: the probe itself is still good');

# A probe cut short or extended.
write_copy('short', substr $bytes, 0, -1);
write_copy('long', "$bytes\0");
write_copy('empty', '');
for my $name ('short', 'long', 'empty') {
  my ($status, $out) = $node->psql('postgres', "TRUNCATE altered; COPY altered FROM '$directory/$name' BINARY;
    SELECT fixture.verdict(visage.verify('alice', probe)) FROM altered");
  ok($status != 0 && $out eq '', "a probe that is $name: an error");
}

# Every byte of what is stored, altered by somebody who may write to the tables.
$node->safe_psql('postgres', <<'SQL');
CREATE TABLE stored_fate (what text, byte int, fate text);
-- As a change of the file would be: past the type's input.
CREATE CAST (bytea AS visage.reference) WITHOUT FUNCTION;
DO $$
DECLARE
  original bytea;
  decision text;
  subject_id uuid := (SELECT id FROM visage.subject WHERE external_id = 'alice');
BEGIN
  SELECT visage.reference_send(reference) INTO original FROM visage.subject_reference WHERE subject = subject_id;
  FOR i IN 0 .. length(original) - 1 LOOP
    BEGIN
      UPDATE visage.subject_reference SET reference = set_byte(original, i, get_byte(original, i) # (1 << i % 8))::visage.reference
        WHERE subject = subject_id;
      decision := fixture.verdict(visage.verify('alice', fresh()));
      RAISE EXCEPTION USING MESSAGE = decision, ERRCODE = 'P0099';
    EXCEPTION WHEN OTHERS THEN
      INSERT INTO stored_fate VALUES ('reference', i, CASE sqlstate WHEN 'P0099' THEN sqlerrm ELSE sqlstate END);
    END;
  END LOOP;
  SELECT wrapped INTO original FROM visage.subject_key WHERE subject = subject_id;
  FOR i IN 0 .. length(original) - 1 LOOP
    BEGIN
      UPDATE visage.subject_key SET wrapped = set_byte(original, i, get_byte(original, i) # (1 << i % 8)) WHERE subject = subject_id;
      decision := fixture.verdict(visage.verify('alice', fresh()));
      RAISE EXCEPTION USING MESSAGE = decision, ERRCODE = 'P0099';
    EXCEPTION WHEN OTHERS THEN
      INSERT INTO stored_fate VALUES ('subject key', i, CASE sqlstate WHEN 'P0099' THEN sqlerrm ELSE sqlstate END);
    END;
  END LOOP;
END $$;
SQL
for my $what ('reference', 'subject key') {
  my $outcome = $node->safe_psql('postgres', "SELECT string_agg(DISTINCT fate, ', ' ORDER BY fate) FROM stored_fate WHERE what = '$what'");
  unlike($outcome, qr/accept|reject|XX/, "no altered $what is compared with [8.2.4e]");
  like($outcome, qr/VG001/, "… most of an altered $what does not open");
  cmp_ok($node->safe_psql('postgres', "SELECT count(*) FROM stored_fate WHERE what = '$what'"), '>=', 60, '… and every byte was tried');
  note "fates of an altered $what: $outcome";
}
good('control: what is stored is as it was');

# Rows moved from one subject to another do not open, alone or together [8.2.4e].
my $swap = q{WITH a AS (SELECT id FROM visage.subject WHERE external_id = 'alice'), b AS (SELECT id FROM visage.subject WHERE external_id = 'bob')};
my $mallory_for_alice = q{SELECT visage.verify('alice', fresh('bob'))};
fails($node, "BEGIN; $swap UPDATE visage.subject_reference r SET reference = (SELECT reference FROM visage.subject_reference, b WHERE subject = b.id)
  FROM a WHERE r.subject = a.id; $mallory_for_alice", 'VG001', qr/another subject/, "bob's reference in alice's row");
fails($node, "BEGIN; $swap, r AS (UPDATE visage.subject_reference r SET reference = (SELECT reference FROM visage.subject_reference, b WHERE subject = b.id)
    FROM a WHERE r.subject = a.id)
  UPDATE visage.subject_key k SET wrapped = (SELECT wrapped FROM visage.subject_key, b WHERE subject = b.id) FROM a WHERE k.subject = a.id;
  $mallory_for_alice", 'VG001', qr/./, "bob's reference and key in alice's rows");
good('control: alice is as she was');
$node->stop;

done_testing();
