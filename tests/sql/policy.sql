-- Policy as rows: channels, floors, scenarios, calibration.
SELECT name, target_fmr, liveness_floor, session_required FROM visage.channel ORDER BY 1;
SELECT channel, measure, minimum, unit FROM visage.channel_floor f JOIN visage.measure m ON m.name = f.measure ORDER BY m.id, channel;
-- [A.1] Annex A as rows.
SELECT name, factors, identity_check, face, description FROM visage.scenario WHERE builtin ORDER BY name COLLATE "C";
SELECT fixture.verdict(visage.register('policy-1', fixture.probe('policy-1', 1)));

-- [6.3e] Each channel its own threshold: one sample that a strict channel rejects and a lax one accepts.
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'lax', 1e-3), (1, 'strict', 1e-5);
UPDATE visage.calibration SET threshold = CASE fmr WHEN 1e-3 THEN 0.3 ELSE 1.2 END WHERE model = 'test/1';
SELECT channel, fixture.verdict(visage.verify('policy-1', fixture.probe('policy-1', 2), channel)) FROM unnest(ARRAY['lax', 'strict']) channel;
UPDATE visage.calibration SET threshold = CASE fmr WHEN 1e-3 THEN 0.4 WHEN 1e-5 THEN 0.5 ELSE 0.55 END WHERE model = 'test/1';
-- A target that no measurement supports is refused, never rounded up to a laxer one.
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'vault', 1e-9);
SELECT fixture.verdict(visage.verify('policy-1', fixture.probe('policy-1', 2), 'vault'));
SELECT fixture.verdict(visage.register('policy-2', fixture.probe('policy-2', 2), 'vault'));
SELECT count(*) FROM visage.list_references('policy-2');
-- With several references each keeps its share of the target, so the threshold rises; where no measured one is left, a
-- further reference is not taken. [6.2f]
BEGIN;
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at)
  SELECT 'test/9', 'RFR-1/1024', fmr, threshold, 'made up', '2026-01-01' FROM (VALUES (1e-5, 0.1), (4e-6, 0.2)) t (fmr, threshold);
SELECT fixture.verdict(visage.register('policy-9', fixture.probe('policy-9', 1, model => 'test/9')));
SELECT fixture.verdict(visage.add_reference('policy-9', fixture.probe('policy-9', 2, model => 'test/9')));
SELECT fixture.verdict(visage.add_reference('policy-9', fixture.probe('policy-9', 3, model => 'test/9')));
UPDATE visage.calibration SET threshold = 1.4 WHERE model = 'test/9' AND fmr = 4e-6;
SELECT fixture.verdict(visage.verify('policy-9', fixture.probe('policy-9', 4, model => 'test/9'))) AS with_two;
SELECT fixture.verdict(visage.drop_reference('policy-9', (SELECT reference FROM visage.list_references('policy-9') LIMIT 1)));
SELECT fixture.verdict(visage.verify('policy-9', fixture.probe('policy-9', 5, model => 'test/9'))) AS with_one;
ROLLBACK;
-- An institution's own calibration comes before the shared one.
BEGIN;
INSERT INTO visage.calibration (institution, model, scheme, fmr, threshold, source, measured_at) VALUES (1, 'test/1', 'RFR-1/1024', 1e-5, 1.4, 'made up', '2026-01-01');
SELECT fixture.verdict(visage.verify('policy-1', fixture.probe('policy-1', 3)));
UPDATE visage.calibration SET enabled = false WHERE institution = 1;
SELECT fixture.verdict(visage.verify('policy-1', fixture.probe('policy-1', 3)));
ROLLBACK;

-- [6.1.3a] [7.4a] [7.4f] Floors: too small, too few pixels between the eyes, or a measure that the probe lacks.
SELECT fixture.verdict(visage.verify('policy-1', fixture.probe('policy-1', 2, quality => q::jsonb))), q FROM unnest(ARRAY[
  '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 60}',
  '{"ImageWidth": 639, "ImageHeight": 480, "InterEyeDistance": 60}',
  '{"ImageWidth": 640, "ImageHeight": 479, "InterEyeDistance": 60}',
  '{"ImageWidth": 640, "ImageHeight": 480, "InterEyeDistance": 59.9}',
  '{"ImageWidth": 640, "ImageHeight": 480}',
  '{}']) q;
-- [6.1.2b] Liveness: below the floor, or not measured at all.
SELECT l, fixture.verdict(visage.verify('policy-1', fixture.probe('policy-1', 2, liveness => l))) FROM unnest(ARRAY[0.5, 0.49, 0, NULL]::real[]) l;
-- A channel without floors asks for none.
SELECT fixture.verdict(visage.verify('policy-1', fixture.probe('policy-1', 2, liveness => NULL, quality => '{}'), 'strict'));
-- Floors are asked before a comparison: a stranger below them learns nothing.
SELECT fixture.verdict(visage.verify('policy-1', fixture.probe('policy-9', 2, liveness => 0.1)));

-- Disabled is gone.
UPDATE visage.channel SET enabled = false WHERE name = 'lax';
SELECT visage.verify('policy-1', fixture.probe('policy-1', 2), 'lax');
INSERT INTO visage.scenario (institution, name) VALUES (1, 'loan');
SELECT fixture.verdict(visage.verify('policy-1', fixture.probe('policy-1', 2), 'default', 'loan'));
UPDATE visage.scenario SET enabled = false WHERE name = 'loan';
SELECT visage.verify('policy-1', fixture.probe('policy-1', 2), 'default', 'loan');

-- Nonsense is refused on entry.
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'bad', 0);
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'bad', 1);
INSERT INTO visage.channel (institution, name, target_fmr) VALUES (1, 'bad', 'NaN');
INSERT INTO visage.channel (institution, name, liveness_floor) VALUES (1, 'bad', 'NaN');
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (1, 'default', 'Beauty', 1);
INSERT INTO visage.channel_floor (institution, channel, measure, minimum) VALUES (1, 'strict', 'ImageWidth', 'NaN');
-- Rows of others took numbers.
\set VERBOSITY terse
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('m', 'RFR-9', 1e-5, 0.5, 'x', '2026-01-01');
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('m', 'plain', 1e-5, 'NaN', 'x', '2026-01-01');
INSERT INTO visage.calibration (model, scheme, fmr, threshold, source, measured_at) VALUES ('m', 'plain', 1e-5, 0, 'x', '2026-01-01');
\set VERBOSITY default

-- Rows that ship are changed, not deleted; a changed one counts as the site's own; each change counts a version.
DELETE FROM visage.channel_floor WHERE channel = 'default' AND measure = 'ImageWidth';
BEGIN;
SELECT version AS before FROM visage.policy_version WHERE institution = 1 \gset
UPDATE visage.channel_floor SET minimum = NULL WHERE channel = 'default' AND measure = 'ImageWidth';
SELECT measure, minimum, builtin FROM visage.channel_floor WHERE channel = 'default' ORDER BY 1;
SELECT version - :before AS changes FROM visage.policy_version WHERE institution = 1;
SELECT fixture.verdict(visage.verify('policy-1', fixture.probe('policy-1', 2, quality => '{"ImageHeight": 480, "InterEyeDistance": 60}')));
ROLLBACK;
-- Inserting over a shipped row changes it in place, as a restore does; what depends on it stays.
BEGIN;
INSERT INTO visage.channel (institution, name, target_fmr, liveness_floor) VALUES (1, 'default', 1e-3, 0.7);
SELECT name, target_fmr, liveness_floor, builtin FROM visage.channel WHERE name = 'default';
SELECT count(*) FROM visage.channel_floor WHERE channel = 'default';
ROLLBACK;
