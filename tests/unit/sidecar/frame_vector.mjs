// Made the vector of liveness_frame_test.cpp: what a page does, with WebCrypto (node 18 or a browser).
const { subtle } = globalThis.crypto ?? (await import("node:crypto")).webcrypto;
const hex = (b) => Buffer.from(b).toString("hex");
const bytes = (n, first) => Uint8Array.from({ length: n }, (_, i) => first + i);
const base64url = (b) => Buffer.from(b).toString("base64url");

// The key pairs of RFC 5903, 8.1.
const i = { d: "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433",
  x: "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c3772581180",
  y: "5271a0461cdb8252d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3" };
const r = { d: "c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee53",
  x: "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63",
  y: "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab" };
const point = (k) => Buffer.from("04" + k.x + k.y, "hex");
const jwk = (k) => ({ kty: "EC", crv: "P-256", ...Object.fromEntries(Object.entries(k).map(([n, v]) => [n, base64url(Buffer.from(v, "hex"))])) });

const nonce = bytes(32, 1);
const page = await subtle.importKey("jwk", jwk(i), { name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);
const daemon = await subtle.importKey("raw", point(r), { name: "ECDH", namedCurve: "P-256" }, false, []);
const shared = await subtle.deriveBits({ name: "ECDH", public: daemon }, page, 256);
const info = Buffer.concat([Buffer.from("visage frame 1"), point(i), point(r)]);
const secret = await subtle.importKey("raw", shared, "HKDF", false, ["deriveKey"]);
const key = await subtle.deriveKey({ name: "HKDF", hash: "SHA-256", salt: nonce, info }, secret,
  { name: "AES-GCM", length: 256 }, true, ["encrypt"]);

const header = new DataView(new ArrayBuffer(68));
header.setUint32(0, 0x31465356, true);
header.setUint8(4, 1);
header.setUint8(5, 3);
header.setUint16(8, 0, true);
header.setUint16(10, 1, true);
header.setBigInt64(16, 1234567n, true);
new Uint8Array(header.buffer).set(nonce, 24);
const iv = bytes(12, 100);
new Uint8Array(header.buffer).set(iv, 56);
const aad = new Uint8Array(header.buffer);
const sealed = await subtle.encrypt({ name: "AES-GCM", iv, additionalData: aad }, key, Buffer.from("a picture"));
console.log("key", hex(await subtle.exportKey("raw", key)));
console.log("frame", hex(aad) + hex(sealed));
