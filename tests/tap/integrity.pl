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
my $session = $node->background_psql('postgres');
is($session->query_safe(q{BEGIN; SELECT reason FROM visage.cancel('alice')}), 'OK', 'alice is cancelled');
hold($node, $writer);
$session->query_safe('COMMIT');
is($session->query_safe('SELECT part, object, fault FROM visage.integrity()'), '', 'a cancellation that is committed and not settled is no fault');
is($session->query_safe(q{SELECT operation FROM visage.history WHERE settled = 'open'}), 'cancel', '… as this one is');
$session->query_safe(q{DELETE FROM visage.subject WHERE external_id = 'bob'});
is($session->query_safe(q{SELECT fault FROM visage.integrity() WHERE part = 'subjects'}), 'was registered, was never erased, and is missing',
  'whoever just is not there is one');
kill CONT => $writer;
$session->quit;
$node->stop;

done_testing();
