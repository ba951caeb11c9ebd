# The drills of docs/operations.md, as they stand there: a dump into an empty server, and a base backup with the log up to a
# point in time. Both end with the list of erasures and visage.integrity(), and neither dump, backup nor log holds a key or
# a feature. [6.5c] [8.2.4f] [8.2.5g]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('drilled', init => { allows_streaming => 1, has_archiving => 1 });
my $keys = $node->basedir . '/keys';
$node->start;
load_fixture($node);
# Consent is asked for, as a service would have it.
$node->safe_psql('postgres', q{INSERT INTO visage.notice (institution, name, purposes, manner, scope, storage, text)
  VALUES (1, 'face', ARRAY['default'], 'm', 's', 'k', 'May we?')});
my $consent = q{SELECT purpose FROM visage.give_consent('%s', 'face', (SELECT digest FROM visage.notice), ARRAY['default'], false)};
for my $person ('alice', 'bob', 'carol', 'dave') {
  $node->safe_psql('postgres', sprintf $consent, $person);
  verdict_is($node, $person, 'accept OK', "$person is registered", flow => 'register');
}
verdict_is($node, 'carol', 'accept OK', 'carol gets a second reference', flow => 'add_reference');

$node->safe_psql('postgres', "SELECT visage.enrol_factor('$_', 'password', 'correct horse battery')") for 'bob', 'carol';
$node->safe_psql('postgres', q{SELECT visage.open_session('bob', 'verify')});

# The backups; then life goes on.
$node->backup('base');
my $dump = $node->basedir . '/visage.dump';
$node->command_ok([ 'pg_dump', '-Fc', '-d', $node->connstr('postgres'), '-f', $dump ], 'pg_dump');
$node->safe_psql('postgres', sprintf $consent, 'erin');
verdict_is($node, 'erin', 'accept OK', 'erin comes after the backups', flow => 'register');
is($node->safe_psql('postgres', q{SELECT fixture.verdict(visage.drop_reference('carol', (SELECT reference FROM visage.list_references('carol') LIMIT 1)))}),
  'accept OK', 'carol drops one of her references');
is($node->safe_psql('postgres', q{SELECT fixture.verdict(visage.replace_factor('carol', 'password', 'another horse battery'))}),
  'accept OK', 'carol replaces her password');
is($node->safe_psql('postgres', q{SELECT visage.withdraw_consent('dave')}), 1, 'dave withdraws his consent');
$node->safe_psql('postgres', q{SELECT pg_create_restore_point('noon')});
is($node->safe_psql('postgres', q{SELECT fixture.verdict(visage.cancel('alice'))}), 'accept OK', 'alice is cancelled, after the point in time');
all_settled($node);
my $list = $node->basedir . '/erasures.copy';
$node->command_ok([ 'psql', '-X', '-d', $node->connstr('postgres'), '-c', "\\copy (SELECT * FROM visage.erasure_list()) TO '$list'" ],
  'the list of erasures is exported');
my $checkpoint = $node->safe_psql('postgres', 'SELECT visage.checkpoint()') =~ s/\n*\z/\n/r;
$node->safe_psql('postgres', 'SELECT pg_switch_wal()');
my $archived = $node->safe_psql('postgres', 'SELECT pg_walfile_name(pg_current_wal_lsn())');
$node->safe_psql('postgres', 'CHECKPOINT');
$node->stop;

# No root key, subject's key or feature in any of it: raw, as hex, or as the numbers of the feature.
my @roots = map { slurp_file($_) =~ /(\w{64})/ } "$keys/envelope", "$keys/transform";
$node->start;
my @feature = split /,/, $node->safe_psql('postgres', q{SELECT array_to_string(fixture.feature('alice', 7), ',')});
$node->stop;
my $marker = join '|', (map { quotemeta(pack 'H*', $_), $_ } @roots), map { quotemeta pack 'f<4', @feature[ $_ .. $_ + 3 ] } 0 .. $#feature - 3;
my $plain = $node->basedir . '/visage.sql';
system_or_bail('pg_restore', '-f', $plain, $dump);
my @places = ($dump, $plain, files_below($node->backup_dir), files_below($node->archive_dir), files_below($node->data_dir));
cmp_ok(scalar @places, '>', 1000, 'dump, base backup, archived log and data directory are searched');
is_deeply([ find_in_files(qr/$marker/s, @places) ], [], '… and hold no root key and no feature');
is_deeply([ find_in_files(qr/\Q$roots[0]\E/, "$keys/envelope") ], [ "$keys/envelope" ], 'the search finds what is there');

# What both drills end with.
sub finish {
  my ($server, $database, $name, %expected) = @_;
  is($server->safe_psql($database, 'SELECT count(*) FROM visage.keys WHERE NOT loaded'), 0, "$name: all keys are there");
  $server->command_ok([ 'psql', '-X', '-d', $server->connstr($database), '-c', "\\copy visage.erasure FROM '$list'" ], "$name: the list is loaded");
  is($server->safe_psql($database, 'SELECT * FROM visage.after_restore()'), $expected{erased}, "$name: what was erased is erased again");
  all_settled($server, $database);
  is($server->safe_psql($database, 'SELECT * FROM visage.integrity()'), '', "$name: all that is there belongs together");
  is($server->safe_psql($database, 'SELECT string_agg(external_id, q ORDER BY external_id) FROM visage.subject, (VALUES (chr(32))) t (q)'), $expected{people}, "$name: who is there");
  verdict_is($server, 'alice', 'refuse UNKNOWN_SUBJECT', "$name: alice stays erased", database => $database);
  verdict_is($server, 'dave', 'refuse CONSENT_MISSING', "$name: dave's withdrawal stands", database => $database);
  verdict_is($server, 'bob', 'accept OK', "$name: bob is verified", database => $database);
  is($server->safe_psql($database, q{SELECT count(*) FROM visage.list_references('carol')}), 1, "$name: carol has the reference that she kept");
  is($server->safe_psql($database, q{SELECT string_agg(decision::text, ' ') FROM unnest(ARRAY['bob', 'carol']) p, LATERAL visage.open_session(p, 'verify') s,
    LATERAL visage.present_factor(s.session, 'password', 'correct horse battery')}), 'accept reject', "$name: bob's password is good, the one that carol replaced is not");
  is($server->safe_psql($database, 'SELECT count(*) FROM visage.verify_ledger()'), 0, "$name: the ledger verifies");
  return;
}

# Drill 1: a dump into an empty server with the keys.
my $empty = new_server('empty');
configure($empty, Visage::preloaded($node));
$empty->start;
$empty->safe_psql('postgres', 'CREATE DATABASE bank');
$empty->command_ok([ 'pg_restore', '-e', '-d', $empty->connstr('bank'), $dump ], 'dump: restored');
serve($empty, 'bank');
finish($empty, 'bank', 'dump', erased => "subjects|1\nreferences|1\nfactors|1\nconsents|1", people => 'bob carol dave');
# What came after the dump is lost, and a kept checkpoint shows it.
like($empty->safe_psql('bank', "SELECT fault FROM visage.verify_ledger(checkpoint => \$n\$$checkpoint\$n\$)"), qr/./,
  'dump: a checkpoint that was kept shows that events are missing');
$empty->stop;

# Drill 2: a base backup and the log, up to a point in time.
my $point = PostgreSQL::Test::Cluster->new('point');
$point->init_from_backup($node, 'base', has_restoring => 1);
$point->append_conf('postgresql.conf', "recovery_target_name = 'noon'\nrecovery_target_action = 'promote'");
configure($point, Visage::preloaded($node));
$point->start;
$point->poll_query_until('postgres', q{SELECT NOT pg_is_in_recovery() AND (SELECT state = 'ready' FROM visage.audit_status)});
all_settled($point);
is($point->safe_psql('postgres', q{SELECT count(*) FROM visage.subject WHERE external_id IN ('alice', 'erin')}), 2, 'point in time: as it was at noon');
finish($point, 'postgres', 'point in time', erased => "subjects|1\nreferences|0\nfactors|0\nconsents|0", people => 'bob carol dave erin');
verdict_is($point, 'erin', 'accept OK', 'point in time: what came after the backup and before noon is there');
$point->stop;

done_testing();
