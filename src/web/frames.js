// Frames of one capture, sealed for the daemon: docs/liveness.md "sealed frame". The key lives for one bundle.

const HEADER = 68;
const MAGIC = 0x31465356;  // "VSF1", little-endian
const NO_LIGHT = 255;
const ECDH = { name: 'ECDH', namedCurve: 'P-256' };
const MOST = 24;  // frames of a bundle: each takes a core about a tenth of a second

const fromHex = text => Uint8Array.from(text.match(/../g) ?? [], pair => parseInt(pair, 16));
const toHex = bytes => Array.from(bytes, byte => byte.toString(16).padStart(2, '0')).join('');

async function agree(daemon, nonce) {
  const pair = await crypto.subtle.generateKey(ECDH, false, ['deriveBits']);
  const point = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey));
  const theirs = await crypto.subtle.importKey('raw', daemon, ECDH, false, []);
  const shared = await crypto.subtle.deriveBits({ name: 'ECDH', public: theirs }, pair.privateKey, 256);
  const secret = await crypto.subtle.importKey('raw', shared, 'HKDF', false, ['deriveKey']);
  const info = new Uint8Array([...new TextEncoder().encode('visage frame 1'), ...point, ...daemon]);
  const key = await crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt: nonce, info }, secret,
    { name: 'AES-GCM', length: 256 }, false, ['encrypt']);
  return { key, point };
}

async function sealOne(key, nonce, frame, index, count) {
  const bytes = new Uint8Array(HEADER);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint8(4, 1);
  header.setUint8(5, frame.light ?? NO_LIGHT);
  header.setUint16(8, index, true);
  header.setUint16(10, count, true);
  header.setBigInt64(16, BigInt(Math.round(frame.time * 1000)), true);
  bytes.set(nonce, 24);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  bytes.set(iv, 56);
  const content = await frame.picture.arrayBuffer();
  return [bytes, await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bytes }, key, content)];
}

// Of frames: { picture, time in ms, light: step, if any }. Gives the parts of the call.
export async function seal(frames, { key: daemon, nonce }) {
  const salt = fromHex(nonce);
  const { key, point } = await agree(fromHex(daemon), salt);
  const pieces = [];
  for (const [index, frame] of frames.entries()) {
    const sealed = await sealOne(key, salt, frame, index, frames.length);
    const length = new DataView(new ArrayBuffer(4));
    length.setUint32(0, HEADER + sealed[1].byteLength, true);
    pieces.push(length.buffer, ...sealed);
  }
  return { frames: new Blob(pieces), page_key: toHex(point) };
}

function spread(list, most) {
  if (list.length <= most) return list;
  return Array.from({ length: most }, (_, i) => list[Math.floor((i * list.length) / most)]);
}

// Movements are judged against the median of all frames, so most of those that are sent show the face at rest. The
// frames in which a movement was done are all there.
export function thin(frames) {
  const show = what => frames.filter(frame => (frame.shows ?? 'rest') === what);
  const [rest, done] = [show('rest'), show('done')];
  const moving = spread(show('moving'), Math.max(0, Math.min(rest.length, MOST / 2) - done.length));
  const kept = new Set([...done, ...moving, ...spread(rest, MOST - done.length - moving.length)]);
  return frames.filter(frame => kept.has(frame));
}
