// The console's calls. A token is held by this module alone, in memory; with a client certificate there is none.

let token = '';
let asking = new AbortController();

// Who left gets no answer any more: the next at this page is somebody else.
export function setToken(text) {
  asking.abort();
  asking = new AbortController();
  token = text;
}

export class CallFailed extends Error {
  constructor(status, { code = 'INTERNAL', detail = '' }) {
    super(detail || code);
    this.status = status;
    this.code = code;
  }
}

async function call(path, options = {}) {
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  const { signal } = asking;
  const reply = await fetch(path, { ...options, headers: { ...headers, ...options.headers }, cache: 'no-store',
    credentials: 'same-origin', signal });
  const answer = await reply.json().catch(() => ({}));
  signal.throwIfAborted();
  if (!reply.ok) throw new CallFailed(reply.status, answer);
  return answer;
}

const filled = values => Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''));
const withQuery = (path, values) => {
  const query = new URLSearchParams(filled(values)).toString();
  return query ? `${path}?${query}` : path;
};

export const caller = () => call('/v1/caller');
export const sessions = values => call(withQuery('/v1/sessions', values));
export const report = (name, values) => call(withQuery(`/v1/reports/${name}`, values));
export const policy = () => call('/v1/policy');
// What is looked for may name people, so it stands in no address.
export const history = values => call('/v1/history', {
  method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(filled(values)),
});

export function quality(image, profile) {
  const body = new FormData();
  for (const [name, value] of Object.entries({ image, profile, marks: 'true' })) body.append(name, value);
  return call('/v1/quality', { method: 'POST', body });
}
