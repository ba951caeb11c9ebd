# integrity() between a commit and the audit writer's word of it: nobody is missed who was just cancelled. [6.5c]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('integrity');
$node->start;
load_fixture($node);
verdict_is($node, $_, 'accept OK', "$_ is registered", flow => 'register') for 'alice', 'bob';
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM visage.history WHERE settled = 'open'}) or die 'never settled';
my $writer = $node->safe_psql('postgres', 'SELECT pid FROM visage.audit_status');
my $said = $node->safe_psql('postgres', <<SQL);
BEGIN;
SELECT reason FROM visage.cancel('alice');
\\! kill -STOP $writer
COMMIT;
SELECT part, object, fault FROM visage.integrity();
SELECT operation FROM visage.history WHERE settled = 'open';
DELETE FROM visage.subject WHERE external_id = 'bob';
SELECT fault FROM visage.integrity() WHERE part = 'subjects';
\\! kill -CONT $writer
SQL
is($said, "OK\ncancel\nwas registered, was never erased, and is missing",
  'a cancellation that is committed and not settled is no fault, but whoever just is not there is one');
$node->stop;

done_testing();
