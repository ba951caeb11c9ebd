-- The reports as one page: no script, nothing loaded from elsewhere, well-formed as XML and readable as HTML. The texts in
-- it are ASCII with numeric character references, so that it comes out the same from a database of any encoding.
-- Whatever a caller may have named (channels, institutions, roles) goes through html_escape.

CREATE FUNCTION visage.html_escape(value text) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  -- Control characters have no place in XML, not even as references.
  SELECT regexp_replace(
    replace(replace(replace(replace(replace($1, '&', '&amp;'), '<', '&lt;'), '>', '&gt;'), '"', '&quot;'), '''', '&#39;'),
    '[\x01-\x08\x0B\x0C\x0E-\x1F\x7F]', '&#65533;', 'g')
$$;
COMMENT ON FUNCTION visage.html_escape(text) IS 'part of report_html: hostile text as text of a page or value of an attribute';

CREATE FUNCTION visage.html_count(value bigint) RETURNS text
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT to_char(value, 'FM9,999,999,999,999,990')
$$;
COMMENT ON FUNCTION visage.html_count(bigint) IS 'part of report_html: a number with its thousands apart';

CREATE FUNCTION visage.html_percent(value numeric) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT coalesce(to_char(100 * value, 'FM990.0') || '&#160;%', '&#8211;')
$$;
COMMENT ON FUNCTION visage.html_percent(numeric) IS 'part of report_html: a share as a percentage';

CREATE FUNCTION visage.html_row(cell text, cells text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT '<tr><th scope="row">' || cell || '</th>'
         || (SELECT string_agg('<td>' || coalesce(c, '&#8211;') || '</td>', '' ORDER BY i)
             FROM unnest(cells) WITH ORDINALITY u (c, i)) || E'</tr>\n'
$$;
COMMENT ON FUNCTION visage.html_row(text, text[]) IS 'part of report_html: a row of a table; its cells are escaped already';

CREATE FUNCTION visage.html_table(heads text[], rows text, empty text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT CASE WHEN rows IS NULL THEN '<p class="note">' || empty || E'</p>\n' ELSE
    '<div class="wide"><table><thead><tr>'
    || (SELECT string_agg('<th scope="col">' || h || '</th>', '' ORDER BY i) FROM unnest(heads) WITH ORDINALITY u (h, i))
    || E'</tr></thead>\n<tbody>' || rows || E'</tbody></table></div>\n' END
$$;
COMMENT ON FUNCTION visage.html_table(text[], text, text) IS 'part of report_html: a table, or a sentence when it has no rows';

-- Charts over time are 720 by 232 units; what they plot lies between (52, 12) and (712, 192).
CREATE FUNCTION visage.svg_chart(id text, height integer, title text, description text, body text) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT format('<svg viewBox="0 0 720 %2$s" role="img" aria-labelledby="%1$s-title %1$s-desc">'
                '<title id="%1$s-title">%3$s</title><desc id="%1$s-desc">%4$s</desc>%5$s</svg>' || E'\n',
                id, height, title, description, body)
$$;
COMMENT ON FUNCTION visage.svg_chart(text, integer, text, text, text) IS
  'part of report_html: the frame of a chart with its name and its description for those who cannot see it';

CREATE FUNCTION visage.svg_step(span double precision) RETURNS double precision
  LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT unit * (CASE WHEN span / unit <= 5 THEN 1 WHEN span / unit <= 10 THEN 2 WHEN span / unit <= 25 THEN 5 ELSE 10 END)
  FROM (SELECT 10 ^ floor(log(span / 5)) AS unit) u
$$;
COMMENT ON FUNCTION visage.svg_step(double precision) IS 'part of report_html: 1, 2 or 5 times a power of ten, for at most five lines';

CREATE FUNCTION visage.svg_axes(low double precision, high double precision, step double precision, unit text, labels text[])
  RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT (SELECT string_agg(
            format('<line class="grid" x1="52" x2="712" y1="%1$s" y2="%1$s"/><text x="46" y="%2$s" text-anchor="end">%3$s</text>',
                   round(y, 1), round(y + 3.5, 1),
                   CASE WHEN unit = '' THEN visage.html_count(v::bigint) ELSE trim_scale(round(v::numeric, 1)) || unit END), '' ORDER BY v)
          FROM generate_series(0, round((high - low) / step)::integer) k,
               LATERAL (SELECT low + k * step AS v) a,
               LATERAL (SELECT (192 - 180 * (v - low) / (high - low))::numeric AS y) b)
         -- At most twelve dates, or they would run into each other.
         || coalesce((SELECT string_agg(format('<text x="%s" y="210" text-anchor="middle">%s</text>',
                                               round(52 + (i - 0.5) * 660.0 / cardinality(labels), 1), l), '' ORDER BY i)
                      FROM unnest(labels) WITH ORDINALITY u (l, i)
                      WHERE (i - 1) % ceil(cardinality(labels) / 12.0)::integer = 0), '')
$$;
COMMENT ON FUNCTION visage.svg_axes(double precision, double precision, double precision, text, text[]) IS
  'part of report_html: lines and numbers of the vertical axis, dates of the horizontal one';

CREATE FUNCTION visage.svg_attempts(labels text[], accepts bigint[], rejects bigint[], refusals bigint[]) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  slot double precision := 660.0 / cardinality(labels);
  width double precision := least(0.8 * slot, 48);
  most bigint := (SELECT max(a + b + c) FROM unnest(accepts, rejects, refusals) u (a, b, c));
  step double precision := greatest(1, visage.svg_step(greatest(1, most)));
  high double precision := step * greatest(1, ceil(most / step));
BEGIN
  RETURN visage.svg_axes(0, high, step, '', labels) || (
    SELECT string_agg(
      '<g><title>' || format('%s: %s accepted, %s rejected, %s refused', labels[i], visage.html_count(a),
                             visage.html_count(b), visage.html_count(c)) || '</title>'
      || (SELECT coalesce(string_agg(format('<rect class="%s" x="%s" y="%s" width="%s" height="%s"/>', kind,
                                            round((52 + (i - 0.5) * slot - width / 2)::numeric, 2),
                                            round((192 - 180 * (under + n) / high)::numeric, 2),
                                            round(width::numeric, 2), round((180 * n / high)::numeric, 2)), ''), '')
          FROM (VALUES ('accept', 0, a), ('reject', a, b), ('refuse', a + b, c)) v (kind, under, n) WHERE n > 0)
      || '</g>', E'\n' ORDER BY i)
    FROM unnest(accepts, rejects, refusals) WITH ORDINALITY u (a, b, c, i));
END
$$;
COMMENT ON FUNCTION visage.svg_attempts(text[], bigint[], bigint[], bigint[]) IS
  'part of report_html: stacked bars of accepted, rejected and refused calls';

CREATE FUNCTION visage.svg_rates(labels text[], accepts bigint[], attempts bigint[]) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  slot numeric := 660.0 / cardinality(labels);
  -- From the whole tenth below the lowest interval, so that small differences show; the caption says so.
  low numeric := (SELECT least(90, floor(10 * coalesce(min(w.low), 0)) * 10)
                  FROM unnest(accepts, attempts) u (a, n), visage.wilson(a, n) w WHERE n > 0);
  step numeric := CASE WHEN low >= 90 THEN 2 WHEN low >= 80 THEN 5 WHEN low >= 50 THEN 10 ELSE 20 END;
  line text := '';
  marks text := '';
  x numeric;
  y numeric;
  joined boolean := false;  -- does a line lead here? Not across a day without a call.
  rate record;
BEGIN
  low := floor(low / step) * step;
  FOR i IN 1 .. cardinality(labels) LOOP
    SELECT * INTO rate FROM visage.wilson(accepts[i], attempts[i]);
    IF rate.rate IS NULL THEN
      joined := false;
      CONTINUE;
    END IF;
    x := round(52 + (i - 0.5) * slot, 1);
    y := round(192 - 180 * (100 * rate.rate - low) / (100 - low), 1);
    line := line || CASE WHEN joined THEN 'L' ELSE 'M' END || x || ' ' || y;
    joined := true;
    marks := marks || format(
      '<g><title>%s: %s of %s, 95 %% interval %s to %s</title><line class="interval" x1="%s" x2="%s" y1="%s" y2="%s"/>'
      '<circle class="point" cx="%s" cy="%s" r="2.6"/></g>' || E'\n', labels[i], visage.html_percent(rate.rate),
      visage.html_count(attempts[i]), visage.html_percent(rate.low), visage.html_percent(rate.high), x, x,
      round(192 - 180 * (100 * rate.low - low) / (100 - low), 1),
      round(192 - 180 * (100 * rate.high - low) / (100 - low), 1), x, y);
  END LOOP;
  RETURN visage.svg_axes(low, 100, step, '&#160;%', labels)
         || CASE WHEN line <> '' THEN format('<path class="line" d="%s"/>', line) ELSE '' END || marks;
END
$$;
COMMENT ON FUNCTION visage.svg_rates(text[], bigint[], bigint[]) IS
  'part of report_html: a rate over time with its 95 % interval; gaps where nothing was counted';

CREATE FUNCTION visage.svg_bars(labels text[], kinds text[], counts bigint[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT string_agg(
    format('<text x="170" y="%2$s" text-anchor="end">%1$s</text><rect class="%3$s" x="178" y="%4$s" width="%5$s" height="14"/>'
           '<text class="value" x="%6$s" y="%2$s">%7$s (%8$s)</text>', l, 22 * i - 5, k, 22 * i - 16, width,
           178 + width + 6, visage.html_count(n), visage.html_percent(n / total)), E'\n' ORDER BY i)
  FROM (SELECT l, k, n, i, sum(n) OVER () AS total, round(400.0 * n / max(n) OVER (), 1) AS width
        FROM unnest(labels, kinds, counts) WITH ORDINALITY u (l, k, n, i)) r
$$;
COMMENT ON FUNCTION visage.svg_bars(text[], text[], bigint[]) IS 'part of report_html: bars with their counts and shares, a row each';

CREATE FUNCTION visage.svg_latency(labels text[], p50 numeric[], p90 numeric[], p99 numeric[]) RETURNS text
  LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  bottom integer := 26 * cardinality(labels) + 8;
  most double precision := greatest(0.001, (SELECT max(v) FROM unnest(p99) v));
  step double precision := visage.svg_step(most);
  high double precision := step * ceil(most / step);
BEGIN
  RETURN (
    SELECT string_agg(format('<line class="grid" x1="%1$s" x2="%1$s" y1="4" y2="%2$s"/>'
                             '<text x="%1$s" y="%3$s" text-anchor="middle">%4$s&#160;ms</text>',
                             round((178 + 520 * k * step / high)::numeric, 1), bottom, bottom + 16,
                             trim_scale((k * step)::numeric)), '' ORDER BY k)
    FROM generate_series(0, round(high / step)::integer) k)
  || (SELECT string_agg(
        format('<g><title>%1$s: median %2$s ms, 90 %% within %3$s ms, 99 %% within %4$s ms</title>'
               '<text x="170" y="%5$s" text-anchor="end">%1$s</text>'
               '<line class="span" x1="%6$s" x2="%8$s" y1="%9$s" y2="%9$s"/><circle class="p50" cx="%6$s" cy="%9$s" r="5"/>'
               '<circle class="p90" cx="%7$s" cy="%9$s" r="4"/><rect class="p99" x="%11$s" y="%10$s" width="3" height="14"/></g>',
               l, a, b, c, 26 * i - 5, round((178 + 520 * a / high)::numeric, 1), round((178 + 520 * b / high)::numeric, 1),
               round((178 + 520 * c / high)::numeric, 1), 26 * i - 9, 26 * i - 16,
               round((176.5 + 520 * c / high)::numeric, 1)), E'\n' ORDER BY i)
      FROM unnest(labels, p50, p90, p99) WITH ORDINALITY u (l, a, b, c, i));
END
$$;
COMMENT ON FUNCTION visage.svg_latency(text[], numeric[], numeric[], numeric[]) IS
  'part of report_html: median, 90th and 99th percentile on one line an operation';

-- Accepted is the darkest, refused the lightest, on paper without colours too. Paper is white whatever the screen is.
CREATE FUNCTION visage.html_style() RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT '
:root { color-scheme: light; --paper: #fff; --ink: #1b2733; --soft: #5b6875; --line: #dde3e9; --tint: #f5f7f9;
  --accept: #1f5f8b; --reject: #d9772b; --refuse: #b4bec9; }
@media screen and (prefers-color-scheme: dark) {
  :root { color-scheme: dark; --paper: #12181f; --ink: #e4e9ee; --soft: #9aa7b4; --line: #2b3641; --tint: #1a222b;
    --accept: #5aa2d6; --reject: #e8924a; --refuse: #5e6b78; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.5rem 3rem; max-width: 54rem; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; font-variant-numeric: tabular-nums; }
h1 { margin: 0 0 .25rem; font-size: 1.75rem; line-height: 1.2; letter-spacing: -.015em; }
h2 { margin: 2.5rem 0 .25rem; padding-top: .9rem; border-top: 1px solid var(--line); font-size: 1.15rem; }
p { margin: .25rem 0 .75rem; } .lead, .note, figcaption, dt { color: var(--soft); }
.note, figcaption { font-size: .87rem; }
code { font: .87em ui-monospace, "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
dl.facts { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .2rem 1.25rem; margin: 1.25rem 0; font-size: .93rem; }
dd { margin: 0; overflow-wrap: anywhere; }
ul.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(max(8rem, 30%), 1fr)); gap: .75rem; margin: 1.5rem 0;
  padding: 0; list-style: none; }
ul.figures li { padding: .7rem .9rem; border: 1px solid var(--line); border-radius: .4rem; background: var(--tint);
  color: var(--soft); font-size: .82rem; }
ul.figures b { display: block; color: var(--ink); font-size: 1.4rem; line-height: 1.3; font-weight: 600; }
figure { margin: .75rem 0 0; } svg { display: block; width: 100%; height: auto; overflow: visible; }
svg text { fill: var(--soft); font-size: 11px; } svg text.value { fill: var(--ink); }
.grid { stroke: var(--line); } .interval { stroke: var(--soft); stroke-width: 1.2; opacity: .65; }
.line { fill: none; stroke: var(--accept); stroke-width: 1.6; stroke-linejoin: round; } .point { fill: var(--accept); }
.accept { fill: var(--accept); } .reject { fill: var(--reject); } .refuse { fill: var(--refuse); }
.span { stroke: var(--refuse); stroke-width: 3; } .p50 { fill: var(--accept); } .p99 { fill: var(--ink); }
.p90 { fill: var(--paper); stroke: var(--accept); stroke-width: 2; }
.legend { display: flex; flex-wrap: wrap; gap: .2rem 1.25rem; margin: .5rem 0 0; font-size: .87rem; color: var(--soft); }
.legend svg { display: inline-block; width: 12px; height: 12px; margin-right: .4rem; vertical-align: -1px; }
.wide { overflow-x: auto; } table { width: 100%; margin: .75rem 0; border-collapse: collapse; font-size: .87rem; }
th, td { padding: .3rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
thead th { color: var(--soft); font-weight: 500; border-bottom-color: var(--soft); }
th:first-child { text-align: left; padding-left: 0; } td:last-child, thead th:last-child { padding-right: 0; }
tbody th { font-weight: 400; white-space: normal; overflow-wrap: anywhere; } ol { padding-left: 1.25rem; }
@page { size: A4; margin: 16mm 15mm 18mm; }
@media print { body { max-width: none; padding: 0; font-size: 10pt; } h2 { margin-top: 1.4rem; break-after: avoid; }
  figure, li, tr, dl, .together { break-inside: avoid; } thead { display: table-header-group; } .wide { overflow: visible; }
  ul.figures { grid-template-columns: repeat(6, 1fr); gap: .4rem; } ul.figures li { padding: .4rem .5rem; }
  ul.figures b { font-size: 1rem; } * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
'
$$;
COMMENT ON FUNCTION visage.html_style() IS 'part of report_html: how the page looks on light and dark screens and on A4';

CREATE FUNCTION visage.html_legend(kinds text[], labels text[]) RETURNS text
  LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
  SELECT '<p class="legend">' || string_agg(
    '<span><svg viewBox="0 0 12 12" aria-hidden="true">'
    || CASE k WHEN 'p50' THEN '<circle class="p50" cx="6" cy="6" r="5"/>'
              WHEN 'p90' THEN '<circle class="p90" cx="6" cy="6" r="4"/>'
              WHEN 'p99' THEN '<rect class="p99" x="4" y="0" width="3" height="12"/>'
              ELSE '<rect class="' || k || '" width="12" height="12"/>' END
    || '</svg>' || l || '</span>', ' ' ORDER BY i) || E'</p>\n'
  FROM unnest(kinds, labels) WITH ORDINALITY u (k, l, i)
$$;
COMMENT ON FUNCTION visage.html_legend(text[], text[]) IS 'part of report_html: what the marks of a chart mean';

CREATE FUNCTION visage.report_html(
  since timestamptz DEFAULT statement_timestamp() - interval '30 days', until timestamptz DEFAULT statement_timestamp())
  RETURNS text
  -- To compile the page's queries takes longer than to run them.
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $$
DECLARE
  stamp constant text := 'YYYY-MM-DD HH24:MI:SS TZH:TZM';
  figure constant text := E'<figure>%s<figcaption>%s</figcaption></figure>\n';
  institutions text[];
  first_event timestamptz;
  plot_since timestamptz;
  plot_until timestamptz;
  head text;
  total record;
  unit text;
  labels text[];
  accepts bigint[];
  rejects bigint[];
  refusals bigint[];
  verified bigint[];
  verifications bigint[];
  page text;
  part text;
BEGIN
  PERFORM visage.check_report_range(since, until);
  -- Charts begin with the ledger and end now: a range may be longer, and for ever cannot be drawn.
  SELECT at INTO first_event FROM visage.event ORDER BY seq LIMIT 1;
  plot_since := greatest(since, coalesce(first_event, statement_timestamp()));
  plot_until := least(until, statement_timestamp() + interval '1 microsecond');
  IF plot_since >= plot_until THEN
    plot_since := plot_until - interval '1 day';
  END IF;

  SELECT array_agg(i.name ORDER BY i.name) INTO institutions FROM visage.institution i WHERE visage.acts_for(i.id);
  -- root key version (4 bytes), tree hash (32), signature (64)
  SELECT format('<bdi>%s</bdi>, %s records, signed tree hash <code>%s</code>', visage.html_escape(t.origin),
                visage.html_count(e.seq + 1), encode(substr(e.head, 5, 32), 'base64')) INTO head
    FROM visage.event e, visage.tree t
    -- What is committed ends with a batch, whose last row carries the head.
    WHERE e.seq = (SELECT max(seq) FROM visage.event) AND e.head IS NOT NULL;
  SELECT count(*) AS attempts, count(*) FILTER (WHERE decision = 'accept') AS accepts,
         count(*) FILTER (WHERE decision = 'reject') AS rejects, count(*) FILTER (WHERE decision = 'refuse') AS refusals,
         count(DISTINCT subject_surrogate) AS subjects INTO total
    FROM visage.history WHERE at >= since AND at < until AND decision IS NOT NULL;

  page := format(
    E'<!DOCTYPE html>\n<html xmlns="http://www.w3.org/1999/xhtml" lang="en"><head><meta charset="utf-8"/>\n'
    -- Nothing is loaded and nothing runs, even if something got past the escaping.
    '<meta http-equiv="Content-Security-Policy" content="default-src ''none''; style-src ''unsafe-inline''"/>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"/>'
    '<title>Face verification, %2$s to %3$s</title>\n<style>%1$s</style></head>\n<body><header><h1>Face verification report</h1>'
    '<p class="lead">What was asked of the verifier and what it answered, from its ledger.</p>\n<dl class="facts">'
    '<dt>%4$s</dt><dd>%5$s</dd><dt>From</dt><dd>%2$s</dd><dt>Until, exclusive</dt><dd>%3$s</dd>'
    '<dt>Time zone of days</dt><dd>%6$s</dd><dt>Generated</dt><dd>%7$s, by <bdi>%8$s</bdi> in database <bdi>%9$s</bdi></dd>'
    '<dt>Ledger</dt><dd>%10$s</dd></dl>',
    visage.html_style(), coalesce(to_char(nullif(since, '-infinity'), stamp), 'the beginning'),
    coalesce(to_char(nullif(until, 'infinity'), stamp), 'the end'),
    CASE WHEN cardinality(institutions) > 1 THEN 'Institutions' ELSE 'Institution' END,
    coalesce((SELECT string_agg('<bdi>' || visage.html_escape(i) || '</bdi>', ', ') FROM unnest(institutions) i),
             'none: the caller acts for no institution'),
    visage.html_escape(current_setting('TimeZone')), to_char(statement_timestamp(), stamp),
    visage.html_escape(pg_get_userbyid(visage.calling_role())), visage.html_escape(current_database()),
    coalesce(head, 'no signed tree head yet'));
  page := page || format(
    E'<ul class="figures"><li><b>%s</b>calls</li><li><b>%s</b>accepted</li><li><b>%s</b>rejected</li><li><b>%s</b>refused</li>'
    '<li><b>%s</b>accept rate</li><li><b>%s</b>subjects</li></ul></header>\n<main>',
    visage.html_count(total.attempts), visage.html_count(total.accepts), visage.html_count(total.rejects),
    visage.html_count(total.refusals), visage.html_percent((visage.wilson(total.accepts, total.attempts)).rate),
    visage.html_count(total.subjects));
  page := page || '<p class="note">A call is one request to register, verify, compare, add or drop a reference, or cancel. '
    'Rejected: compared and found different. Refused: not compared. Scores are recorded nowhere.</p>';

  -- Bars for days, weeks or months, so that some hundred of them do.
  unit := CASE WHEN plot_until - plot_since <= interval '92 days' THEN 'day'
               WHEN plot_until - plot_since <= interval '2 years' THEN 'week' ELSE 'month' END;
  SELECT array_agg(to_char(b.start, CASE unit WHEN 'day' THEN 'DD Mon' WHEN 'week' THEN 'DD Mon YY' ELSE 'Mon YYYY' END)
                   ORDER BY b.start),
         array_agg(coalesce(a.accepts, 0) ORDER BY b.start), array_agg(coalesce(a.rejects, 0) ORDER BY b.start),
         array_agg(coalesce(a.refusals, 0) ORDER BY b.start), array_agg(coalesce(v.accepts, 0) ORDER BY b.start),
         array_agg(coalesce(v.attempts, 0) ORDER BY b.start)
    INTO labels, accepts, rejects, refusals, verified, verifications
    FROM generate_series(date_trunc(unit, plot_since::timestamp), (plot_until - interval '1 microsecond')::timestamp,
                         ('1 ' || unit)::interval) b (start)
    LEFT JOIN (SELECT date_trunc(unit, d.day::timestamp) AS start, sum(d.accepts)::bigint AS accepts,
                      sum(d.rejects)::bigint AS rejects, sum(d.refusals)::bigint AS refusals
               FROM visage.report_daily(since, until) d GROUP BY 1) a USING (start)
    LEFT JOIN (SELECT date_trunc(unit, d.day::timestamp) AS start, sum(d.accepts)::bigint AS accepts,
                      sum(d.attempts)::bigint AS attempts
               FROM visage.report_daily(since, until, 'verify') d GROUP BY 1) v USING (start);
  page := page || format(E'<section><h2>Calls by %s</h2>\n', unit)
    || format(figure, visage.svg_chart('attempts', 232, 'Calls by ' || unit,
                        format('Stacked bars of accepted, rejected and refused calls, %s in all, at most %s in one %s.',
                               visage.html_count(total.attempts),
                               (SELECT visage.html_count(max(a + b + c)) FROM unnest(accepts, rejects, refusals) u (a, b, c)),
                               unit),
                        visage.svg_attempts(labels, accepts, rejects, refusals))
                      || visage.html_legend('{accept,reject,refuse}', '{accepted,rejected,refused}'),
                      CASE unit WHEN 'day' THEN '' ELSE 'A bar is a ' || unit || ', named by its first day. ' END
                      || 'The first and the last may be cut by the range.')
    || format(E'</section>\n<section><h2>Accept rate of verifications by %s</h2>\n', unit)
    || format(figure, visage.svg_chart('rate', 232, 'Accept rate of verifications by ' || unit,
                        'Points with their 95 percent intervals.', visage.svg_rates(labels, verified, verifications)),
                      'Accepted of all calls of verify, with the 95&#160;% Wilson interval. The axis need not begin at 0.')
    || E'</section>\n';

  SELECT visage.svg_chart('reasons', 22 * count(*)::integer + 4, 'Reasons of rejections and refusals',
                          'Bars by reason, the most frequent first.',
                          visage.svg_bars(array_agg(r.reason ORDER BY r.n DESC, r.reason),
                                          array_agg(r.decision ORDER BY r.n DESC, r.reason),
                                          array_agg(r.n ORDER BY r.n DESC, r.reason)))
         || visage.html_legend('{reject,refuse}', '{rejected,refused}') INTO part
    FROM (SELECT d.reason::text, d.decision::text, sum(d.attempts)::bigint AS n
          FROM visage.report_reason(since, until) d WHERE d.decision <> 'accept' GROUP BY 1, 2) r HAVING count(*) > 0;
  page := page || E'<section class="together"><h2>Why calls were not accepted</h2>\n'
    || coalesce(format(figure, part, 'Shares are of the calls that were not accepted.'),
                '<p class="note">Every call was accepted, or there was none.</p>') || E'</section>\n';

  SELECT visage.svg_chart('latency', 26 * count(*)::integer + 32, 'Time until the decision',
                          'Median, 90th and 99th percentile in milliseconds, by operation.',
                          visage.svg_latency(array_agg(r.label ORDER BY r.i), array_agg(r.p50_ms ORDER BY r.i),
                                             array_agg(r.p90_ms ORDER BY r.i), array_agg(r.p99_ms ORDER BY r.i)))
         || visage.html_legend('{p50,p90,p99}', '{median,90th percentile,99th percentile}')
         || visage.html_table('{Operation,Calls,Median ms,90 % within,99 % within,Longest}', string_agg(
              visage.html_row(r.label, ARRAY[visage.html_count(r.calls), r.p50_ms::text, r.p90_ms::text, r.p99_ms::text,
                                             r.max_ms::text]), '' ORDER BY r.i), '') INTO part
    FROM (SELECT l.*, row_number() OVER (ORDER BY l.operation, l.institution) AS i,
                 l.operation || CASE WHEN cardinality(institutions) > 1
                                  THEN ', ' || visage.html_escape(l.institution) ELSE '' END AS label
          FROM visage.report_latency(since, until) l) r HAVING count(*) > 0;
  page := page || E'<section class="together"><h2>Time until the decision</h2>\n'
    || coalesce(format(figure, part, 'Inside the database; the wait for the durable record and the way to the client come '
                                     'on top.'), '<p class="note">No call was timed.</p>') || E'</section>\n';

  SELECT string_agg(visage.html_row(
           '<bdi>' || coalesce(visage.html_escape(c.channel), '&#8211;') || '</bdi>'
           || CASE WHEN cardinality(institutions) > 1
                THEN ' <span class="note">' || visage.html_escape(c.institution) || '</span>' ELSE '' END,
           ARRAY[visage.html_count(c.attempts), visage.html_count(c.accepts), visage.html_count(c.rejects),
                 visage.html_count(c.refusals), visage.html_percent(c.accept_rate),
                 visage.html_percent(c.accept_low) || ' to ' || visage.html_percent(c.accept_high),
                 visage.html_count(c.subjects)]), '' ORDER BY c.attempts DESC, c.institution, c.channel) INTO part
    FROM visage.report_channel(since, until) c;
  page := page || E'<section class="together"><h2>Channels</h2>\n'
    || visage.html_table('{Channel,Calls,Accepted,Rejected,Refused,Accept rate,95 % interval,Subjects}', part, 'No calls.')
    || E'</section>\n';

  SELECT string_agg(visage.html_row(
           '<code>' || f.subject_surrogate || '</code>',
           ARRAY[visage.html_count(f.attempts), visage.html_count(f.rejects), visage.html_count(f.refusals),
                 to_char(f.last_failure, 'YYYY-MM-DD HH24:MI')]), '' ORDER BY f.failures DESC, f.last_failure DESC) INTO part
    FROM visage.report_subject_failures(since, until) f;
  page := page || E'<section class="together"><h2>Subjects with most failures</h2>\n'
    '<p class="note">By their random surrogates, without names: the page may be passed on, and names are not needed to '
    'judge the figures. Who may read the history finds the records with <code>visage.history_of(&#39;surrogate&#39;)</code>.</p>'
    || visage.html_table('{Subject,Calls,Rejected,Refused,Last failure}', part, 'No subject failed.') || E'</section>\n';

  SELECT string_agg(visage.html_row(r.operation::text, ARRAY[
           visage.html_count(r.n), visage.html_count(r.committed), visage.html_count(r.undone), visage.html_count(r.pending)]),
           '' ORDER BY r.operation) INTO part
    FROM (SELECT h.operation, count(*) AS n, count(*) FILTER (WHERE h.settled = 'committed') AS committed,
                 count(*) FILTER (WHERE h.settled = 'rolled back') AS undone,
                 count(*) FILTER (WHERE h.settled = 'open') AS pending
          FROM visage.history h WHERE h.at >= since AND h.at < until
            AND (h.xid IS NOT NULL OR h.operation IN ('change', 'unlock', 'archive', 'rotate_ledger_key', 'open_ledger'))
          GROUP BY 1) r;
  page := page || E'<section class="together"><h2>What was changed</h2>\n'
    '<p class="note">A verdict stands whatever its caller does next; a change is real only once its transaction was '
    'committed, which a later record tells.</p>'
    || visage.html_table('{Operation,Records,Committed,Rolled back,Open}', part, 'Nothing was changed.') || E'</section>\n';

  SELECT string_agg(visage.html_row(replace(l, ' ', '&#160;'), ARRAY[
           visage.html_count(a + b + c), visage.html_count(a), visage.html_count(b), visage.html_count(c),
           visage.html_percent(w.rate), visage.html_percent(w.low) || ' to ' || visage.html_percent(w.high),
           visage.html_count(n), visage.html_percent(v::numeric / nullif(n, 0))]), '' ORDER BY i) INTO part
    FROM unnest(labels, accepts, rejects, refusals, verified, verifications) WITH ORDINALITY u (l, a, b, c, v, n, i),
         visage.wilson(a, a + b + c) w;
  page := page || format(E'<section><h2>Figures by %s</h2>\n', unit)
    || visage.html_table(ARRAY[initcap(unit), 'Calls', 'Accepted', 'Rejected', 'Refused', 'Accept rate', '95 % interval',
                               'Verifications', 'accepted'], part, '')
    || E'</section>\n';

  RETURN page || E'<section class="together"><h2>How to check this page</h2>\n<ol>'
    '<li>The ledger is whole: <code>SELECT * FROM visage.verify_ledger();</code> gives one row a fault, so none.</li>'
    '<li>It is the ledger you know: keep what <code>SELECT visage.checkpoint();</code> prints, outside this database. Any '
    'later tree head must extend it, which <code>visage.consistency_proof</code> proves to public tools.</li>'
    '<li>The figures are of that ledger: <code>SELECT visage.report_html(since, until);</code> with the range above and the '
    'same time zone counts the same records again. They are append-only, so an ended range keeps its figures.</li>'
    '</ol></section></main></body></html>\n';
END
$$;
COMMENT ON FUNCTION visage.report_html(timestamptz, timestamptz) IS
  'the reports as one page that opens in any browser and prints on A4; it names no subject and loads nothing [6.6i]';
