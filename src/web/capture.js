// From the running camera to the flow's one call: guidance, then one picture, or the frames in which the person
// answers what the session asks for.

import { cameraLabel, isRunning, startCamera, stopCamera, takeFrame } from './camera.js';
import { CallFailed, endFrames, frameKey, sendFrame, sendMovement, sendPicture, sendSealed } from './calls.js';
import { Choice, Interrupted, SealedFrames } from './frames.js';
import { flash } from './light.js';
import { Movements } from './movements.js';
import { part, say, show } from './screen.js';

const PICTURES = 3;  // good ones in a row, before anything else
const PAUSE_MS = 120;  // between frames of the guidance
const READ_MS = 1000;  // what a sentence is left on the screen for
const MOVE_MS = 15000;  // to do one movement
const TRIES = 2;       // at the movements
const AGAIN = 2;       // how often frames that the daemon cannot open are taken once more
const SIGNS = { turn_left: '←', turn_right: '→', nod: '↓', blink: '◡ ◡', open_mouth: '○', smile: '◡', return: '' };

const sleep = milliseconds => new Promise(done => { setTimeout(done, milliseconds); });

export class NoCamera extends Error {}

// What a channel's demands mean for this page. light: 'no', 'choice' (or movements), 'needed'.
export function plan({ challenge, demands }) {
  const wants = name => demands.includes(`Liveness${name}`);
  let light = 'no';
  if (wants('Light')) light = 'needed';
  else if (wants('Active') && !wants('Challenge')) light = challenge?.length ? 'choice' : 'needed';
  return {
    possible: !wants('Depth') && !(wants('Challenge') && !challenge?.length),
    frames: demands.length > 0,
    light,
    movements: demands.length > 0 && challenge?.length > 0 && (light === 'no' || wants('Challenge')),
  };
}

function showProgress(words, done, all) {
  part('progress').value = done;
  part('progress').max = all;
  say('progress-words', words, { done, all });
}

function sign(task) {
  part('sign').textContent = SIGNS[task] ?? '';
}

// `goesOn` is asked after each wait: whether this capture is still the one under way.
export async function capture({ light, movements, frames }, goesOn) {
  const video = part('video');
  show('capture');
  sign('');
  say('advice', 'starting');
  showProgress('progress', 0, PICTURES);
  try {
    await startCamera(video);
  } catch (error) {
    throw new NoCamera(String(error));
  }
  let lead = [];  // why what was sent before was not taken
  for (let again = 0, tries = 0; goesOn();) {
    const rests = await guide(video, lead, frames, goesOn);
    if (!goesOn()) return null;
    let answer = null;
    try {
      if (frames) answer = await captureFrames(video, rests, { light, movements }, goesOn);
      else answer = await patiently(sendPicture, rests.at(-1).picture, goesOn);
    } catch (error) {
      // The daemon's key has turned, or an answer was lost on the way.
      const lost = error instanceof CallFailed && error.status === 400 && (again += 1) <= AGAIN;
      if (!lost && !(error instanceof Interrupted)) throw error;
      answer = { result: 'retry', advice: lost ? [] : ['busy'] };
    }
    if (!goesOn() || answer === null) return null;
    if (answer.advice?.[0] === 'begin-again' && (tries += 1) === TRIES) return { result: 'ended', advice: ['not-followed'] };
    if (answer.result !== 'retry') return answer;
    sign('');  // and the person comes to rest while reading: what is done after that would count as not asked for
    lead = ['retry-lead'];
    part('oval').classList.remove('good');
    showProgress('progress', 0, PICTURES);
    say('advice', [...lead, ...answer.advice]);
    await sleep(READ_MS);
  }
  return null;
}

export function endCapture() {
  stopCamera(part('video'));
  part('light').hidden = true;
}

// Busy is waited out; what else goes wrong ends the capture.
async function patiently(send, what, goesOn, tell = true) {
  for (;;) {
    try {
      return await send(what);
    } catch (error) {
      if (!(error instanceof CallFailed) || ![429, 503].includes(error.status) || !goesOn()) throw error;
      if (tell) say('advice', 'busy');
      await sleep(READ_MS);
    }
  }
}

async function take(video, small) {
  if (!isRunning()) throw new Error('the camera is gone');
  return takeFrame(video, small);
}

// Until the last frames in a row are good ones: these.
async function guide(video, lead, small, goesOn) {
  let good = [];
  sign('');
  while (goesOn()) {
    const frame = await take(video, small);
    const seen = await patiently(sendFrame, frame.picture, goesOn);
    if (!goesOn()) return good;
    good = seen.good ? [...good, { ...frame, extents: seen.extents }] : [];
    part('oval').classList.toggle('good', seen.good);
    showProgress('progress', good.length, PICTURES);
    say('advice', seen.good ? 'hold' : [...lead, ...seen.advice]);
    if (seen.good) lead = [];
    if (good.length === PICTURES) return good;
    await sleep(PAUSE_MS);
  }
  return good;
}

async function captureFrames(video, rests, { light, movements }, goesOn) {
  const wanted = await frameKey();
  const sealed = new SealedFrames(wanted, parts => patiently(sendSealed, parts, goesOn, false));
  if (movements || !light) for (const frame of rests) sealed.push(frame);
  const followed = !movements || await follow(video, wanted.challenge, rests, sealed, goesOn);
  if (followed && light) await shine(video, wanted.nonce, sealed, goesOn);
  if (!goesOn()) return null;
  if (!followed) return { result: 'retry', advice: ['begin-again'] };
  say('advice', 'checking');
  sign('');
  const device = cameraLabel();
  return patiently(endFrames, { ...await sealed.end(), ...(device ? { device } : {}) }, goesOn);
}

// The movements, one after the other. False: something else was done, or nobody was seen.
async function follow(video, words, rests, sealed, goesOn) {
  const movements = new Movements(words, rests.map(frame => frame.extents));
  const choice = new Choice(rests);
  let unseen = 0;
  let began = performance.now();
  while (goesOn()) {
    const task = movements.task;
    if (performance.now() - began > MOVE_MS) return false;
    say('advice', `move-${task}`);
    sign(task);
    showProgress('progress-movements', movements.done, words.length);
    const frame = await take(video, true);
    const seen = await patiently(sendMovement, frame.picture, goesOn);
    if (!goesOn()) return false;
    if (!seen.extents) {
      say('advice', seen.advice);
      if ((unseen += 1) > 3) return false;
      continue;
    }
    unseen = 0;
    const shows = movements.see(seen.extents);
    if (shows === null) return false;
    if (choice.takes({ time: frame.time, shows }, sealed.behind)) sealed.push(frame);
    if (movements.task !== task) began = performance.now();
    if (movements.over) break;
  }
  showProgress('progress-movements', words.length, words.length);
  return true;
}

async function shine(video, nonce, sealed, goesOn) {
  say('advice', 'hold');
  await flash(part('light'), nonce, async step => sealed.push({ ...await take(video, true), light: step }), goesOn);
}
