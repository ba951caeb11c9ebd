# A new transform root: references come under it with the next strong verification, and then the old one can go. [6.2e]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('reprotection');
my $keys = $node->basedir . '/keys';
my ($first, $second) = (random_key(), random_key());
write_file("$keys/transform", "1 $first");
$node->start;
load_fixture($node);
my $quality = q{{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": %d}};
# A verification of a person's sample number n, with so many pixels between the eyes.
sub verify {
  my ($subject, $person, $n, $eyes) = @_;
  return $node->safe_psql('postgres', "SELECT fixture.verdict(visage.verify('$subject', visage.seal_probe(fixture.feature('$person', $n), 'test/1', 0.9, 'fixture', '"
    . sprintf($quality, $eyes // 100) . "')))");
}
sub stored { return $node->safe_psql('postgres', q{SELECT string_agg(concat_ws('/', s.external_id, CASE WHEN r.adapted THEN 'adapted' END, r.transform_version, r.generation), ' '
  ORDER BY s.external_id, r.adapted, r.created_at) FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject}); }
sub progress { return $node->safe_psql('postgres', q{SELECT string_agg(concat_ws(' ', transform_version, newest, loaded, subjects, originals, adapted, round(share::numeric, 2)), ', '
  ORDER BY transform_version) FROM visage.reprotection_progress}); }

$node->safe_psql('postgres', qq{SELECT visage.register(n, fixture.probe(n, 1)) FROM unnest(ARRAY['alice', 'bob', 'carol']) n});
$node->safe_psql('postgres', q{SELECT visage.add_reference('alice', fixture.probe('alice', 2))});
$node->safe_psql('postgres', q{UPDATE visage.adaptation_policy SET adapt = true});
is(verify('carol', 'carol', 3), 'accept OK', 'carol is verified');
$node->safe_psql('postgres', q{UPDATE visage.adaptation_policy SET adapt = false});
is(stored(), 'alice/1/1 alice/1/1 bob/1/1 carol/1/1 carol/adapted/1/1', '… and adapted to');
is(progress(), '1 t t 3 4 1 1.00', 'all is under the one root');

write_file("$keys/transform", "1 $first", "2 $second");
is($node->safe_psql('postgres', 'SELECT visage.reload_keys()'), 1, 'a new transform root, while the server serves');
my $before = stored();
# Nothing but a strong verification moves a reference.
is(verify('bob', 'alice', 3), 'reject NO_MATCH', 'somebody else');
is(verify('bob', 'bob', 4, 80), 'accept OK', 'accepted below the stricter floor');
$node->safe_psql('postgres', q{UPDATE visage.adaptation_policy SET fmr = 1e-9});
is(verify('bob', 'bob', 5), 'accept OK', 'accepted where no threshold is measured for the stricter rate');
$node->safe_psql('postgres', q{UPDATE visage.adaptation_policy SET fmr = 4e-6, reprotect = false});
is(verify('bob', 'bob', 6), 'accept OK', 'accepted where policy does not ask for it');
$node->safe_psql('postgres', q{UPDATE visage.adaptation_policy SET reprotect = true});
is(stored(), $before, 'no reference has moved');
is(progress(), '1 f t 3 4 1 1.00', 'and none is done');

# Say that bob's came from an authority's photo: what is made anew comes from a capture.
$node->safe_psql('postgres', q{UPDATE visage.subject_reference r SET origin = 'authority' FROM visage.subject s WHERE s.id = r.subject AND s.external_id = 'bob'});
my $id = $node->safe_psql('postgres', q{SELECT reference FROM visage.list_references('bob')});
is(verify('bob', 'bob', 7), 'accept OK', 'a strong verification');
is(stored(), 'alice/1/1 alice/1/1 bob/2/2 carol/1/1 carol/adapted/1/1', 'brings the reference under the new root, in its place');
is($node->safe_psql('postgres', q{SELECT reference FROM visage.list_references('bob')}), $id, '… under its old id');
is($node->safe_psql('postgres', qq{SELECT concat_ws(' ', h.subject, h.decision, h.reference = '$id', h.after IS NOT NULL, h.target_fmr, regexp_replace(h.note, '[0-9a-f-]{36}', 'V'))
  FROM visage.history h WHERE operation = 'reprotect'}), 'bob accept t t 4e-06 verification V, transform key version 1 to 2', 'and is an event');
is($node->safe_psql('postgres', q{SELECT r.origin FROM visage.subject_reference r JOIN visage.subject s ON s.id = r.subject WHERE s.external_id = 'bob'}), 'capture', '… of a capture');
is(verify('bob', 'bob', 8), 'accept OK', 'which verifies');
is(verify('bob', 'alice', 4), 'reject NO_MATCH', '… as before');
is(stored(), 'alice/1/1 alice/1/1 bob/2/2 carol/1/1 carol/adapted/1/1', 'once is enough');
is(progress(), '1 f t 2 3 1 0.75, 2 t t 1 1 0 0.25', 'the view shows how far it is');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.integrity()'), 0, 'references are those that the ledger has [8.2.4e]');

is(verify('alice', 'alice', $_), 'accept OK', 'of several one at a time') for 5, 6;
is(verify('carol', 'carol', 7), 'accept OK', 'an adapted one');
is(stored(), 'alice/2/2 alice/2/2 bob/2/2 carol/2/2', '… goes, as its original is younger now');
is(progress(), '2 t t 3 4 0 1.00', 'nothing is left under the old root');
is($node->safe_psql('postgres', q{SELECT subject_references FROM visage.keys WHERE custody = 'transform' AND version = 1}), 0, 'and nothing needs it');
$node->stop;
write_file("$keys/transform", "2 $second");
$node->start;
is(verify('alice', 'alice', 8), 'accept OK', 'without the old root everybody is verified');
is($node->safe_psql('postgres', 'SELECT count(*) FROM visage.integrity()'), 0, '… and all is as it should be');
done_testing();
