// Frames of one capture, each sealed for the daemon and sent while the next is taken: docs/liveness.md "sealed frame".
// The key lives for one capture.

const HEADER = 68;
const MAGIC = 0x31465356;  // "VSF1", little-endian
const [PICTURE, END] = [1, 3];
const NO_LIGHT = 255;
const ECDH = { name: 'ECDH', namedCurve: 'P-256' };
const [OFTEN_MS, SELDOM_MS] = [300, 2000];  // between frames that show nothing new
const LONGEST_MS = 3000;  // after a longer gap the daemon takes the next frame for another film's
const FEW = 12;  // so many often, then seldom: each takes a core about a tenth of a second

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

async function sealOne({ key, nonce }, kind, index, count, content, time = 0, light = NO_LIGHT) {
  const bytes = new Uint8Array(HEADER);
  const header = new DataView(bytes.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint8(4, kind);
  header.setUint8(5, light);
  header.setUint16(8, index, true);
  header.setUint16(10, count, true);
  header.setBigInt64(16, BigInt(Math.round(time * 1000)), true);
  bytes.set(nonce, 24);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  bytes.set(iv, 56);
  return new Blob([bytes, await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: bytes }, key, content)]);
}

// The page was held up: what it has taken so far is of no use.
export class Interrupted extends Error {}

// `send` gets the parts of each call, and is asked for one after the other.
export class SealedFrames {
  #send;
  #keys;  // { key, nonce, page_key } to come
  #time = Infinity;  // of the frame before
  #pushed = 0;
  #sent = 0;
  #last;  // of what was pushed is sent
  #failure = null;

  constructor({ key: daemon, nonce }, send) {
    const salt = fromHex(nonce);
    this.#send = send;
    this.#keys = agree(fromHex(daemon), salt).then(({ key, point }) => ({ key, nonce: salt, page_key: toHex(point) }));
    this.#last = this.#keys.catch(error => { this.#failure = error; });
  }

  // How many the daemon has not taken yet: the person waits for these at the end.
  get behind() { return this.#pushed - this.#sent; }

  // A frame is { picture, time in ms, light: step, if any }. What went wrong with those before is thrown here.
  push({ picture, time, light }) {
    if (this.#failure) throw this.#failure;
    if (time - this.#time > LONGEST_MS) throw new Interrupted();
    this.#time = time;
    const index = this.#pushed;
    this.#pushed += 1;
    this.#last = this.#last.then(async () => {
      if (this.#failure) return;
      const keys = await this.#keys;
      const frame = await sealOne(keys, PICTURE, index, 0, await picture.arrayBuffer(), time, light);
      await this.#send({ frame, page_key: keys.page_key });
      this.#sent += 1;
    }).catch(error => { this.#failure ??= error; });
  }

  // The parts of the call that ends it, when all frames were taken.
  async end() {
    await this.#last;
    if (this.#failure) throw this.#failure;
    const keys = await this.#keys;
    return { end: await sealOne(keys, END, this.#pushed, this.#pushed, new Uint8Array(0)), page_key: keys.page_key };
  }
}

// Which frames of somebody who moves are sent. Movements are judged against the median of all frames, so most of them
// show the face at rest. Those in which a movement was done, and the first after it, are all sent; of those at rest few while
// the daemon is behind. Those on the way to a movement show that it is one face throughout.
export class Choice {
  #last;  // that was sent
  #sent;
  #moved = 0;

  // `rests`: frames at rest that are sent in any case.
  constructor(rests) {
    this.#last = { time: rests.at(-1).time, shows: 'rest' };
    this.#sent = rests.length;
  }

  // `shows` as Movements.see() has it.
  takes({ time, shows }, behind) {
    const gap = time - this.#last.time;
    const due = shows === 'moving' ? this.#moved < FEW / 2 && 2 * (this.#moved + 1) <= this.#sent + 1
      : gap >= OFTEN_MS && this.#sent < FEW;
    const wanted = shows === 'done' || (shows === 'rest' && this.#last.shows !== 'rest') || gap >= SELDOM_MS || (due && (shows === 'moving' || behind < 2));
    if (!wanted) return false;
    this.#last = { time, shows };
    this.#sent += 1;
    if (shows !== 'rest') this.#moved += 1;
    return true;
  }
}
