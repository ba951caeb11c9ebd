// The capture page: link → notice and consent → factors → guided capture → result, or a code for another device.

import { CallFailed, cancelSubject, consent, decline, frameKey, open, sendCode, showFactor, state, takeLink } from './calls.js';
import { capture, endCapture, NoCamera, plan } from './capture.js';
import { qrPicture } from './qr.js';
import { part, say, show, showEnd, speak } from './screen.js';
import { language, word } from './words.js';

const ASK_MS = 1000;

const sleep = milliseconds => new Promise(done => { setTimeout(done, milliseconds); });

let opened = null;  // what the link opened
let over = Infinity;  // when its time is over, on performance.now()'s clock
let running = 0;    // number of what is under way; 0: nothing

function finish(kind, title, words, again = null) {
  running = 0;
  endCapture();
  showEnd(kind, title, words, again);
}

// No answer, or one that says that another may come.
const mayPass = error => !(error instanceof CallFailed) || error.status === 429 || error.status >= 500;

function fail(error, again) {
  if (error instanceof CallFailed && error.status === 401) return finish('bad', 'ended', 'no-link');
  if (error instanceof CallFailed && error.status === 403)
    return finish('bad', 'ended', performance.now() > over ? 'expired' : 'used');
  if (error instanceof CallFailed && error.code === 'MISSING_PART') return finish('bad', 'ended', 'no-photo');
  return mayPass(error) ? finish('bad', 'ended', 'trouble', again) : finish('bad', 'ended', 'other-way');
}

// A handler of the page's: a second press while the first is at work is none. What goes wrong in it ends the page, and
// nothing goes wrong in silence; what may pass can be tried again from there.
const guarded = work => {
  let working = false;
  return async event => {
    event?.preventDefault();
    if (working) return;
    working = true;
    try {
      await work();
    } catch (error) {
      fail(error, guarded(work));
    } finally {
      working = false;
    }
  };
};

function term(key, text) {
  const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
  dt.textContent = word(key);
  dd.textContent = text;
  return [dt, dd];
}

// The scenarios that every database has are told in words; those of an institution are called what it calls them.
function nameOf(purpose) {
  const key = `purpose-${purpose}`;
  return word(key) === key ? purpose : word(key);
}

function fillNotice() {
  if (!opened || opened.hand_over) return;
  const { notice, purposes, purpose } = opened;
  const kind = ['register', 'verify', 'compare', 'identify', 'cancel'].includes(purpose) ? purpose : 'change';
  const seen = purpose !== 'cancel' || opened.needsFace;
  part('notice-lead').textContent = word(`lead-${kind}`);
  part('notice-parts').replaceChildren();
  part('notice-whole').hidden = part('age-group').hidden = !notice;
  if (!notice) {
    part('agree-words').textContent = word(seen ? 'agree-plain' : 'agree-cancel');
    return;
  }
  const list = purposes.map(nameOf).join(language() === 'en' ? ', ' : '、');
  part('notice-parts').append(...term('purpose', list), ...term('manner', notice.manner), ...term('scope', notice.scope),
    ...term('storage', notice.storage));
  part('notice-text').textContent = notice.text;
  part('agree-words').textContent = word('agree-purpose') + list;
}

// Of an identification no consent is recorded, as there is no name for it: then nobody's is asked for either.
const asksGuardian = () => part('consent').elements.age.value === 'true' && opened.purpose !== 'identify';

async function agree() {
  if (!part('agree').checked) {
    say('consent-problem', 'tick-first');
    part('agree').focus();
    return;
  }
  const age = part('consent').elements.age.value;
  if (opened.notice && age === '') {
    say('consent-problem', 'age-first');
    document.querySelector('input[name=age]').focus();
    return;
  }
  const guardian = { guardian: part('guardian-name').value.trim(), guardian_relation: part('guardian-relation').value.trim() };
  if (opened.notice && asksGuardian() && !(guardian.guardian && guardian.guardian_relation)) {
    say('consent-problem', 'guardian-first');
    part('guardian-name').focus();
    return;
  }
  say('consent-problem', '');
  if (opened.notice)
    await consent({ digest: opened.notice.digest, under_14: age, ...(asksGuardian() ? guardian : {}) });
  await goOn();
}

// What comes next: what is still to be shown, the camera, or the last question.
async function goOn() {
  const next = opened.factors[0];
  if (next && next !== 'face') return askFactor(next);
  if (opened.purpose === 'cancel' && !next) return show('confirm');
  const wanted = plan(await frameKey());
  if (!wanted.possible) return finish('bad', 'ended', 'other-way');
  if (wanted.light === 'no') return look({ ...wanted, light: false });
  part('light-yes').onclick = guarded(() => look({ ...wanted, light: true }));
  const instead = wanted.light === 'choice';
  say('light-no', instead ? 'light-no' : 'light-never');
  say('light-lead', instead ? 'light-lead' : 'light-lead-needed');
  part('light-no').onclick = guarded(() => (instead ? look({ ...wanted, light: false, movements: true }) : turnAway()));
  return show('light-choice');
}

function askFactor(kind) {
  const input = part('evidence');
  input.type = kind === 'password' ? 'password' : 'text';
  input.inputMode = kind === 'password' ? 'text' : 'numeric';
  input.autocomplete = kind === 'otp' ? 'one-time-code' : 'off';
  part('code').hidden = kind !== 'otp';
  say('code-told', '');
  say('factor-title', `factor-${kind}`);
  say('evidence-label', `factor-${kind}-label`);
  say('factor-problem', '');
  show('factor');
}

// What a code's service or the database cannot do now can be asked of them again.
const WAITS = { 429: 'code-wait', 502: 'code-trouble', 503: 'busy' };
const isWait = error => error instanceof CallFailed && error.status in WAITS;

async function askCode() {
  part('code-send').disabled = true;
  try {
    say('code-told', (await sendCode()).sent ? 'code-sent' : 'code-refused');
    part('evidence').focus();
  } catch (error) {
    if (!isWait(error)) throw error;
    say('code-told', WAITS[error.status]);
  } finally {
    part('code-send').disabled = false;
  }
}

async function sendFactor() {
  const input = part('evidence');
  const evidence = input.value;
  if (!evidence) {
    say('factor-problem', 'factor-first');
    input.focus();
    return;
  }
  input.value = '';
  part('factor-send').disabled = true;
  try {
    const answer = await showFactor(opened.factors[0], evidence);
    if (answer.result !== 'retry') await conclude(answer);
    else say('factor-problem', answer.advice);
  } catch (error) {
    if (!isWait(error)) throw error;
    say('factor-problem', WAITS[error.status]);
  } finally {
    part('factor-send').disabled = false;
  }
  if (!part('factor').hidden) input.focus();
}

async function look(how) {
  const mine = running = Date.now();
  const goesOn = () => running === mine;
  try {
    const answer = await capture(how, goesOn);
    if (answer !== null && goesOn()) await conclude(answer);
  } catch (error) {
    if (!goesOn()) return;
    if (error instanceof NoCamera) finish('bad', 'ended', 'no-camera', guarded(() => look(how)));
    else fail(error, guarded(() => look(how)));
  }
}

async function confirm() {
  part('confirm-send').disabled = true;
  await conclude(await cancelSubject());
}

// Who must not see the colours, where nothing else will do.
async function turnAway() {
  await decline();
  finish('', 'stopped', 'other-way');
}

const stop = guarded(async () => {
  running = 0;
  endCapture();
  // A picture may have been on its way: then it is not the person who ended this, and the page must not say so.
  if ((await decline()).closed) finish('', 'stopped', 'stopped-words');
  else await follow(running = Date.now());
});

// The session's state; nothing while it cannot be learnt, which the next question may change.
async function askState() {
  try {
    return (await state()).state;
  } catch (error) {
    if (!mayPass(error) || performance.now() > over) throw error;
    return null;
  }
}

// To the end of the session, whoever brings it there.
async function follow(mine, tell = () => {}) {
  while (running === mine) {
    const seen = await askState();
    if (running !== mine) return;
    if (seen === 'SUCCEEDED') return conclude({ result: 'pass' });
    if (seen === 'FAILED') return conclude({ result: 'fail' });
    if (seen === 'FINISHED') return conclude({ result: 'thanks' });
    if (seen === 'EXPIRED') return conclude({ result: 'ended', advice: ['expired'] });
    if (seen) tell(seen);
    await sleep(ASK_MS);
  }
}

async function conclude({ result, advice }) {
  if (result === 'shown') {
    opened.factors.shift();
    endCapture();
    return goOn();
  }
  const gone = opened.purpose === 'cancel';
  if (result === 'pass') finish('good', 'pass', gone ? 'gone-words' : 'pass-words');
  else if (result === 'fail') finish('bad', 'fail', gone ? 'not-gone-words' : 'fail-words');
  else if (result === 'thanks') finish('', 'thanks', 'thanks-words');
  else finish('bad', 'ended', advice?.[0] ?? 'trouble', advice?.[0] === 'not-followed' ? guarded(goOn) : null);
}

async function handOver(link) {
  part('qr').replaceChildren(qrPicture(link, word('handover-label')));
  show('handover');
  await follow(running = Date.now(), seen => say('handover-state', `state-${seen}`));
}

async function begin() {
  if (!opened) {
    opened = await open();
    over = performance.now() + opened.seconds * 1000;
  }
  if (opened.hand_over) return handOver(opened.hand_over);
  opened.needsFace = opened.factors.includes('face');
  fillNotice();
  return show('notice');
}

async function start() {
  speak(fillNotice);
  part('consent').onsubmit = guarded(agree);
  part('consent').onchange = () => { part('guardian').hidden = !asksGuardian(); };
  part('factor-form').onsubmit = guarded(sendFactor);
  part('code-send').onclick = guarded(askCode);
  part('confirm-send').onclick = guarded(confirm);
  for (const button of document.querySelectorAll('[data-stop]')) button.onclick = stop;
  part('light').onclick = stop;
  addEventListener('keydown', event => { if (event.key === 'Escape' && !part('light').hidden) stop(); });
  addEventListener('pagehide', endCapture);
  if (takeLink()) await guarded(begin)();
  else finish('bad', 'ended', 'no-link');
}

start();
