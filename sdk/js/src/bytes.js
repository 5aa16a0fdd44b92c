// SPDX-License-Identifier: Apache-2.0
/** Bytes, text and base64, without anything that only Node has. */

import { SealError } from './errors.js'

export const text = new TextEncoder()
export const plain = new TextDecoder('utf-8', { fatal: true })

export function join(...parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** A number, most significant byte first. */
export function number(value, size) {
  const out = new Uint8Array(size)
  let rest = BigInt(value)
  for (let i = size - 1; i >= 0; i--) {
    out[i] = Number(rest & 255n)
    rest >>= 8n
  }
  return out
}

/** The ASCII text, filled up with zero bytes to 24 (docs/wire/native.md). */
export function name(what) {
  const out = new Uint8Array(24)
  out.set(text.encode(`sotto-native-1 ${what}`))
  return out
}

const PIECE = 0x8000

export function b64(bytes) {
  let out = ''
  for (let at = 0; at < bytes.length; at += PIECE) {
    out += String.fromCharCode(...bytes.subarray(at, at + PIECE))
  }
  return btoa(out)
}

/** The bytes of base64; SealError, which says `wrong`, where it is none, or of another length. */
export function unb64(words, size, wrong = 'what the gateway sent holds text that is no base64') {
  let binary
  try {
    if (typeof words !== 'string' || words.length % 4 !== 0) throw new Error('not base64')
    binary = atob(words)
  } catch {
    throw new SealError(wrong)
  }
  const out = Uint8Array.from(binary, (c) => c.charCodeAt(0))
  if (size !== undefined && out.length !== size) throw new SealError('what the gateway sent has an impossible length')
  return out
}

export function same(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}

export function random(size) {
  return crypto.getRandomValues(new Uint8Array(size))
}
