-- What the history keeps of a probe's liveness and quality, and what it does not. [6.1.2b] [6.1.3b] [8.2.5b]
SET client_min_messages = warning;
SELECT fixture.verdict(visage.register('capture-1', fixture.probe('capture-1', 1)));
INSERT INTO visage.channel (institution, name, liveness_floor) VALUES (1, 'capture', 0.5), (1, 'capture-open', NULL);
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES
  (1, 'capture', 'InterEyeDistance', 60), (1, 'capture', 'Sharpness', 0.2), (1, 'capture', 'LivenessChallenge', 0.5);
CREATE FUNCTION pg_temp.kept(liveness real, quality jsonb, channel text DEFAULT 'capture') RETURNS TABLE (verdict text, kept text) LANGUAGE plpgsql AS $$
DECLARE
  v visage.outcome := visage.verify('capture-1', fixture.probe('capture-1', 2, liveness => $1, quality => $2), $3);
BEGIN
  RETURN QUERY SELECT fixture.verdict(v), h.capture::text FROM visage.history h WHERE h.event = v.event;
END
$$;
\set good '{"InterEyeDistance": 80.5, "Sharpness": 0.25, "LivenessChallenge": 0.9}'

-- Which method judged and whether that was enough; of quality only what fell short. No values, as policy does not ask for them.
SELECT * FROM pg_temp.kept(0.9, :'good');
SELECT * FROM pg_temp.kept(0.4, :'good');
SELECT * FROM pg_temp.kept(0.9, '{"InterEyeDistance": 59, "Sharpness": 0.25}');
SELECT * FROM pg_temp.kept(0.9, '{}', 'capture-open');
-- Why liveness failed, by the capture source's word: number 8 of docs/liveness.md.
SELECT * FROM pg_temp.kept(0.4, '{"InterEyeDistance": 80, "Sharpness": 0.25, "LivenessChallenge": 0, "LivenessReason": 8}');
-- A number that means nothing yet is shown as it is; one that is no code is none.
SELECT * FROM pg_temp.kept(0.4, '{"LivenessReason": 200}', 'capture-open');
SELECT * FROM pg_temp.kept(0.4, '{"LivenessReason": -3}', 'capture-open');

-- With the values, where policy has them kept.
INSERT INTO visage.audit_policy (institution, capture_values) VALUES (1, true)
  ON CONFLICT (institution) DO UPDATE SET capture_values = true;
SELECT * FROM pg_temp.kept(0.9, :'good');
SELECT * FROM pg_temp.kept(0.4, '{"InterEyeDistance": 59, "Sharpness": 0.25, "LivenessReason": 7}');
UPDATE visage.audit_policy SET capture_values = false;
SELECT * FROM pg_temp.kept(0.9, :'good');

-- A call without a probe that opens has nothing to keep.
SELECT (visage.cancel('nobody')).event \gset
SELECT h.operation, h.capture IS NULL AS nothing FROM visage.history h WHERE h.event = :event;
-- The caller's outcome has no place for any of it.
SELECT attname FROM pg_attribute WHERE attrelid = 'visage.outcome'::regclass AND attnum > 0 AND attname ~ 'live|quality|capture|score';
-- The ledger covers it: the leaf is made of the row, and verifies.
SELECT count(*) AS faults FROM visage.verify_ledger();
BEGIN;
ALTER TABLE visage.event DISABLE TRIGGER append_only;
UPDATE visage.event SET capture = '\x00ff0000' WHERE seq = (SELECT max(e.seq) FROM visage.event e WHERE e.capture IS NOT NULL);
SELECT v.fault FROM visage.verify_ledger() v;
ROLLBACK;
-- What is no capture record is refused, in words.
SELECT visage.capture_report('');
SELECT visage.capture_report('\x02ff0000');
SELECT visage.capture_report('\x00ff01020400');

-- For auditors alone.
SET ROLE visage_service;
SELECT visage.capture_report('\x00ff0000');
RESET ROLE;
SET ROLE visage_auditor;
SELECT visage.capture_report('\x00ff0000');
SELECT * FROM visage.capture_states('\x00ff0000');
RESET ROLE;
DELETE FROM visage.channel_floor WHERE channel = 'capture';
DELETE FROM visage.channel WHERE name ~ '^capture';
DELETE FROM visage.audit_policy;
SELECT fixture.verdict(visage.cancel('capture-1'));
