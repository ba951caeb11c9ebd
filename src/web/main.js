// The capture page: link → notice and consent → guided capture → result, or a code for another device.

import { isRunning, startCamera, stopCamera, takeFrame } from './camera.js';
import { CallFailed, consent, decline, open, sendFrame, sendPicture, state, takeLink } from './calls.js';
import { qrPicture } from './qr.js';
import { chooseLanguage, language, word } from './words.js';

const PICTURES = 3;  // good ones in a row, of which the last is used
const PAUSE_MS = 120;  // between frames
const ASK_MS = 1000;

const part = id => document.getElementById(id);
const sleep = milliseconds => new Promise(done => { setTimeout(done, milliseconds); });

let opened = null;  // what the link opened
let over = Infinity;  // when its time is over, on performance.now()'s clock
let running = 0;    // number of the capture that is under way; 0: none
let told = [];      // how to say again, in another language, what is on the screen now

function say(id, key, values) {
  told = told.filter(entry => entry.id !== id);
  told.push({ id, key, values });
  const text = key ? [key].flat().map(one => word(one, values)).join(' ') : '';
  if (part(id).textContent !== text) part(id).textContent = text;
}

function translate() {
  document.documentElement.lang = language();
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = word(element.dataset.word);
  part('language').textContent = language() === 'en' ? '中文' : 'English';
  part('language').lang = language() === 'en' ? 'zh-CN' : 'en';
  for (const { id, key, values } of [...told]) say(id, key, values);
  if (opened && !part('notice').hidden) fillNotice();
}

function show(id) {
  for (const section of document.querySelectorAll('main > section')) section.hidden = section.id !== id;
  part(id).querySelector('h1').focus();
}

function finish(kind, title, words, again = null) {
  running = 0;
  stopCamera(part('video'));
  part('end').className = kind;
  part('end-sign').textContent = { good: '✓', bad: '✕' }[kind] ?? '–';
  say('end-title', title);
  say('end-words', words);
  part('again').hidden = again === null;
  part('again').onclick = again;
  show('end');
}

function fail(error, again = null) {
  if (error instanceof CallFailed && error.status === 401) return finish('bad', 'ended', 'no-link');
  if (error instanceof CallFailed && error.status === 403)
    return finish('bad', 'ended', performance.now() > over ? 'expired' : 'used');
  return finish('bad', 'ended', 'trouble', again);
}

function term(key, text) {
  const [dt, dd] = [document.createElement('dt'), document.createElement('dd')];
  dt.textContent = word(key);
  dd.textContent = text;
  return [dt, dd];
}

function fillNotice() {
  const { notice, purposes, purpose } = opened;
  const kind = { register: 'register', verify: 'verify' }[purpose] ?? 'change';
  part('notice-lead').textContent = word(`lead-${kind}`);
  part('notice-parts').replaceChildren();
  part('notice-whole').hidden = part('age-group').hidden = !notice;
  if (!notice) {
    part('agree-words').textContent = word('agree-plain');
    return;
  }
  const list = purposes.join(language() === 'en' ? ', ' : '、');
  part('notice-parts').append(...term('purpose', list), ...term('manner', notice.manner), ...term('scope', notice.scope),
    ...term('storage', notice.storage));
  part('notice-text').textContent = notice.text;
  part('agree-words').textContent = word('agree-purpose') + list;
}

async function agree(event) {
  event.preventDefault();
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
  const young = age === 'true';
  const guardian = { guardian: part('guardian-name').value.trim(), guardian_relation: part('guardian-relation').value.trim() };
  if (opened.notice && young && !(guardian.guardian && guardian.guardian_relation)) {
    say('consent-problem', 'guardian-first');
    part('guardian-name').focus();
    return;
  }
  say('consent-problem', '');
  try {
    if (opened.notice)
      await consent({ digest: opened.notice.digest, under_14: String(young), ...(young ? guardian : {}) });
    await capture();
  } catch (error) {
    fail(error);
  }
}

async function stop() {
  running = 0;
  stopCamera(part('video'));
  try {
    // A picture may have been on its way: then it is not the person who ended this, and the page must not say so.
    if ((await decline()).closed) finish('', 'stopped', 'stopped-words');
    else await follow(running = Date.now());
  } catch (error) {
    fail(error, stop);
  }
}

// To the end of the session, whoever brings it there.
async function follow(mine, tell = () => {}) {
  while (running === mine) {
    const seen = (await state()).state;
    if (running !== mine) return;
    if (seen === 'SUCCEEDED') return conclude({ result: 'pass' });
    if (seen === 'FAILED') return conclude({ result: 'fail' });
    if (seen === 'EXPIRED') return conclude({ result: 'ended', advice: ['expired'] });
    tell(seen);
    await sleep(ASK_MS);
  }
}

function showProgress(done) {
  part('progress').value = done;
  part('progress').max = PICTURES;
  say('progress-words', 'progress', { done, all: PICTURES });
}

// Busy is waited out; what else goes wrong ends the capture.
async function patiently(send, frame) {
  for (;;) {
    try {
      return await send(frame);
    } catch (error) {
      if (!(error instanceof CallFailed) || error.status !== 503 || running === 0) throw error;
      say('advice', 'busy');
      await sleep(ASK_MS);
    }
  }
}

async function capture() {
  const video = part('video');
  show('capture');
  say('advice', 'starting');
  showProgress(0);
  const mine = running = Date.now();
  try {
    await startCamera(video);
  } catch {
    if (running === mine) finish('bad', 'ended', 'no-camera', () => capture().catch(fail));
    return;
  }
  try {
    await captureWith(video, mine);
  } catch (error) {
    if (running === mine) fail(error, error instanceof CallFailed ? null : () => capture().catch(fail));
  }
}

async function captureWith(video, mine) {
  let lead = [];  // why the picture before was not taken
  for (let done = 0; running === mine;) {
    if (!isRunning()) throw new Error('the camera is gone');
    const frame = await takeFrame(video);
    const seen = await patiently(sendFrame, frame);
    if (running !== mine) return;
    done = seen.good ? done + 1 : 0;
    part('oval').classList.toggle('good', seen.good);
    showProgress(done);
    if (seen.good) lead = [];
    say('advice', seen.good ? 'hold' : [...lead, ...seen.advice]);
    if (done < PICTURES) {
      await sleep(PAUSE_MS);
      continue;
    }
    say('advice', 'checking');
    const answer = await patiently(sendPicture, frame);
    if (running !== mine) return;
    if (answer.result !== 'retry') return conclude(answer);
    done = 0;
    lead = ['retry-lead'];
    part('oval').classList.remove('good');
    showProgress(0);
    say('advice', [...lead, ...answer.advice]);
    await sleep(ASK_MS);
  }
}

function conclude({ result, advice }) {
  if (result === 'pass') finish('good', 'pass', 'pass-words');
  else if (result === 'fail') finish('bad', 'fail', 'fail-words');
  else finish('bad', 'ended', advice?.[0] ?? 'trouble');
}

async function handOver(link) {
  part('qr').replaceChildren(qrPicture(link, word('handover-label')));
  show('handover');
  await follow(running = Date.now(), seen => say('handover-state', `state-${seen}`));
}

async function start() {
  chooseLanguage(navigator.languages.find(name => /^(zh|en)/i.test(name))?.toLowerCase().startsWith('zh') ? 'zh-CN' : 'en');
  translate();
  part('language').onclick = () => {
    chooseLanguage(language() === 'en' ? 'zh-CN' : 'en');
    translate();
  };
  part('consent').onsubmit = agree;
  part('consent').onchange = () => { part('guardian').hidden = part('consent').elements.age.value !== 'true'; };
  part('decline').onclick = part('cancel').onclick = part('handover-cancel').onclick = stop;
  addEventListener('pagehide', () => stopCamera(part('video')));
  if (!takeLink()) return finish('bad', 'ended', 'no-link');
  try {
    opened = await open();
    over = performance.now() + opened.seconds * 1000;
    if (opened.hand_over) return await handOver(opened.hand_over);
    fillNotice();
    show('notice');
  } catch (error) {
    fail(error);
  }
}

start();
