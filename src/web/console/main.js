// The console: who is known sees the parts that are theirs. Nothing is kept in the browser.

import { CallFailed, caller, history, policy, quality, report, sessions, setToken } from './calls.js';
import { clear, draw } from './drawing.js';
import { preferred } from './language.js';
import { bars, element, table } from './tables.js';
import { chooseLanguage, language, word } from './words.js';

// The parts of the console, and the right that opens each.
const PARTS = { sessions: 'list_sessions', history: 'read_history', reports: 'read_reports', policy: 'read_policy', quality: 'quality' };
const REPORTS = { daily: 'daily', channel: 'by-channel', reason: 'by-reason', latency: 'latency', failures: 'most-failures' };
const PAGE = 100;  // events that come at once

const part = id => document.getElementById(id);
let known = null;      // who, and which routes
let again = () => {};  // draws what is shown once more, in another language

const values = form => Object.fromEntries(new FormData(form));
// A day or minute of the browser's clock, as a moment.
const moment = text => (text ? new Date(text.length === 10 ? `${text}T00:00` : text).toISOString() : '');

function tell(error) {
  const detail = error instanceof CallFailed ? error.message : String(error.message ?? error);
  part('problem').textContent = error ? word('trouble', { detail }) : '';
}

const guarded = work => async event => {
  event?.preventDefault();
  part('problem').textContent = '';
  try {
    await work(event);
  } catch (error) {
    if (error.name === 'AbortError') return;
    if (error instanceof CallFailed && error.status === 401 && known) leave();
    else tell(error);
  }
};

function translate() {
  document.documentElement.lang = language();
  for (const one of document.querySelectorAll('[data-word]')) one.textContent = word(one.dataset.word);
  part('language').textContent = language() === 'en' ? '中文' : 'English';
  part('language').lang = language() === 'en' ? 'zh-CN' : 'en';
  part('who').textContent = known ? word('caller', { name: known.caller }) : '';
  part('drawing').setAttribute('aria-label', word('drawing'));
  again();
}

function show(id) {
  for (const section of document.querySelectorAll('main > section')) section.hidden = section.id !== id;
  for (const button of part('parts').children) {
    if (button.dataset.part === id) button.setAttribute('aria-current', 'page');
    else button.removeAttribute('aria-current');
  }
  if (id !== 'quality') forget();
  part('problem').textContent = '';
  part(id).querySelector('h1').focus();
}

function fill(id, ...content) {
  part(id).replaceChildren(...content);
}

// Draws now, and whenever the language changes.
function put(make) {
  again = make;
  make();
}

async function look() {
  const { sessions: rows } = await sessions(values(part('sessions-form')));
  put(() => fill('sessions-out', table(word('sessions'), rows)));
}

async function search(asked = values(part('history-form')), before = '', earlier = []) {
  const { events } = await history({ ...asked, since: moment(asked.since), until: moment(asked.until), before });
  const all = [...earlier, ...events];
  put(() => fill('history-out', table(word('history'), all)));
  part('older').hidden = events.length < PAGE;
  part('older').onclick = guarded(() => search(asked, String(all.at(-1).event), all));
}

async function reportAll() {
  const asked = values(part('reports-form'));
  const range = { since: moment(asked.since), until: moment(asked.until) };
  const got = {};
  for (const name of Object.keys(REPORTS)) got[name] = (await report(name, range)).rows;
  put(() => fill('reports-out', ...Object.entries(REPORTS).flatMap(([name, title]) => [
    element('h2', word(title)),
    ...(got[name].length > 0 && ['daily', 'channel'].includes(name) ? [bars(word(title), got[name], row => String(row.day ?? row.channel))] : []),
    table(word(title), got[name]),
  ])));
}

// One file that the auditor asked for: the only thing that this page ever gives to a disk.
async function saveReport() {
  const asked = values(part('reports-form'));
  const { html } = await report('page', { since: moment(asked.since), until: moment(asked.until) });
  const address = URL.createObjectURL(new Blob([html], { type: 'text/html' }));
  element('a', '', { href: address, download: 'report.html' }).click();
  URL.revokeObjectURL(address);
}

async function readPolicy() {
  const { request_id: unused, ...tables } = await policy();
  put(() => fill('policy-out', ...Object.entries(tables).flatMap(([name, rows]) => [element('h2', name), table(name, rows)])));
}

function limitOf({ limit }) {
  if (!limit) return '';
  return `${limit.low ?? '−∞'} … ${limit.high ?? '∞'}${limit.scale === 'scalar' ? ' /100' : ''}`;
}

async function check() {
  const { image, profile } = values(part('quality-form'));
  forget(false);
  if (!image?.size) throw new Error(word('choose-first'));
  const seen = await quality(image, profile);
  await draw(part('drawing'), image, seen);
  const rows = seen.checks.map(one => ({ measure: one.measure, native: one.native, unit: one.unit, scalar: one.scalar,
    limits: limitOf(one), status: one.status, clause: one.clause, advice: one.advice }));
  put(() => fill('quality-out', element('p', word('verdict', { status: seen.status }), { class: `verdict value-${seen.status}` }),
    table(word('quality'), rows)));
}

function forget(chosen = true) {
  clear(part('drawing'));
  fill('quality-out');
  if (chosen) part('quality-form').reset();
}

function leave() {
  setToken('');
  known = null;
  again = () => {};
  for (const id of ['sessions-out', 'history-out', 'reports-out', 'policy-out']) fill(id);
  for (const form of document.forms) form.reset();
  forget();
  part('older').hidden = part('parts').hidden = part('leave').hidden = true;
  part('parts').replaceChildren();
  translate();
  show('sign-in');
}

async function enter() {
  known = await caller();
  const mine = Object.keys(PARTS).filter(name => known.routes.includes(PARTS[name]));
  if (mine.length === 0) {
    known = null;
    throw new Error(word('sign-in-nothing'));
  }
  part('parts').replaceChildren(...mine.map(name => {
    const button = element('button', word(name), { type: 'button', 'data-word': name, 'data-part': name });
    button.onclick = guarded(() => openPart(name));
    return button;
  }));
  part('parts').hidden = part('leave').hidden = false;
  translate();
  await openPart(mine[0]);
}

async function openPart(name) {
  again = () => {};
  show(name);
  if (name === 'policy') await readPolicy();
  else if (name === 'sessions') await look();
}

async function signIn(event) {
  event.preventDefault();
  setToken(part('token').value.trim());
  part('token').value = '';
  part('sign-in-problem').textContent = '';
  try {
    await enter();
  } catch (error) {
    setToken('');
    part('sign-in-problem').textContent = error.status === 401 ? word('sign-in-wrong') : error.message;
  }
}

function start() {
  chooseLanguage(preferred());
  translate();
  part('language').onclick = () => {
    chooseLanguage(language() === 'en' ? 'zh-CN' : 'en');
    translate();
  };
  part('sign-in-form').onsubmit = signIn;
  part('leave').onclick = leave;
  part('sessions-form').onsubmit = guarded(look);
  part('history-form').onsubmit = guarded(() => search());
  part('reports-form').onsubmit = guarded(reportAll);
  part('save-report').onclick = guarded(saveReport);
  part('quality-form').onsubmit = guarded(check);
  part('forget').onclick = () => forget();
  addEventListener('pagehide', leave);
  // Who has a certificate needs no token.
  enter().catch(() => { part('token').focus(); });
}

start();
