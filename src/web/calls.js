// The page's calls. The link or ticket is held by this module alone, in memory: nothing is stored in the browser.

let token = '';

// From the address, which then forgets it: neither history nor a screenshot keeps the link.
export function takeLink() {
  token = location.hash.slice(1);
  history.replaceState(null, '', location.pathname);
  return token !== '';
}

export class CallFailed extends Error {
  constructor(status, code) {
    super(code);
    this.status = status;
    this.code = code;
  }
}

async function call(name, parts) {
  const body = new FormData();
  for (const [key, value] of Object.entries(parts)) body.append(key, value);
  const options = { method: 'POST', headers: { Authorization: `Capture ${token}` }, cache: 'no-store', credentials: 'omit' };
  if (Object.keys(parts).length > 0) options.body = body;
  const reply = await fetch(`/capture/${name}`, options);
  const answer = await reply.json().catch(() => ({}));
  if (!reply.ok) throw new CallFailed(reply.status, answer.code ?? 'INTERNAL');
  if (answer.ticket) token = answer.ticket;
  return answer;
}

export const open = () => call('open', {});
export const consent = parts => call('consent', parts);
export const decline = () => call('decline', {});
export const state = () => call('state', {});
export const sendFrame = image => call('frame', { image });
export const sendMovement = image => call('frame', { image, movements: 'true' });
export const sendPicture = image => call('picture', { image });
export const frameKey = () => call('frame-key', {});
export const sendSealed = parts => call('sealed-frame', parts);
export const endFrames = parts => call('frames', parts);
export const sendCode = () => call('code', {});
export const showFactor = (kind, evidence) => call('factor', { kind, evidence });
export const cancelSubject = () => call('cancel', {});
