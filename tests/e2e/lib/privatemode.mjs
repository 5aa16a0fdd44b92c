// SPDX-License-Identifier: Apache-2.0
/**
 * A client of the profiles privatemode and continuum-2024, written from docs/wire/ on WebCrypto, `hpke`
 * and `@panva/hpke-noble`.
 *
 *     node privatemode.mjs URL KEY CA.pem REQUESTS    exchanges a secret and asks; one JSON line an answer
 *
 * REQUESTS is JSON: [[profile, body], ...]; an answer is the list of its opened objects.
 */

import { createVerify, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as HPKE from 'hpke'
import { KEM_MLKEM768_X25519 } from '@panva/hpke-noble'

const { subtle } = globalThis.crypto
const text = new TextEncoder()
const hex = (bytes) => Buffer.from(bytes).toString('hex')
const unhex = (words) => new Uint8Array(Buffer.from(words, 'hex'))
const b64 = (bytes) => Buffer.from(bytes).toString('base64')
const unb64 = (words) => new Uint8Array(Buffer.from(words, 'base64'))
const join = (...parts) => Uint8Array.from(parts.flatMap((part) => [...part]))
const random = (n) => crypto.getRandomValues(new Uint8Array(n))

const PLAIN_REQUEST = ['model', 'stream_options', 'max_tokens', 'max_completion_tokens', 'n', 'stream']
const PLAIN_ANSWER = ['id', 'usage']
const sorted = (keys) => {
  const order = (key) => Buffer.from(key.replace(/[.?*]/g, '\\$&'))
  return [...keys].sort((a, b) => Buffer.compare(order(a), order(b)))
}

async function share(url, key, ca) {
  const suite = new HPKE.CipherSuite(KEM_MLKEM768_X25519, HPKE.KDF_HKDF_SHA256, HPKE.AEAD_EXPORT_ONLY)
  const pair = await suite.GenerateKeyPair()
  const publicKey = await suite.SerializePublicKey(pair.publicKey)
  const response = await fetch(`${url}/privatemode/v1/secret`, {
    method: 'POST', headers: { authorization: `Bearer ${key}` }, body: JSON.stringify({ PublicKey: b64(publicKey) }),
  })
  if (response.status !== 200) throw new Error(await response.text())
  const answer = await response.json()
  const enc = unb64(answer.EncapsulatedKey), leaf = new X509Certificate(unb64(answer.MeshCert))
  if (!leaf.checkIssued(ca) || !leaf.verify(ca.publicKey) || !ca.ca || leaf.ca) throw new Error('the certificate')
  if (!createVerify('sha256').update(join(publicKey, enc)).verify(leaf.publicKey, unb64(answer.Signature))) throw new Error('the signature')
  const secret = await suite.ReceiveExport(pair, enc, new Uint8Array(0), 32)
  return { secret, id: b64(new Uint8Array(await subtle.digest('SHA-256', publicKey))) }
}

class Exchange {
  constructor({ secret, id }) {
    this.key = subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt'])
    this.id = id
    this.nonce = random(12)
    this.sent = this.received = 0
  }

  bind(iv, number) {
    const count = new Uint8Array(4)
    new DataView(count.buffer).setUint32(0, number, true)
    return { name: 'AES-GCM', iv, additionalData: join(this.nonce, count) }
  }

  async seal(value) {
    const iv = random(12)
    const sealed = await subtle.encrypt(this.bind(iv, this.sent++), await this.key, text.encode(JSON.stringify(value)))
    return [this.id, hex(this.nonce), hex(iv), hex(new Uint8Array(sealed))].join(':')
  }

  async open(field) {
    const [id, nonce, iv, sealed] = field.split(':')
    if (id !== this.id || nonce !== hex(this.nonce)) throw new Error('another exchange')
    const opened = await subtle.decrypt(this.bind(unhex(iv), this.received++), await this.key, unhex(sealed))
    return JSON.parse(new TextDecoder().decode(opened))
  }

  /** The object with the members that `pick` names sealed or opened, in the order of their keys. */
  async each(object, pick, work) {
    const out = { ...object }
    for (const key of sorted(Object.keys(object).filter(pick))) out[key] = await work.call(this, object[key])
    return out
  }
}

async function ask(url, shared, profile, body) {
  const exchange = new Exchange(shared), old = profile === 'continuum-2024'
  const sends = old ? (key) => key === 'messages' : (key) => !PLAIN_REQUEST.includes(key)
  const reads = old ? (key) => ['choices', 'error'].includes(key) : (key) => !PLAIN_ANSWER.includes(key)
  const headers = { 'content-type': 'application/json', ...(old ? {} : { 'privatemode-secret-id': shared.id }) }
  const sealed = await exchange.each(body, sends, exchange.seal)
  const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body: JSON.stringify(sealed) })
  const came = await response.text()
  if (!response.headers.get('content-type').includes('event-stream')) return [await exchange.each(JSON.parse(came), reads, exchange.open)]
  const lines = came.split('\n\n').slice(0, -1), chunks = []
  if (lines.pop() !== 'data: [DONE]') throw new Error('the stream has no end')
  for (const line of lines) {
    if (!line.startsWith('data: ')) throw new Error(`no event: ${line}`)
    chunks.push(await exchange.each(JSON.parse(line.slice(6)), reads, exchange.open))
  }
  return chunks
}

const [url, key, ca, requests] = process.argv.slice(2)
const shared = await share(url, key, new X509Certificate(readFileSync(ca)))
for (const [profile, body] of JSON.parse(requests)) console.log(JSON.stringify(await ask(url, shared, profile, body)))
