# The steps of an update on a server: files, restart, ALTER EXTENSION; no probe of the time before is used twice.
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('upgrade');
configure($node, Visage::preloaded($node), 'visage.database' => 'postgres');
$node->start;
# As 0.1.0 left it: a source, and records of the calls whose transactions were committed.
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION pg_visage VERSION '0.1.0' CASCADE;
SELECT visage.add_capture_source('old');
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'old', 1e-5);
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('old/1', 'RFR-1/1024', 1e-5, 0.5, 'made up', '2026-01-01');
INSERT INTO visage.event (transaction_id, operation, institution, channel, scenario, decision, reason, target_fmr, policy_version,
                          elapsed_us, caller)
  VALUES (gen_random_uuid(), 'cancel', 1, 'old', 'default', 'refuse', 'UNKNOWN_SUBJECT', 1e-5, 1, 1, current_user);
SQL

sub probe {
  return $node->safe_psql('postgres',
    "SELECT visage.seal_probe(array_agg(i::real), 'old/1', source => 'old') FROM generate_series(1, 128) i");
}
sub reason_of { my ($probe) = @_; return $node->safe_psql('postgres', "SELECT reason FROM visage.verify('nobody', '$probe', 'old')"); }

# It may have been used in a transaction that was rolled back, which that version kept no record of.
my $before = probe();
$node->restart;
my $between = probe();
# The writer looks, finds no such version, and says so: not before it has started.
$node->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'pg_visage audit writer' AND wait_event_type = 'Extension')});
fails($node, "SET visage.audit_timeout = '1s'; SELECT visage.verify('nobody', '$between', 'old')", 'VG004',
  qr/the audit writer finds no pg_visage of its version in this database/, 'no verdict before the update');
$node->safe_psql('postgres', 'ALTER EXTENSION pg_visage UPDATE');
is(reason_of($before), 'EXPIRED_PROBE', 'captured before the new library was loaded');
is(reason_of($between), 'UNKNOWN_SUBJECT', 'captured since then, not used by the call that failed');
is($node->safe_psql('postgres', "SELECT string_agg(operation::text, ' ' ORDER BY event) FROM visage.history"),
  'cancel open_ledger verify verify', 'the ledger begins with what was recorded');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.verify_ledger()'), 0, '… and verifies');

my $after = probe();
$node->restart;
is(reason_of($before), 'EXPIRED_PROBE', 'after another restart: still refused');
is(reason_of($between), 'EXPIRED_PROBE', '… also what was captured before the ledger was opened');
is(reason_of($after), 'UNKNOWN_SUBJECT', '… but not what was captured since');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.verify_ledger()'), 0, 'the ledger verifies');
$node->stop;

done_testing();
