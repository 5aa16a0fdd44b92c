// SPDX-License-Identifier: Apache-2.0
/**
 * An entry of a gateway's audit log, checked without trusting the gateway (docs/audit-log.md).
 *
 *   entry      = 0x01 id commitment             commitment = HMAC-SHA-256(opening, record)
 *   leaf       = SHA-256(0x00 entry)            node = SHA-256(0x01 left right)        RFC 6962
 *   proof      = "c2sp.org/tlog-proof@v1", index, hashes, a blank line, a checkpoint   C2SP
 *   checkpoint = origin, size, root, a blank line, signatures (Ed25519)                C2SP
 */

import { join, plain, same, text } from './bytes.js'
import { AuditError, AuditPending, UntrustedLog } from './errors.js'
import { hmac } from './records.js'

const ENTRY = 1 + 22 + 32
const ANSWER_MAX = 1 << 20
const PATH_MAX = 64 // a tree of 2^64 leaves
const NUMBER = /^(0|[1-9][0-9]{0,14})$/
const RECORD = '{"record":'

/** The bytes of base64; AuditError where it is none, or of another length. */
function unb64(words, size) {
  let binary
  try {
    if (typeof words !== 'string' || words.length % 4 !== 0) throw new Error('not base64')
    binary = atob(words)
  } catch {
    throw new AuditError('form', 'it holds text that is no base64')
  }
  if (size !== undefined && binary.length !== size) throw new AuditError('form', 'it holds a value of an impossible length')
  return Uint8Array.from(binary, (c) => c.charCodeAt(0))
}

function number(words) {
  if (!NUMBER.test(words ?? '')) throw new AuditError('form', "it holds a number in another form than C2SP's")
  return Number(words)
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', join(...parts)))
}

/** What stands before the first blank line, and behind it. */
function cut(words) {
  const at = words.indexOf('\n\n')
  if (at < 0) throw new AuditError('form', "its proof is not one of C2SP's form")
  return [words.slice(0, at), words.slice(at + 2)]
}

function parseProof(proof) {
  if (typeof proof !== 'string') throw new AuditError('form', 'it has no proof')
  const [head, checkpoint] = cut(proof)
  const [said, signatures] = cut(checkpoint)
  const [magic, index, ...path] = head.split('\n')
  const [origin, size, root] = said.split('\n')
  if (magic !== 'c2sp.org/tlog-proof@v1' || !index?.startsWith('index ')) throw new AuditError('form', "its proof is not one of C2SP's form")
  if (path.length > PATH_MAX) throw new AuditError('form', 'its proof is too long')
  return {
    index: number(index.slice(6)), path: path.map((line) => unb64(line, 32)), origin, size: number(size), root: unb64(root, 32),
    signed: text.encode(`${said}\n`), signatures: signatures.split('\n').filter((line) => line !== ''),
  }
}

/** The root to which the path leads (RFC 9162 2.1.3.2); null where the path has another length. */
async function follow(leaf, { index, size, path }) {
  let [at, last, node] = [BigInt(index), BigInt(size) - 1n, leaf]
  if (at > last) return null
  for (const other of path) {
    if (last === 0n) return null
    if ((at & 1n) === 1n || at === last) {
      node = await sha256([1], other, node)
      while (at !== 0n && (at & 1n) === 0n) {
        at >>= 1n
        last >>= 1n
      }
    } else {
      node = await sha256([1], node, other)
    }
    at >>= 1n
    last >>= 1n
  }
  return last === 0n ? node : null
}

/** { name, id, key } of "NAME+HASH+KEY", as `sotto audit vkey` prints it; else TypeError. */
async function parseLogKey(vkey) {
  const [, name, hash, key] = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/.exec(vkey.trim()) ?? []
  const raw = key === undefined ? [] : unb64(key, 33)
  if (raw[0] !== 1) throw new TypeError("a log's key is written NAME+HASH+KEY: `sotto audit vkey` prints it")
  const id = (await sha256(text.encode(`${name}\n`), raw)).subarray(0, 4)
  if (Array.from(id, (byte) => byte.toString(16).padStart(2, '0')).join('') !== hash) throw new TypeError("this is no log's key: its hash does not fit")
  return { name, id, key: raw.subarray(1) }
}

async function checkSignature(proof, vkey) {
  const { name, id, key } = await parseLogKey(vkey)
  if (name !== proof.origin) throw new AuditError('signature', `the checkpoint is of the log ${proof.origin}, not of ${name}`)
  for (const line of proof.signatures.filter((one) => one.startsWith(`\u2014 ${name} `))) {
    const signature = unb64(line.slice(line.lastIndexOf(' ') + 1))
    if (!same(signature.subarray(0, 4), id)) continue
    const signer = await crypto.subtle.importKey('raw', key, 'Ed25519', false, ['verify'])
    if (await crypto.subtle.verify('Ed25519', signer, signature.subarray(4), proof.signed)) return
    throw new AuditError('signature', "the log's signature of the checkpoint is wrong")
  }
  throw new AuditError('signature', "the checkpoint bears no signature of the log's key")
}

function checkEntry({ id, entry }) {
  if (entry.length !== ENTRY || entry[0] !== 1 || !same(entry.subarray(1, 23), text.encode(id.replace(/^audit_/, '')))) {
    throw new AuditError('entry', `the entry is not that of ${id}`)
  }
}

/** The record counts byte for byte. */
async function checkRecord({ id, entry, opening, record }) {
  if (!same(await hmac(opening, text.encode(record)), entry.subarray(23))) {
    throw new AuditError('record', 'the entry commits to another record')
  }
  let value
  try {
    value = JSON.parse(record)
  } catch {
    throw new AuditError('form', 'its record is no JSON')
  }
  if (value?.id !== id) throw new AuditError('record', 'the record is that of another request')
}

async function checkInclusion({ entry, proof }) {
  const root = await follow(await sha256([0], entry), proof)
  if (root === null || !same(root, proof.root)) throw new AuditError('inclusion', "the hashes do not lead from the entry to the checkpoint's root")
}

function parseAnswer(id, answer) {
  if (answer.length > ANSWER_MAX) throw new AuditError('form', 'it is too long')
  let said
  try {
    said = JSON.parse(answer)
  } catch {
    said = null
  }
  if (said === null || typeof said !== 'object') throw new AuditError('form', 'it is not what a gateway answers')
  const parts = { id, erased: said.erased === true, entry: unb64(said.entry), proof: parseProof(said.proof), record: null }
  if (parts.erased) return parts
  const end = answer.lastIndexOf(',"proof":')
  if (!answer.startsWith(RECORD) || end < 0) throw new AuditError('form', 'it has no record where one belongs')
  return { ...parts, opening: unb64(said.opening, 32), record: answer.slice(RECORD.length, end) }
}

/** The steps by which `parts` are checked, in order: [what it says, a function that throws where it does not hold]. */
function stepsOf(parts, vkey) {
  const { proof } = parts
  return [
    [`the entry is that of ${parts.id}`, () => checkEntry(parts)],
    ...(parts.erased ? [] : [['the entry commits to this record: HMAC-SHA-256 of it under the opening is the commitment', () => checkRecord(parts)]]),
    [`${proof.path.length} hashes lead from leaf ${proof.index} to the root of the ${proof.size} leaves of the checkpoint`, () => checkInclusion(parts)],
    [`the checkpoint is signed by ${proof.origin}`, vkey === null ? null : () => checkSignature(proof, vkey)],
  ]
}

/**
 * Checks an answer step by step and goes on where one does not hold: for showing.
 *
 * @param {string} id        "audit_" and 22 symbols, as the request's answer named it
 * @param {string} answer    the body of GET /v1/audit/{id}, as it came
 * @param {string|null} vkey the log's key; null: the signature is not checked
 * @returns {Promise<{steps: {good: boolean|null, what: string}[], record: string|null}>}
 */
export async function auditSteps(id, answer, vkey) {
  const parts = parseAnswer(id, answer)
  const steps = []
  for (const [what, run] of stepsOf(parts, vkey)) {
    const why = run === null ? null : await Promise.resolve().then(run).then(() => '', (error) => ` (${error.message})`)
    steps.push({ good: why === null ? null : why === '', what: what + (why ?? '') })
  }
  return { steps, record: parts.record }
}

/** Checks an answer of GET /v1/audit/{id}; AuditError, whose `step` says what does not hold. */
export async function verifyAudit(id, answer, vkey) {
  const parts = parseAnswer(id, answer)
  for (const [, run] of stepsOf(parts, vkey)) await run()
  const { index, size, origin } = parts.proof
  return { id, record: parts.erased ? null : JSON.parse(parts.record), erased: parts.erased, index, size, origin }
}

const memory = new Map()

/** The key of the log: the one that was given, else the first that this gateway showed. */
async function logKey(shown, address, store) {
  try {
    await parseLogKey(shown)
  } catch {
    throw new UntrustedLog(`The gateway at ${address} shows no key of an audit log.`)
  }
  const known = await store.get(`log ${address}`)
  if (known === undefined || known === null) {
    await store.set(`log ${address}`, shown)
  } else if (known !== shown) {
    throw new UntrustedLog(`The audit log of the gateway at ${address} has another key (${shown}) than before (${known}): it was set up anew, or somebody rewrote it.`)
  }
  return shown
}

const WAIT_MS = 250

/**
 * Reads the log's entry of a request (`answer.compliance.audit_id`) and checks it.
 *
 * @param client   { baseURL, apiKey }: a client of the `openai` package is one
 * @param options  { logKey, store, fetch, timeout }: see index.d.ts
 */
export async function audit(client, id, { logKey: pinned, store = memory, fetch: send = globalThis.fetch, timeout = 10_000, signal } = {}) {
  if (!/^audit_[0-9A-Za-z]{22}$/.test(id)) throw new TypeError('an audit id is "audit_" and 22 letters and digits')
  const base = client.baseURL.replace(/\/$/, '')
  const ask = (url) => send(url, { headers: { Authorization: `Bearer ${client.apiKey}` }, redirect: 'error', signal })
  const until = performance.now() + timeout
  let response = await ask(`${base}/audit/${id}`)
  while (response.status === 202) {
    if (performance.now() >= until) throw new AuditPending(`The entry of ${id} is not under a checkpoint yet: ask again.`)
    await new Promise((done) => setTimeout(done, WAIT_MS))
    response = await ask(`${base}/audit/${id}`)
  }
  if (response.status !== 200 && response.status !== 410) throw new AuditError('form', `the gateway answered ${response.status}`)
  const answer = plain.decode(await response.arrayBuffer())
  const vkey = pinned ?? await logKey((await (await ask(`${base.replace(/\/v1$/, '')}/log/vkey`)).text()).trim(), new URL(base).host, store)
  return verifyAudit(id, answer, vkey)
}
