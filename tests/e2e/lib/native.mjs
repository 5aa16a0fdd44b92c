// SPDX-License-Identifier: Apache-2.0
/**
 * A client of the profile native, written from docs/wire/native.md on WebCrypto, `hpke` and
 * `@panva/hpke-noble`.
 *
 *     node native.mjs vectors NATIVE.json             known answers
 *     node native.mjs talk URL KEY SUITE REQUESTS     agrees on a session and asks; one JSON line an answer
 *
 * REQUESTS is JSON: [[path, model, text], ...].
 */

import { readFileSync } from 'node:fs'
import * as HPKE from 'hpke'
import { KEM_ML_KEM_512, KEM_MLKEM768_X25519 } from '@panva/hpke-noble'

const { subtle } = globalThis.crypto
const text = new TextEncoder()
const plain = new TextDecoder('utf-8', { fatal: true })
const SEALED = 'application/vnd.sotto.sealed'
const kems = { 'x-wing': KEM_MLKEM768_X25519, kyber512: KEM_ML_KEM_512 }

const name = (words) => { const out = new Uint8Array(24); out.set(text.encode(words)); return out }
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]))
const number = (value, bytes) => Uint8Array.from({ length: bytes }, (_, i) => Number((BigInt(value) >> BigInt(8 * (bytes - 1 - i))) & 255n))
const b64 = (bytes) => Buffer.from(bytes).toString('base64')
const unb64 = (words) => new Uint8Array(Buffer.from(words, 'base64'))
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const unhex = (words) => new Uint8Array(Buffer.from(words, 'hex'))
const same = (a, b) => hex(a) === hex(b)

class Refused extends Error {}

async function hmac(key, data) {
  const own = await subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await subtle.sign('HMAC', own, data))
}

/** HKDF-Expand of one block: all keys here have 32 bytes. */
const expand = (key, info) => hmac(key, join(info, [1]))

const suiteOf = (suite) => new HPKE.CipherSuite(kems[suite], HPKE.KDF_HKDF_SHA256, HPKE.AEAD_EXPORT_ONLY)

async function transcript(terms) {
  const suite = text.encode(terms.suite), tee = text.encode(terms.tee)
  return new Uint8Array(await subtle.digest('SHA-256', join(
    name('sotto-native-1 session'), [suite.length], suite, number(terms.publicKey.length, 4), terms.publicKey,
    number(terms.ciphertext.length, 4), terms.ciphertext, terms.random, number(terms.expiresIn, 4), terms.signingKey, [tee.length], tee)))
}

const requestKey = (secret, nonce) => expand(secret, join(name('sotto-native-1 request'), nonce))
const answerKey = (secret, nonce, own) => expand(secret, join(name('sotto-native-1 answer'), nonce, own))

/** One direction of one request. */
class Channel {
  constructor(key, direction, status, { method, path, model }) {
    const [m, p, n] = [method, path, model].map((part) => text.encode(part))
    this.key = subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt'])
    this.direction = direction
    this.place = join(number(status, 2), [m.length], m, number(p.length, 2), p, number(n.length, 2), n)
    this.number = 0
    this.over = false
  }

  bind(last) {
    if (this.over) throw new Refused('a record behind the last one')
    const count = number(this.number, 8)
    return { name: 'AES-GCM', iv: join([0, 0, 0, 0], count), additionalData: join([this.direction, last ? 1 : 0], count, this.place) }
  }

  async seal(words, last) {
    const size = words.length + 4, unit = size > 16384 ? 4096 : 256
    const padded = new Uint8Array(Math.ceil(size / unit) * unit)
    padded.set(number(words.length, 4))
    padded.set(words, 4)
    const sealed = await subtle.encrypt(this.bind(last), await this.key, padded)
    this.number += 1
    this.over = last
    return join([last ? 1 : 0], new Uint8Array(sealed))
  }

  async open(record) {
    if (record.length < 17 || record[0] > 1) throw new Refused('not a record')
    const last = record[0] === 1
    const padded = new Uint8Array(await subtle.decrypt(this.bind(last), await this.key, record.slice(1)).catch(() => {
      throw new Refused('a record does not open')
    }))
    const size = padded.length >= 4 ? new DataView(padded.buffer).getUint32(0) : Infinity
    if (size > padded.length - 4) throw new Refused('the length of a text')
    this.number += 1
    this.over = last
    return [padded.slice(4, 4 + size), last]
  }
}

/** A session with the gateway at `url`, whose signing key is `pinned`. */
async function begin(url, apiKey, suite, keys, pinned) {
  let body, publicKey, pair, ciphertext, shared
  if (suite === 'rsa4096') {
    const row = keys.suites.find((one) => one.suite === suite)
    publicKey = unb64(row.public_key)
    shared = crypto.getRandomValues(new Uint8Array(32))
    const key = await subtle.importKey('spki', publicKey, { name: 'RSA-OAEP', hash: 'SHA-256' }, false, ['encrypt'])
    ciphertext = new Uint8Array(await subtle.encrypt('RSA-OAEP', key, shared))
    body = { version: 1, suite, key_id: row.key_id, ciphertext: b64(ciphertext) }
  } else {
    pair = await suiteOf(suite).GenerateKeyPair()
    publicKey = await suiteOf(suite).SerializePublicKey(pair.publicKey)
    body = { version: 1, suite, public_key: b64(publicKey) }
  }
  const headers = { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' }
  const response = await fetch(`${url}/v1/seal/session`, { method: 'POST', headers, body: JSON.stringify(body) })
  const answer = await response.json()
  if (response.status !== 200 || answer.suite !== suite) throw new Refused(JSON.stringify(answer))
  if (pair) {
    ciphertext = unb64(answer.ciphertext)
    shared = await suiteOf(suite).ReceiveExport(pair, ciphertext, text.encode('session'), 32, { info: text.encode('sotto-native-1') })
  }
  const digest = await transcript({ suite, publicKey, ciphertext, random: unb64(answer.random), expiresIn: answer.expires_in, signingKey: pinned, tee: answer.tee })
  const signer = await subtle.importKey('raw', pinned, 'Ed25519', false, ['verify'])
  if (!await subtle.verify('Ed25519', signer, unb64(answer.signature), join(name('sotto-native-1 sign'), digest))) throw new Refused('the signature')
  if (!same(unb64(answer.session), digest.slice(0, 16))) throw new Refused('the id of the session')
  return { session: digest.slice(0, 16), secret: await hmac(digest, shared) }
}

/** Sends one sealed request; the texts of its answer and its status. */
async function ask(url, { session, secret }, path, model, words) {
  const nonce = crypto.getRandomValues(new Uint8Array(16)), place = { method: 'POST', path, model }, named = text.encode(model)
  const record = await new Channel(await requestKey(secret, nonce), 1, 0, place).seal(text.encode(words), true)
  const body = join([1], session, nonce, number(named.length, 2), named, record)
  const response = await fetch(url + path, { method: 'POST', headers: { 'content-type': SEALED }, body })
  const came = new Uint8Array(await response.arrayBuffer())
  const type = response.headers.get('content-type')
  const head = async (bytes, status) => {
    if (bytes.length !== 17 || bytes[0] !== 1) throw new Refused('the head of an answer')
    return new Channel(await answerKey(secret, nonce, bytes.slice(1)), 2, status, place)
  }
  if (type === SEALED) {
    const [opened, last] = await (await head(came.slice(0, 17), response.status)).open(came.slice(17))
    if (!last) throw new Refused('an answer without an end')
    return { status: response.status, texts: [plain.decode(opened)] }
  }
  if (!type.startsWith('text/event-stream')) throw new Refused(`${response.status} ${plain.decode(came)}`)
  const events = plain.decode(came).split('\n').filter((line) => line !== '').map((line) => {
    if (!line.startsWith('data: ')) throw new Refused('a line that is no event')
    return unb64(line.slice(6))
  })
  const channel = await head(events[0], 200), texts = []
  let last = false
  for (const event of events.slice(1)) {
    let opened
    [opened, last] = await channel.open(event)
    if (opened.length > 0) texts.push(plain.decode(opened))
  }
  if (!last) throw new Refused('the stream was cut')
  return { status: response.status, texts, stream: true }
}

/** Prints what differs from the file with known answers. */
async function check(file) {
  const known = JSON.parse(readFileSync(file, 'utf8'))
  const wrong = []
  const equal = (got, want, what) => { if (hex(got) !== want) wrong.push(what) }
  for (const v of known.sessions) {
    const suite = suiteOf(v.suite)
    const secretKey = await suite.DeserializePrivateKey(unhex(v.client_seed))
    const shared = await suite.ReceiveExport(secretKey, unhex(v.ciphertext), text.encode('session'), 32, { info: text.encode('sotto-native-1') })
    const digest = await transcript({ suite: v.suite, publicKey: unhex(v.public_key), ciphertext: unhex(v.ciphertext), random: unhex(v.random),
      expiresIn: v.expires_in, signingKey: unhex(v.signing_key), tee: v.tee })
    const signer = await subtle.importKey('raw', unhex(v.signing_key), 'Ed25519', false, ['verify'])
    equal(shared, v.shared, `${v.suite} shared`)
    equal(digest, v.transcript, `${v.suite} transcript`)
    equal(await hmac(digest, shared), v.secret, `${v.suite} secret`)
    if (!await subtle.verify('Ed25519', signer, unhex(v.signature), join(name('sotto-native-1 sign'), digest))) wrong.push(`${v.suite} signature`)
  }
  for (const [i, v] of known.requests.entries()) {
    const key = await requestKey(unhex(v.secret), unhex(v.request_nonce)), named = text.encode(v.model)
    const record = await new Channel(key, 1, 0, v).seal(text.encode(v.text), true)
    equal(key, v.key, `request ${i} key`)
    equal(join([1], unhex(v.session), unhex(v.request_nonce), number(named.length, 2), named, record), v.body, `request ${i} body`)
  }
  for (const [i, v] of known.answers.entries()) {
    const key = await answerKey(unhex(v.secret), unhex(v.request_nonce), unhex(v.answer_nonce))
    const channel = new Channel(key, 2, v.status, v)
    equal(key, v.key, `answer ${i} key`)
    for (const [j, record] of v.records.entries()) {
      const [opened, last] = await channel.open(unhex(record))
      if (plain.decode(opened) !== v.texts[j] || last !== (j + 1 === v.records.length)) wrong.push(`answer ${i} record ${j}`)
    }
  }
  return { sessions: known.sessions.length, requests: known.requests.length, answers: known.answers.length, wrong }
}

const [what, ...rest] = process.argv.slice(2)
if (what === 'vectors') {
  console.log(JSON.stringify(await check(rest[0])))
} else {
  const [url, key, suite, requests] = rest
  const keys = await (await fetch(`${url}/v1/seal/keys`)).json()
  const session = await begin(url, key, suite, keys, unb64(keys.signing_key))
  for (const [path, model, words] of JSON.parse(requests)) {
    console.log(JSON.stringify(await ask(url, session, path, model, words)))
  }
}
