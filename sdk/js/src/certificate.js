// SPDX-License-Identifier: Apache-2.0
/**
 * Certificates as far as a mesh needs them (RFC 5280; DER by X.690): an authority on P-256 and what
 * it issued for servers.  WebCrypto checks signatures but reads no certificates.
 */

import { same, unb64 } from './bytes.js'
import { SealError, UntrustedGateway } from './errors.js'

const ECDSA_SHA256 = [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]
const EXTENDED_USE = [0x55, 0x1d, 0x25]
const BASIC_CONSTRAINTS = [0x55, 0x1d, 0x13]
const SERVER_AUTH = [0x2b, 6, 1, 5, 5, 7, 3, 1]
const [BOOLEAN, INTEGER, BITS, OCTETS, OID, UTC_TIME, SEQUENCE, VERSION, EXTENSIONS] = [1, 2, 3, 4, 6, 0x17, 0x30, 0xa0, 0xa3]

function fail() {
  throw new SealError('what the gateway sent holds no usable certificate')
}

/** The values that stand one after another in `bytes`: { tag, body, all }. */
function values(bytes) {
  const out = []
  for (let at = 0; at < bytes.length;) {
    const begun = at
    const tag = bytes[at]
    let size = bytes[at + 1]
    at += 2
    if (size > 0x80) {
      const count = size & 0x7f
      if (count > 3) fail()
      size = 0
      for (let i = 0; i < count; i++) size = size * 256 + (bytes[at++] ?? fail())
    } else if (size === undefined || size === 0x80) {
      fail()
    }
    if (at + size > bytes.length) fail()
    out.push({ tag, body: bytes.subarray(at, at + size), all: bytes.subarray(begun, at + size) })
    at += size
  }
  return out
}

/** The parts of a value that must be a sequence. */
function parts(value) {
  if (value?.tag !== SEQUENCE) fail()
  return values(value.body)
}

function isOid(value, oid) {
  return value?.tag === OID && same(value.body, oid)
}

/** Milliseconds since 1970 of UTCTime or GeneralizedTime. */
function timeOf({ tag, body }) {
  const words = String.fromCharCode(...body)
  const year = tag === UTC_TIME ? (Number(words.slice(0, 2)) < 50 ? '20' : '19') + words.slice(0, 2) : words.slice(0, 4)
  const rest = words.slice(tag === UTC_TIME ? 2 : 4)
  const time = Date.parse(`${year}-${rest.slice(0, 2)}-${rest.slice(2, 4)}T${rest.slice(4, 6)}:${rest.slice(6, 8)}:${rest.slice(8, 10)}Z`)
  return Number.isNaN(time) ? fail() : time
}

/** The value of an extension, in its octets; undefined where there is none. */
function extension(list, oid) {
  const row = list.map(parts).find(([id]) => isOid(id, oid))
  const value = row?.at(-1)
  if (value !== undefined && value.tag !== OCTETS) fail()
  return value && values(value.body)[0]
}

function partsOf(der) {
  const [whole, ...behind] = values(der)
  const [tbs, algorithm, signature] = parts(whole)
  const fields = parts(tbs).filter(({ tag }) => tag !== VERSION)
  const [, inner, issuer, validity, subject, key] = fields
  const [from, until] = parts(validity)
  const extensions = fields.find(({ tag }) => tag === EXTENSIONS)
  if (behind.length !== 0 || !same(algorithm.all, inner.all) || !isOid(parts(algorithm)[0], ECDSA_SHA256)
    || signature.tag !== BITS || signature.body[0] !== 0) fail()
  return {
    der, tbs: tbs.all, issuer: issuer.all, subject: subject.all, key: key.all,
    signature: signature.body.subarray(1), from: timeOf(from), until: timeOf(until),
    extensions: extensions ? parts(values(extensions.body)[0]) : [],
  }
}

/** The parts of a certificate in DER; SealError where it is none. */
export function read(der) {
  try {
    return partsOf(der)
  } catch {
    return fail() // what is missing is undefined, and has no members
  }
}

/** The first certificate of PEM text; SealError where there is none. */
export function readPem(words) {
  const found = /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(words)
  return found ? read(unb64(found[1].replace(/\s/g, ''))) : fail()
}

/** Whether `signature` (ECDSA in DER) is by the key `spki` on P-256 over SHA-256 of `data`. */
export async function verify(spki, signature, data) {
  const raw = new Uint8Array(64)
  const numbers = parts(values(signature)[0])
  if (numbers.length !== 2) fail()
  numbers.forEach(({ tag, body }, i) => {
    const digits = body[0] === 0 ? body.subarray(1) : body
    if (tag !== INTEGER || digits.length > 32) fail()
    raw.set(digits, 32 * (i + 1) - digits.length)
  })
  const key = await crypto.subtle.importKey('spki', spki, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['verify']).catch(fail)
  return crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, raw, data)
}

/** The key of the certificate `der`; UntrustedGateway unless `authority` issued it for servers. */
export async function checkLeaf(der, authority, address) {
  let leaf, good
  try {
    leaf = read(der)
    const basic = extension(leaf.extensions, BASIC_CONSTRAINTS)
    const uses = extension(leaf.extensions, EXTENDED_USE)
    good = same(leaf.issuer, authority.subject) && leaf.from <= Date.now() && Date.now() <= leaf.until
      && !(basic && parts(basic).some(({ tag, body }) => tag === BOOLEAN && body[0] !== 0))
      && uses !== undefined && parts(uses).some((one) => isOid(one, SERVER_AUTH))
      && await verify(authority.key, leaf.signature, leaf.tbs)
  } catch {
    good = false // whatever is wrong with it
  }
  if (!good) throw new UntrustedGateway(`The gateway at ${address} has a certificate that the trusted mesh CA did not issue for it.`)
  return leaf.key
}
