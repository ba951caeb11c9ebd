-- Trace-back and reports. [6.6f] [6.6i]
-- Whatever a caller may name is hostile text on a page: a channel, an institution, a role.
INSERT INTO visage.channel (institution, name) VALUES (1, '<script>alert("1")</script>');
CREATE TEMP TABLE sample AS SELECT i, fixture.probe('report-1', i) AS probe FROM generate_series(1, 4) i;
SELECT fixture.verdict(visage.register('report-1', (SELECT probe FROM sample WHERE i = 1)));
SELECT fixture.verdict(visage.verify('report-1', (SELECT probe FROM sample WHERE i = 2), '<script>alert("1")</script>'));
SELECT fixture.verdict(visage.verify('report-1', fixture.probe('report-2', 1), '<script>alert("1")</script>'));
SELECT fixture.verdict(visage.verify('report-1', fixture.probe('report-2', 2), '<script>alert("1")</script>'));
SELECT fixture.verdict(visage.verify('report-1', (SELECT probe FROM sample WHERE i = 2)));

-- Every event of a subject, by name: what the history has, in its order.
SELECT operation, channel, decision, reason, settled IN ('open', 'committed') AS settled FROM visage.history_of('report-1');
SELECT count(*) AS differ FROM (
  (TABLE visage.history EXCEPT SELECT * FROM visage.history WHERE subject IS DISTINCT FROM 'report-1')
  EXCEPT SELECT * FROM visage.history_of('report-1')) d;
SELECT count(*) AS nobody FROM visage.history_of('report-nobody');
SELECT count(*) AS nobody FROM visage.history_of('00000000-0000-0000-0000-000000000000');
SELECT count(*) AS nobody FROM visage.history_of(NULL);
-- A change says how its transaction ended; only changes do.
BEGIN;
SELECT (visage.register('report-3', fixture.probe('report-3', 1))).event AS undone \gset
ROLLBACK;
DO $$
BEGIN
  FOR i IN 1 .. 6000 LOOP
    EXIT WHEN NOT EXISTS (SELECT FROM visage.history WHERE settled = 'open');
    PERFORM pg_sleep(0.05);
  END LOOP;
END
$$;
SELECT decision, settled FROM visage.history WHERE event = :undone;
SELECT decision, settled FROM visage.history_of('report-1') WHERE operation = 'register';
SELECT count(*) AS wrong FROM visage.history h LEFT JOIN visage.history s ON s.settles = h.event AND s.operation = 'settle'
WHERE h.settled IS DISTINCT FROM CASE WHEN h.xid IS NOT NULL THEN coalesce(s.note, 'open') END;
-- After cancellation the name leads nowhere and the surrogate to everything. [8.2.5g]
SELECT DISTINCT subject_surrogate AS surrogate FROM visage.history_of('report-1') \gset
SELECT operation, subject FROM visage.history_of(:'surrogate') WHERE operation <> 'verify';
SELECT fixture.verdict(visage.cancel('report-1'));
SELECT count(*) AS by_name FROM visage.history_of('report-1');
SELECT operation, subject, decision FROM visage.history_of(:'surrogate') WHERE operation <> 'settle';

-- Each report counts every call of a flow once.
SELECT count(*) AS calls FROM visage.history WHERE decision IS NOT NULL \gset
SELECT sum(attempts) = :calls AS all_calls, bool_and(attempts = accepts + rejects + refusals) AS adds_up,
       bool_and(accept_low <= accept_rate AND accept_rate <= accept_high) AS within
FROM visage.report_daily('-infinity', 'infinity');
SELECT sum(attempts) = :calls AS last_thirty_days FROM visage.report_daily();
SELECT sum(attempts) = :calls AS all_calls, bool_and(attempts = accepts + rejects + refusals) AS adds_up
FROM visage.report_channel('-infinity', 'infinity');
SELECT sum(attempts) = :calls AS all_calls FROM visage.report_reason('-infinity', 'infinity');
SELECT bool_and(abs(share - 1) < 1e-4) AS shares FROM (
  SELECT sum(share) AS share FROM visage.report_reason('-infinity', 'infinity') GROUP BY institution) s;
SELECT sum(calls) = (SELECT count(elapsed) FROM visage.history WHERE decision IS NOT NULL) AS all_timed,
       bool_and(p50_ms <= p90_ms AND p90_ms <= p99_ms AND p99_ms <= max_ms) AS ordered
FROM visage.report_latency('-infinity', 'infinity');
SELECT sum(attempts) = (SELECT count(*) FROM visage.history WHERE operation = 'verify' AND decision IS NOT NULL) AS verifications
FROM visage.report_daily('-infinity', 'infinity', 'verify');
SELECT subject, attempts, failures, rejects, refusals FROM visage.report_subject_failures('-infinity', 'infinity', top => 1000)
WHERE subject_surrogate = :'surrogate';
SELECT count(*) AS rows, min(failures) = max(failures) AS one FROM visage.report_subject_failures('-infinity', 'infinity', top => 1);
-- CSV is a COPY away.
COPY (SELECT institution, channel, attempts, accepts, rejects, accept_rate, accept_low, accept_high, subjects
      FROM visage.report_channel('-infinity', 'infinity') WHERE channel ~ 'script') TO STDOUT (FORMAT csv, HEADER);
-- Wilson's interval against published values: 8 of 10, none and all of 10; nothing for nothing.
SELECT n, a, w.* FROM (VALUES (10, 8), (10, 0), (10, 10), (0, 0)) v (n, a), visage.wilson(a, n) w;
-- The beginning belongs to a range, the end does not.
SELECT at AS first FROM visage.history_of(:'surrogate') LIMIT 1 \gset
SELECT sum(attempts) = (SELECT count(*) FROM visage.history WHERE decision IS NOT NULL AND at = :'first') AS begins
FROM visage.report_daily(:'first', :'first'::timestamptz + interval '1 microsecond');
SELECT coalesce(sum(attempts), 0) = (SELECT count(*) FROM visage.history WHERE decision IS NOT NULL AND at < :'first') AS ends
FROM visage.report_daily('-infinity', :'first');
-- Days are the session's.
SET timezone = 'Pacific/Kiritimati';
SELECT count(*) AS differ FROM (
  SELECT day, sum(attempts) FROM visage.report_daily('-infinity', 'infinity') GROUP BY 1
  EXCEPT SELECT (at AT TIME ZONE 'Pacific/Kiritimati')::date, count(*) FROM visage.history WHERE decision IS NOT NULL GROUP BY 1) d;
RESET timezone;

-- Ranges that are none.
\set SHOW_CONTEXT never
SELECT * FROM visage.report_daily('2026-02-01', '2026-01-01');
SELECT * FROM visage.report_channel('2026-02-01', '2026-02-01');
SELECT * FROM visage.report_reason(NULL, '2026-02-01');
SELECT * FROM visage.report_latency('2026-02-01', NULL);
SELECT * FROM visage.report_subject_failures('2026-02-01', '2026-01-01');
SELECT * FROM visage.report_subject_failures(top => 0);
SELECT visage.report_html('2026-02-01', '2026-01-01');
SELECT visage.report_html(NULL, NULL);

-- The page is well-formed, loads nothing, runs nothing and names nobody.
SELECT visage.grant_institution('report <i>&', 'visage_auditor');
CREATE ROLE "<b>report's ""auditor""</b>" LOGIN IN ROLE visage_auditor;
CREATE TEMP TABLE page (kind text, html text);
GRANT ALL ON page TO PUBLIC;
SET ROLE "<b>report's ""auditor""</b>";
INSERT INTO page SELECT 'full', visage.report_html('-infinity', 'infinity');
INSERT INTO page SELECT 'default', visage.report_html();
INSERT INTO page SELECT 'before', visage.report_html('1999-01-01', '2000-01-01');
INSERT INTO page SELECT 'after', visage.report_html('2999-01-01', '3000-01-01');
INSERT INTO page SELECT 'instant', visage.report_html('2000-01-01', '2000-01-01 00:00:00.000001');
RESET ROLE;
SELECT kind, xmlparse(DOCUMENT html) IS NOT NULL AS well_formed, html LIKE '<!DOCTYPE html>%' AS is_html, html ~ '^[\x01-\x7e]*$' AS ascii,
       html ~* '<script|<b>report|<i>&' AS leaks, html ~* 'src=|href=|url\(|@import|javascript:|\son[a-z]+=' AS loads,
       html ~ 'report-[12]' AS names_subjects
FROM page;
SELECT html LIKE '%&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;%' AS channel, html LIKE '%report &lt;i&gt;&amp;%' AS institution,
       html LIKE '%&lt;b&gt;report&#39;s %auditor%' AS caller, strpos(html, :'surrogate') > 0 AS surrogate
FROM page WHERE kind = 'full';
-- Every chart says what it shows; the figures are the reports'.
SELECT kind, xpath('//h:svg[@role="img"]/h:title/text()', html::xml, '{{h,http://www.w3.org/1999/xhtml}}')::text[] AS charts,
       xpath('count(//h:svg[@role="img"][not(h:desc)])', html::xml, '{{h,http://www.w3.org/1999/xhtml}}')::text AS without_description
FROM page WHERE kind IN ('full', 'before');
SELECT (xpath('//h:li[contains(., "calls")]/h:b/text()', html::xml, '{{h,http://www.w3.org/1999/xhtml}}'))[1]::text
       = to_char((SELECT sum(attempts) FROM visage.report_daily('-infinity', 'infinity')), 'FM999,999,990') AS calls
FROM page WHERE kind = 'full';
SELECT visage.html_escape(E'<a href="x" title=''y''>&amp;\x01\x0b\t\n');

-- Auditors read all of it, admins what names nobody, others nothing; the parts are nobody's.
SET ROLE "<b>report's ""auditor""</b>";
SELECT count(*) > 0 AS traced FROM visage.history_of(:'surrogate');
SELECT count(*) > 0 AS counted FROM visage.report_subject_failures();
SELECT visage.html_escape('x');
SELECT * FROM visage.wilson(1, 2);
SET ROLE visage_admin;
SELECT count(*) > 0 AS counted FROM visage.report_daily();
SELECT count(*) > 0 AS counted FROM visage.report_channel();
SELECT count(*) > 0 AS counted FROM visage.report_reason();
SELECT count(*) > 0 AS counted FROM visage.report_latency();
SELECT * FROM visage.report_subject_failures();
SELECT visage.report_html();
SELECT * FROM visage.history_of('report-1');
SET ROLE visage_service;
SELECT * FROM visage.report_daily();
SELECT * FROM visage.history_of('report-1');
RESET ROLE;

-- An auditor of another institution sees nothing of this one. [6.2a]
CREATE ROLE report_north;
GRANT USAGE ON SCHEMA visage TO report_north;
GRANT SELECT ON visage.history TO report_north;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA visage TO report_north;
SELECT visage.grant_institution('report-north', 'report_north');
SET ROLE report_north;
SELECT count(*) AS seen FROM visage.history_of(:'surrogate');
SELECT count(*) AS seen FROM visage.report_daily('-infinity', 'infinity');
SELECT count(*) AS seen FROM visage.report_channel('-infinity', 'infinity');
SELECT count(*) AS seen FROM visage.report_reason('-infinity', 'infinity');
SELECT count(*) AS seen FROM visage.report_subject_failures('-infinity', 'infinity');
SELECT count(*) AS seen FROM visage.report_latency('-infinity', 'infinity');
SELECT html LIKE '%report-north%' AS own, html LIKE '%script%' AS others, html LIKE '%<b>0</b>calls%' AS nothing
FROM visage.report_html('-infinity', 'infinity') html;
RESET ROLE;
DELETE FROM visage.institution_role WHERE role = 'report_north'::regrole
  OR institution = (SELECT id FROM visage.institution WHERE name = 'report <i>&');
DELETE FROM visage.channel WHERE name ~ 'script';
DROP OWNED BY report_north;
DROP ROLE report_north, "<b>report's ""auditor""</b>";
