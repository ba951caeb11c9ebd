-- Registration, further references, cancellation: what ties a person to a name is made, kept up and ended. [6.6b]
-- [5.3.1] [6.2b] Registered once; a second registration is refused and changes nothing.
SELECT fixture.verdict(visage.register('subject-1', fixture.probe('subject-1', 1)));
SELECT fixture.verdict(visage.register('subject-1', fixture.probe('subject-2', 1)));
SELECT fixture.verdict(visage.verify('subject-1', fixture.probe('subject-2', 2)));
SELECT fixture.verdict(visage.verify('subject-1', fixture.probe('subject-1', 2)));
-- A registration that is rolled back leaves nobody.
BEGIN;
SELECT fixture.verdict(visage.register('subject-rolled-back', fixture.probe('s', 1)));
ROLLBACK;
SELECT fixture.verdict(visage.verify('subject-rolled-back', fixture.probe('s', 2)));

-- [6.2f] [6.2g] References are added and dropped; a stranger's is not added; the last one stays.
SELECT fixture.verdict(visage.add_reference('subject-1', fixture.probe('subject-1', 3)));
SELECT fixture.verdict(visage.add_reference('subject-1', fixture.probe('subject-2', 3)));
SELECT fixture.verdict(visage.add_reference('subject-nobody', fixture.probe('subject-1', 4)));
SELECT model, scheme, channel FROM visage.list_references('subject-1');
SELECT fixture.verdict(visage.drop_reference('subject-1', gen_random_uuid()));
SELECT fixture.verdict(visage.drop_reference('subject-nobody', gen_random_uuid()));
SELECT fixture.verdict(visage.drop_reference('subject-1', (SELECT reference FROM visage.list_references('subject-1') LIMIT 1)));
SELECT fixture.verdict(visage.drop_reference('subject-1', (SELECT reference FROM visage.list_references('subject-1') LIMIT 1)));
SELECT count(*) FROM visage.list_references('subject-1');
-- Another subject's reference is not ours to drop.
SELECT fixture.verdict(visage.register('subject-2', fixture.probe('subject-2', 4)));
SELECT fixture.verdict(visage.drop_reference('subject-1', (SELECT reference FROM visage.list_references('subject-2'))));
SELECT count(*) FROM visage.list_references('subject-2');
-- There is a limit. [6.2d]
DO $$ BEGIN FOR i IN 1 .. 31 LOOP PERFORM visage.add_reference('subject-2', fixture.probe('subject-2', 100 + i)); END LOOP; END $$;
SELECT count(*) FROM visage.list_references('subject-2');
SELECT fixture.verdict(visage.add_reference('subject-2', fixture.probe('subject-2', 200)));
SELECT fixture.verdict(visage.verify('subject-2', fixture.probe('subject-2', 201)));

-- [5.3.4] [8.2.5g] Cancelled: nothing of the subject is left but surrogates in the history; the name is free again.
SELECT fixture.verdict(visage.cancel('subject-1'));
SELECT fixture.verdict(visage.cancel('subject-1'));
SELECT fixture.verdict(visage.verify('subject-1', fixture.probe('subject-1', 5)));
SELECT count(*) FROM visage.subject WHERE external_id = 'subject-1';
SELECT count(*) FROM visage.subject_key k LEFT JOIN visage.subject s ON s.id = k.subject WHERE s.id IS NULL;
SELECT count(*) FROM visage.subject_reference r LEFT JOIN visage.subject s ON s.id = r.subject WHERE s.id IS NULL;
SELECT fixture.verdict(visage.register('subject-1', fixture.probe('subject-3', 1)));
SELECT fixture.verdict(visage.verify('subject-1', fixture.probe('subject-1', 6)));
SELECT fixture.verdict(visage.verify('subject-1', fixture.probe('subject-3', 2)));
SELECT count(DISTINCT subject_surrogate) AS people_under_this_name FROM visage.history WHERE operation = 'register' AND decision = 'accept' AND probe IN (
  SELECT probe FROM visage.history WHERE subject = 'subject-1');

-- Bad input.
SELECT visage.register(NULL, fixture.probe('a', 1));
SELECT visage.register('', fixture.probe('a', 1));
SELECT visage.register('a', NULL);
SELECT visage.add_reference('a', NULL);
SELECT visage.drop_reference('a', NULL);
SELECT visage.cancel(NULL);
SELECT visage.cancel('');
SELECT visage.cancel('a', 'no-channel');
SELECT count(*) FROM visage.list_references(NULL);
-- Names are compared byte by byte: no trimming, no folding.
SELECT fixture.verdict(visage.register('Subject-2', fixture.probe('subject-4', 1)));
SELECT fixture.verdict(visage.register('subject-2 ', fixture.probe('subject-5', 1)));
SELECT fixture.verdict(visage.register('张三', fixture.probe('subject-6', 1)));
SELECT fixture.verdict(visage.verify('张三', fixture.probe('subject-6', 2)));
