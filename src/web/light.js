// Colours of the screen that follow from the session's nonce: docs/liveness.md "light". Fewer than three changes a
// second (WCAG 2.3.1), and only for who was asked before.

const COLOURS = ['#ff0000', '#00ff00', '#0000ff', '#ffff00', '#ff00ff', '#00ffff'];
const STEPS = 6;
const SETTLE_MS = 240;  // screen, camera and its exposure follow
const STEP_MS = 450;
const DARK_FRAMES = 4;  // of the first step, whose pictures are also compared: more than of the others
const LIT_FRAMES = 2;

export async function colours(nonce) {
  const bytes = Uint8Array.from(nonce.match(/../g), pair => parseInt(pair, 16));
  const text = new Uint8Array([...new TextEncoder().encode('visage light 1'), ...bytes]);
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', text));
  const sequence = ['#000000'];
  let last = COLOURS.length;
  for (let step = 1; step < STEPS; step += 1) {
    const choices = last === COLOURS.length ? last : COLOURS.length - 1;
    let pick = digest[step] % choices;
    if (last !== COLOURS.length && pick >= last) pick += 1;
    sequence.push(COLOURS[pick]);
    last = pick;
  }
  return sequence;
}

// Shows them all; take(step) takes one frame. Stops when `goesOn` says so.
export async function flash(area, nonce, take, goesOn) {
  const sleep = milliseconds => new Promise(done => { setTimeout(done, milliseconds); });
  try {
    for (const [step, colour] of (await colours(nonce)).entries()) {
      if (!goesOn()) return;  // who stopped it sees no further colour
      const began = performance.now();
      area.style.backgroundColor = colour;
      area.dataset.step = step;
      area.hidden = false;
      await sleep(SETTLE_MS);
      for (let i = 0; i < (step === 0 ? DARK_FRAMES : LIT_FRAMES); i += 1) {
        if (!goesOn()) return;
        await take(step);
      }
      await sleep(Math.max(0, STEP_MS - (performance.now() - began)));
    }
  } finally {
    area.hidden = true;
  }
}
