-- Events and the history.
SELECT coalesce(max(event), -1) AS before FROM visage.history \gset
SELECT fixture.verdict(visage.register('audit-1', fixture.probe('audit-1', 1), context => '{"biz_id": "order-1"}'));
SELECT fixture.verdict(visage.verify('audit-1', fixture.probe('audit-1', 2)));
SELECT fixture.verdict(visage.verify('audit-1', fixture.probe('audit-2', 2)));
SELECT fixture.verdict(visage.verify('audit-nobody', fixture.probe('audit-2', 3)));
SELECT fixture.verdict(visage.compare(fixture.probe('audit-1', 3), fixture.probe('audit-1', 4)));
SELECT fixture.verdict(visage.add_reference('audit-1', fixture.probe('audit-1', 5)));
SELECT fixture.verdict(visage.drop_reference('audit-1', (SELECT reference FROM visage.list_references('audit-1') LIMIT 1)));
-- [8.2.5b] [6.6i] Every call is there, with who, what and why; no score anywhere.
SELECT operation, subject, channel, scenario, decision, reason, target_fmr, model, source, biz_id, caller = current_user AS caller,
       elapsed > interval '0' AS timed
FROM visage.history WHERE subject = 'audit-1' ORDER BY event;
SELECT count(*) FROM visage.history WHERE subject IS NULL AND reason = 'UNKNOWN_SUBJECT' AND event > :before;
SELECT column_name FROM information_schema.columns WHERE table_schema = 'visage' AND table_name IN ('history', 'event') AND column_name ~ 'score|feature|image';
-- An outcome names its record.
SELECT (visage.verify('audit-1', fixture.probe('audit-1', 6))).event AS seq \gset
SELECT operation, decision FROM visage.history WHERE event = :seq;
-- Once cancelled, the history no longer names the subject, and its records still belong together. [8.2.5g]
SELECT fixture.verdict(visage.cancel('audit-1'));
SELECT count(*) FROM visage.history WHERE subject = 'audit-1';
SELECT count(*) > 5 AS same_surrogate FROM visage.history
WHERE subject_surrogate = (SELECT subject_surrogate FROM visage.history WHERE event = :seq);
-- Append-only, for the owner too. [8.1.4a]
UPDATE visage.event SET decision = 'accept';
DELETE FROM visage.event;
TRUNCATE visage.event;
SET session_replication_role = replica;
DELETE FROM visage.event;
RESET session_replication_role;
-- Every column is explained.
SELECT a.attname AS column_without_comment FROM pg_attribute a
WHERE a.attrelid = 'visage.history'::regclass AND a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL;
