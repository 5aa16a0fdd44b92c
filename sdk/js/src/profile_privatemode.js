// SPDX-License-Identifier: Apache-2.0
/**
 * The profile privatemode (docs/wire/privatemode.md): the members of requests and answers are sealed,
 * each by itself, under a secret for which the gateway's mesh CA vouches.
 */

import { b64, join, plain, random, text, unb64 } from './bytes.js'
import { checkLeaf, readPem, verify } from './certificate.js'
import { CutStream, SealError } from './errors.js'
import { hpkeExport, XWING_KEM, xWing } from './kem.js'
import { Declined, firstUse } from './session.js'

/** A secret is used for this long: the gateway keeps one for an hour, if it is not told otherwise. */
const RENEW_MS = 1800000

const MEMBERS_MAX = 256
const NONCE = 12
const FORGOTTEN = 'no secret for ID'
const PLAIN_REQUEST = {
  '/chat/completions': ['model', 'stream', 'stream_options', 'n', 'max_tokens', 'max_completion_tokens'],
  '/embeddings': ['model'],
}
const PLAIN_ANSWER = ['id', 'usage']

function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}

function unhex(words) {
  if (!/^([0-9a-f]{2})*$/.test(words)) throw new SealError('the answer holds a field that is not sealed')
  return Uint8Array.from(words.match(/../g) ?? [], (two) => Number.parseInt(two, 16))
}

/** Names by their bytes, a backslash before `.`, `?` and `*`. */
function sorted(names) {
  const rows = names.map((name) => [name, hex(text.encode(name.replace(/[.?*]/g, '\\$&')))])
  return rows.sort((a, b) => (a[1] < b[1] ? -1 : 1)).map(([name]) => name)
}

function isObject(value) {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** One request and its answer: seals the members of the one, opens those of the other, in order. */
class Pending {
  #key
  #name
  #nonce = random(NONCE)
  #sent = 0
  #received = 0
  #used = new Set() // a field of ours that comes back would open under the same number

  constructor(key, name) {
    this.#key = key
    this.#name = name
  }

  #bind(iv, count) {
    const number = new Uint8Array(4)
    new DataView(number.buffer).setUint32(0, count, true)
    return { name: 'AES-GCM', iv, additionalData: join(this.#nonce, number) }
  }

  async #seal(value) {
    const iv = random(NONCE)
    this.#used.add(hex(iv))
    const sealed = await crypto.subtle.encrypt(this.#bind(iv, this.#sent++), this.#key, text.encode(JSON.stringify(value)))
    return [this.#name, hex(this.#nonce), hex(iv), hex(new Uint8Array(sealed))].join(':')
  }

  async #open(field) {
    const [name, nonce, iv, sealed, ...more] = typeof field === 'string' ? field.split(':') : []
    if (sealed === undefined || more.length !== 0) throw new SealError('the answer holds a field that is not sealed')
    if (name !== this.#name || nonce !== hex(this.#nonce) || iv.length !== 2 * NONCE || this.#used.has(iv)) throw new SealError('a sealed field belongs to another request')
    let opened
    try {
      opened = await crypto.subtle.decrypt(this.#bind(unhex(iv), this.#received++), this.#key, unhex(sealed))
    } catch {
      throw new SealError('a sealed field does not open: it was changed on its way')
    }
    return JSON.parse(plain.decode(opened))
  }

  /** The object with all members sealed but those named `clear`. */
  async seal(body, clear) {
    const names = Object.keys(body).filter((name) => body[name] !== undefined)
    if (names.length > MEMBERS_MAX) throw new SealError(`a request with more than ${MEMBERS_MAX} members cannot be sealed`)
    const out = { ...body }
    for (const name of sorted(names)) if (!clear.includes(name)) out[name] = await this.#seal(body[name])
    return out
  }

  /** The object that the other side sealed; SealError where it did not. */
  async open(body) {
    const names = isObject(body) ? sorted(Object.keys(body)).filter((name) => !PLAIN_ANSWER.includes(name)) : []
    if (names.length === 0) throw new SealError('what came is no sealed answer')
    const out = { ...body }
    for (const name of names) out[name] = await this.#open(body[name])
    return out
  }
}

function json(words) {
  try {
    return JSON.parse(words)
  } catch {
    throw new SealError('what came is no sealed answer')
  }
}

/**
 * Opens the events of a stream: objects with sealed members; `[DONE]`, or an error, is the last.
 * Anybody can write `[DONE]`; that a choice is finished was sealed.
 */
class Fields {
  #pending
  #over = false
  #finished = new Map() // by the index of each choice that was begun

  constructor(pending) {
    this.#pending = pending
  }

  async event(data) {
    if (this.#over) throw new SealError('an event follows the last one')
    if (data === '[DONE]') {
      if (this.#finished.size === 0 || ![...this.#finished.values()].every(Boolean)) this.ended()
      this.#over = true
      return 'data: [DONE]\n\n'
    }
    const opened = await this.#pending.open(json(data))
    this.#over = Object.keys(opened).join() === 'error'
    for (const { index = 0, finish_reason: reason } of opened.choices ?? []) {
      this.#finished.set(index, this.#finished.get(index) || typeof reason === 'string')
    }
    return `data: ${JSON.stringify(opened)}\n\n`
  }

  ended() {
    if (!this.#over) throw new CutStream('the sealed stream was cut before its end')
  }
}

/** The members of an answer that is one, as bytes. */
async function members(response, ...names) {
  if (response.status !== 200) throw new Declined(response)
  const value = await response.json().catch(() => null)
  if (!names.every((name) => typeof value?.[name] === 'string')) throw new SealError('what answers is no gateway that speaks the profile privatemode')
  return names.map((name) => unb64(value[name]))
}

async function sha256(bytes) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes))
}

/** The mesh CA that is trusted: the one that was handed over, or the first one of an address. */
async function authorityOf(ask, address, { meshCa, store }) {
  if (meshCa !== undefined) return readPem(meshCa)
  const [document] = await members(await ask('attest', { Nonce: b64(random(32)) }), 'AttestationDoc')
  const authority = readPem(plain.decode(unb64(json(plain.decode(document))?.mesh_ca)))
  await firstUse(store, `mesh ${address}`, hex(await sha256(authority.der)), (shown, known) =>
    `The gateway at ${address} has another mesh CA (${shown}) than before (${known}): it was set up anew, or somebody is in between.`)
  return authority
}

async function begin(send, plan, trust, signal) {
  const address = new URL(plan.base).host
  const root = plan.base.replace(/\/v1$/, '')
  const ask = (route, body) => send(`${root}/privatemode/v1/${route}`,
    { method: 'POST', headers: plan.credentials, body: JSON.stringify(body), signal, redirect: 'error' })
  const authority = await authorityOf(ask, address, trust)
  const hello = await xWing()
  const begun = performance.now()
  const answer = await ask('secret', { PublicKey: b64(hello.publicKey) })
  const [encapsulated, signature, certificate] = await members(answer, 'EncapsulatedKey', 'Signature', 'MeshCert')
  const key = await checkLeaf(certificate, authority, address)
  if (!await verify(key, signature, join(hello.publicKey, encapsulated))) throw new SealError("the secret is not signed by the gateway's key")
  const secret = await hpkeExport(XWING_KEM, await hello.open(encapsulated), new Uint8Array(0), new Uint8Array(0))
  const aes = await crypto.subtle.importKey('raw', secret, 'AES-GCM', false, ['encrypt', 'decrypt'])
  return { aes, name: b64(await sha256(hello.publicKey)), renewAt: begun + RENEW_MS }
}

function isClear(response) {
  return response.status >= 400 && response.headers.get('privatemode-encrypted') === 'false'
}

/** The key is sent with each request, as Privatemode's own clients do. */
export const profile = {
  begin,

  /** The body and headers of a sealed request, and what opens its answer. */
  async seal(plan, secret) {
    const pending = new Pending(secret.aes, secret.name)
    const body = JSON.stringify(await pending.seal(plan.body, PLAIN_REQUEST[plan.route]))
    return { body, headers: { ...plan.credentials, 'content-type': 'application/json', 'privatemode-secret-id': secret.name }, pending }
  },

  isStream: (response, type) => type === 'text/event-stream' && !isClear(response),
  isWhole: (response, type) => type === 'application/json' && !isClear(response),
  stream: (pending) => new Fields(pending),
  async whole(pending, response) {
    const opened = await pending.open(json(await response.text()))
    if (('error' in opened) !== (response.status >= 400)) throw new SealError('the status of the answer is not that of what was sealed')
    return JSON.stringify(opened)
  },

  /** Whether the gateway does not know the secret any more. */
  isRefusal: async (response) => isClear(response) && response.status === 500 && (await response.clone().text()).includes(FORGOTTEN),
}
