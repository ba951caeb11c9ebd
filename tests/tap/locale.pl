# Names of subjects in a database that orders text otherwise than by bytes: everybody is found, and nobody else. [6.2c]
use strict;
use warnings;

use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Visage;

my $node = new_server('locale', init => { extra => [ '--encoding=UTF8', '--locale=C.UTF-8', '--locale-provider=icu', '--icu-locale=de' ] });
$node->start;
load_fixture($node);
lift_limits($node);
is($node->safe_psql('postgres', q{SELECT 'a' < 'B' AND 'B' < 'z' AND 'Ä' < 'B'}), 't', 'capitals are among the others, umlauts with their letter');
# Enough of them that the index has several pages.
$node->safe_psql('postgres', q{
  CREATE TABLE people AS SELECT DISTINCT l || i || r AS name
    FROM unnest(ARRAY['a', 'A', 'ä', 'Ä', 'z', 'Z', 'ß', 'ss', '-', '1', '顔', 'é', 'e' || U&'\0301']) l, generate_series(1, 40) i, unnest(ARRAY['', 'x', 'X', ' ']) r;
  SELECT count(visage.register(name, fixture.probe(name, 1))) FROM people});
cmp_ok($node->safe_psql('postgres', q{SELECT pg_relation_size('visage.subject_institution_external_id_key') / 8192}), '>', 3, 'an index of several pages');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT fixture.verdict(v), ', ') FROM people, visage.verify(name, fixture.probe(name, 2)) v}),
  'accept OK', 'everybody is found by exactly that name');
is($node->safe_psql('postgres', q{SELECT string_agg(DISTINCT fixture.verdict(v), ', ') FROM (SELECT name || '?' AS name FROM people LIMIT 100) p, visage.verify(name, fixture.probe(name, 2)) v}),
  'refuse UNKNOWN_SUBJECT', 'and nobody by another');
$node->stop;

done_testing();
