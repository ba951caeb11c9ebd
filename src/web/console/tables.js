// Rows of an answer as a table, or as bars. Everything from the database is text, never markup.

import { word } from './words.js';

export function element(name, content = '', attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...[content].flat());
  return made;
}

const time = text => new Date(text).toLocaleString(document.documentElement.lang, { dateStyle: 'short', timeStyle: 'medium' });
const isTime = text => typeof text === 'string' && /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(text);

function shown(value) {
  if (value === null || value === '') return '–';
  if (isTime(value)) return time(value);
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

// Columns are those of the first row that say anything in any row.
export function table(caption, rows, columns = Object.keys(rows[0] ?? {})) {
  if (rows.length === 0) return element('p', `${caption}: ${word('none')}`, { class: 'none' });
  const used = columns.filter(column => rows.some(row => row[column] !== null && row[column] !== ''));
  const kind = column => (rows.some(row => typeof row[column] === 'number') ? 'number' : 'text');
  const head = element('tr', used.map(column => element('th', word(column), { scope: 'col', class: kind(column) })));
  const body = rows.map(row => element('tr', used.map(column =>
    element('td', shown(row[column]), { class: kind(column) === 'number' ? 'number' : `value-${row[column]}`.replace(/\W+/g, '-') }))));
  const whole = element('table', [element('caption', caption), element('thead', head), element('tbody', body)]);
  // Wide tables scroll by themselves, also by keyboard.
  return element('div', whole, { class: 'wide', tabindex: '0', role: 'region', 'aria-label': caption });
}

const SVG = 'http://www.w3.org/2000/svg';

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

// One bar a row, of accepts, rejects and refusals; the table beside it says the same in figures.
export function bars(caption, rows, label) {
  const most = Math.max(1, ...rows.map(row => row.attempts));
  const height = 22;
  const picture = drawn('svg', { viewBox: `0 0 600 ${rows.length * height}`, role: 'img', 'aria-label': caption, class: 'bars' });
  rows.forEach((row, i) => {
    const text = drawn('text', { x: 0, y: i * height + 15 });
    text.textContent = label(row);
    picture.append(text);
    let left = 180;
    for (const kind of ['accepts', 'rejects', 'refusals']) {
      const width = (row[kind] / most) * 400;
      picture.append(drawn('rect', { x: left, y: i * height + 3, width, height: height - 6, class: kind }));
      left += width;
    }
  });
  const key = ['accepts', 'rejects', 'refusals'].map(kind =>
    element('span', [element('span', '', { class: `key ${kind}`, 'aria-hidden': 'true' }), word(kind)]));
  return element('figure', [picture, element('figcaption', key)]);
}
