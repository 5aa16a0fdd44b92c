// SPDX-License-Identifier: Apache-2.0
/** Keys, sessions and records of the profile native (docs/wire/native.md). */

import { join, name, number, random, text } from './bytes.js'
import { CutStream, SealError } from './errors.js'

export const SEALED_TYPE = 'application/vnd.sotto.sealed'

const REQUEST = 1
const ANSWER = 2
const NONCE = 16
const HEAD = 1 + NONCE
const TAG = 16

export async function hmac(key, data) {
  const own = await crypto.subtle.importKey('raw', key, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign'])
  return new Uint8Array(await crypto.subtle.sign('HMAC', own, data))
}

/** HKDF-Expand of one block (RFC 5869 2.3): all keys here have 32 bytes. */
export function expand(key, info) {
  return hmac(key, join(info, [1]))
}

/** One direction of one request: seals or opens its records in their order. */
export class Channel {
  #key
  #direction
  #place
  #number = 0
  over = false

  constructor(key, direction, status, { method, path, model }) {
    const [m, p, n] = [method, path, model].map((part) => text.encode(part))
    this.#key = crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['encrypt', 'decrypt'])
    this.#direction = direction
    this.#place = join(number(status, 2), [m.length], m, number(p.length, 2), p, number(n.length, 2), n)
  }

  #bind(last) {
    if (this.over) throw new SealError('a record follows the last one')
    const count = number(this.#number, 8)
    this.#number += 1
    this.over = last
    return { name: 'AES-GCM', iv: join(number(0, 4), count), additionalData: join([this.#direction, last ? 1 : 0], count, this.#place) }
  }

  async seal(words, last) {
    const size = words.length + 4
    const unit = size > 16384 ? 4096 : 256
    const padded = new Uint8Array(Math.ceil(size / unit) * unit)
    padded.set(number(words.length, 4))
    padded.set(words, 4)
    const sealed = await crypto.subtle.encrypt(this.#bind(last), await this.#key, padded)
    return join([last ? 1 : 0], new Uint8Array(sealed))
  }

  /** The text; `over` tells afterwards whether the record was the last one. */
  async open(record) {
    if (record.length < 1 + TAG || record[0] > 1) throw new SealError('what came is no sealed record')
    const bound = this.#bind(record[0] === 1)
    let padded
    try {
      padded = new Uint8Array(await crypto.subtle.decrypt(bound, await this.#key, record.subarray(1)))
    } catch {
      throw new SealError('a sealed record does not open: it was changed on its way')
    }
    const size = padded.length >= 4 ? new DataView(padded.buffer).getUint32(0) : Infinity
    if (size > padded.length - 4) throw new SealError('a sealed record has an impossible length')
    return padded.subarray(4, 4 + size)
  }
}

/** A secret that client and gateway share; it should be renewed at `renewAt` (performance.now()). */
export class Session {
  #secret

  constructor(id, secret, suite, renewAt) {
    this.id = id
    this.#secret = secret
    this.suite = suite
    this.renewAt = renewAt
  }

  /** The body of a sealed request, and what opens its answer. */
  async request(place, words) {
    const nonce = random(NONCE)
    const named = text.encode(place.model)
    const key = await expand(this.#secret, join(name('request'), nonce))
    const record = await new Channel(key, REQUEST, 0, place).seal(words, true)
    const body = join([1], this.id, nonce, number(named.length, 2), named, record)
    return { body, pending: new Pending(this.#secret, nonce, place) }
  }
}

/** A request that was sent; opens its answer. */
export class Pending {
  #secret
  #nonce
  #place

  constructor(secret, nonce, place) {
    this.#secret = secret
    this.#nonce = nonce
    this.#place = place
  }

  async channel(head, status) {
    if (head.length !== HEAD || head[0] !== 1) throw new SealError('what came is no sealed answer')
    const key = await expand(this.#secret, join(name('answer'), this.#nonce, head.subarray(1)))
    return new Channel(key, ANSWER, status, this.#place)
  }

  /** The text of a whole answer. */
  async whole(status, body) {
    const channel = await this.channel(body.subarray(0, HEAD), status)
    const words = await channel.open(body.subarray(HEAD))
    if (!channel.over) throw new CutStream('the sealed answer has no end')
    return words
  }
}
