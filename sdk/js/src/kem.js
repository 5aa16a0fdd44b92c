// SPDX-License-Identifier: Apache-2.0
/**
 * How client and gateway come to share a secret: the suites of docs/wire/native.md, on WebCrypto.
 * Where WebCrypto has no ML-KEM, `@noble/post-quantum` takes its place, or what useMlKem() gave.
 */

import { b64, join, number, text, unb64 } from './bytes.js'
import { SealError } from './errors.js'
import { expand, hmac } from './records.js'
import { sha3 } from './sha3.js'

const { subtle } = crypto

export const XWING_KEM = 0x647a
const INFO = text.encode('sotto-native-1')
const CONTEXT = text.encode('session')
const XWING_LABEL = text.encode('\\.//^\\')

let loadMlKem = async () => {
  const name = '@noble/post-quantum/ml-kem.js'
  try {
    return await import(/* @vite-ignore */ name)
  } catch {
    throw new SealError('this WebCrypto lacks ML-KEM: install @noble/post-quantum')
  }
}

/** For pages that bring `@noble/post-quantum/ml-kem.js` along: `load` gives the module where it is needed. */
export function useMlKem(load) {
  loadMlKem = load
}

/** ML-KEM (FIPS 203): { publicKey, open(ciphertext) } for one key pair. */
async function mlkem(size) {
  const algorithm = { name: `ML-KEM-${size}` }
  try {
    const pair = await subtle.generateKey(algorithm, true, ['encapsulateBits', 'decapsulateBits'])
    return {
      publicKey: new Uint8Array(await subtle.exportKey('raw-public', pair.publicKey)),
      open: async (ciphertext) => new Uint8Array(await subtle.decapsulateBits(algorithm, pair.privateKey, ciphertext)),
    }
  } catch {
    const kem = (await loadMlKem())[`ml_kem${size}`]
    const pair = kem.keygen()
    return { publicKey: pair.publicKey, open: async (ciphertext) => kem.decapsulate(ciphertext, pair.secretKey) }
  }
}

/** What both sides of HPKE export: RFC 9180 5.1 and 5.3, base mode, HKDF-SHA-256, export-only. */
export async function hpkeExport(kem, secret, info = INFO, context = CONTEXT) {
  const suite = join(text.encode('HPKE'), number(kem, 2), number(1, 2), number(0xffff, 2))
  const extract = (label, data) => hmac(new Uint8Array(32), join(text.encode('HPKE-v1'), suite, text.encode(label), data))
  const labeled = (key, label, data) => expand(key, join(number(32, 2), text.encode('HPKE-v1'), suite, text.encode(label), data))
  const none = new Uint8Array(0)
  const schedule = join([0], await extract('psk_id_hash', none), await extract('info_hash', info))
  const shared = await hmac(secret, join(text.encode('HPKE-v1'), suite, text.encode('secret')))
  const exporter = await labeled(shared, 'exp', schedule)
  return labeled(exporter, 'sec', context)
}

/** ML-KEM-512 alone. */
async function kyber512() {
  const pair = await mlkem(512)
  return {
    publicKey: pair.publicKey,
    body: { public_key: b64(pair.publicKey) },
    finish: async (answer) => {
      const ciphertext = unb64(answer.ciphertext, 768)
      return { ciphertext, shared: await hpkeExport(0x0040, await pair.open(ciphertext)) }
    },
  }
}

/** X-Wing: ML-KEM-768 and X25519 (draft-connolly-cfrg-xwing-kem); `open` gives the shared secret. */
export async function xWing() {
  const pair = await mlkem(768)
  const curve = await subtle.generateKey({ name: 'X25519' }, false, ['deriveBits'])
  const curvePublic = new Uint8Array(await subtle.exportKey('raw', curve.publicKey))
  const publicKey = join(pair.publicKey, curvePublic)
  const open = async (ciphertext) => {
    if (ciphertext.length !== 1120) throw new SealError('what the gateway sent has an impossible length')
    const theirs = ciphertext.subarray(1088)
    const peer = await subtle.importKey('raw', theirs, { name: 'X25519' }, false, [])
    const two = new Uint8Array(await subtle.deriveBits({ name: 'X25519', public: peer }, curve.privateKey, 256))
    const one = await pair.open(ciphertext.subarray(0, 1088))
    return sha3(join(one, two, theirs, curvePublic, XWING_LABEL))
  }
  return {
    publicKey,
    open,
    body: { public_key: b64(publicKey) },
    finish: async (answer) => {
      const ciphertext = unb64(answer.ciphertext, 1120)
      return { ciphertext, shared: await hpkeExport(XWING_KEM, await open(ciphertext)) }
    },
  }
}

/** RSAES-OAEP to the gateway's published key; not forward secret. */
async function rsa4096(keys) {
  const row = (keys.suites ?? []).find((one) => one.suite === 'rsa4096')
  if (row?.public_key === undefined) throw new SealError('the gateway publishes no RSA key yet: try again in a moment')
  const publicKey = unb64(row.public_key)
  const shared = crypto.getRandomValues(new Uint8Array(32))
  const key = await subtle.importKey('spki', publicKey, { name: 'RSA-OAEP', hash: 'SHA-256' }, false, ['encrypt'])
  const ciphertext = new Uint8Array(await subtle.encrypt('RSA-OAEP', key, shared))
  return { publicKey, body: { key_id: row.key_id, ciphertext: b64(ciphertext) }, finish: async () => ({ ciphertext, shared }) }
}

/** By name: from the gateway's keys to { publicKey, body, finish(answer) }. */
export const suites = { 'x-wing': xWing, kyber512, rsa4096 }

/** The suite for a word of the `encryption` option. */
export function suiteOf(word) {
  const suite = word === 'auto' ? 'x-wing' : word
  if (!Object.hasOwn(suites, suite)) throw new TypeError(`encryption must be one of auto, ${Object.keys(suites).join(', ')}, not ${word}`)
  return suite
}
