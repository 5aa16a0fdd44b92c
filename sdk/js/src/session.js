// SPDX-License-Identifier: Apache-2.0
/** Beginning a session (docs/wire/native.md, "A session"). */

import { join, name, number, same, text, unb64 } from './bytes.js'
import { SealError, UntrustedGateway } from './errors.js'
import { suites } from './kem.js'
import { hmac, Session } from './records.js'

/** An answer of the gateway that is an error; it is the caller's. */
export class Declined extends Error {
  constructor(response) {
    super(`status ${response.status}`)
    this.response = response
  }
}

async function read(response) {
  if (response.status !== 200) throw new Declined(response)
  const value = await response.json().catch(() => null)
  if (value?.version !== 1) throw new SealError('what answers is no Sotto gateway, or one of another version')
  return value
}

/** Keeps the first value of an address in `store`, and believes no other one: `says(shown, known)`. */
export async function firstUse(store, address, shown, says) {
  const known = await store.get(address)
  if (known === undefined || known === null) {
    await store.set(address, shown)
  } else if (known !== shown) {
    throw new UntrustedGateway(says(shown, known))
  }
}

/**
 * Whose signature counts.  `pinned`: a list of keys in base64, only these.  Else the first key of
 * an address is kept in `store` (get, set) and no other one is believed afterwards.
 */
export async function checkTrust(address, key, { pinned, store }) {
  if (pinned !== undefined) {
    if (!pinned.includes(key)) throw new UntrustedGateway(`The gateway at ${address} signs with ${key}, which is not a key that is pinned.`)
    return
  }
  await firstUse(store, address, key, (shown, known) =>
    `The gateway at ${address} signs with another key (${shown}) than before (${known}): it was set up anew, or somebody is in between.`)
}

async function transcript(suite, publicKey, ciphertext, answer, signingKey) {
  const [word, tee] = [text.encode(suite), text.encode(answer.tee)]
  const seen = join(name('session'), [word.length], word, number(publicKey.length, 4), publicKey, number(ciphertext.length, 4), ciphertext,
    unb64(answer.random, 32), number(answer.expires_in, 4), signingKey, [tee.length], tee)
  return new Uint8Array(await crypto.subtle.digest('SHA-256', seen))
}

/** The session that an answer begins; SealError unless `signingKey` signed it. */
export async function agree(suite, hello, answer, signingKey, begun) {
  if (answer.suite !== suite) throw new SealError('the gateway answered with another suite than the one asked for')
  const { ciphertext, shared } = await hello.finish(answer)
  const digest = await transcript(suite, hello.publicKey, ciphertext, answer, signingKey)
  const signer = await crypto.subtle.importKey('raw', signingKey, 'Ed25519', false, ['verify'])
  if (!await crypto.subtle.verify('Ed25519', signer, unb64(answer.signature, 64), join(name('sign'), digest))) {
    throw new SealError("the session is not signed by the gateway's key")
  }
  if (!same(unb64(answer.session, 16), digest.subarray(0, 16))) throw new SealError("the gateway's session has another number than it should")
  return new Session(digest.slice(0, 16), await hmac(digest, shared), suite, begun + 1000 * Math.min(answer.renew_in, answer.expires_in))
}

/**
 * Begins a session with the gateway whose routes are below `base` (up to and including /v1).
 *
 * @param send     fetch
 * @param headers  of the caller's request that say who it is
 */
export async function begin(send, base, suite, trust, headers, signal) {
  const keys = await read(await send(`${base}/seal/keys`, { signal, redirect: 'error' }))
  const signingKey = unb64(keys.signing_key, 32)
  await checkTrust(new URL(base).host, keys.signing_key, trust)
  const hello = await suites[suite](keys)
  const begun = performance.now()
  const body = JSON.stringify({ version: 1, suite, ...hello.body })
  const asked = { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body, signal, redirect: 'error' }
  return agree(suite, hello, await read(await send(`${base}/seal/session`, asked)), signingKey, begun)
}

/**
 * A session for all requests that wait for it, until it is to be renewed.  Who leaves does not end the
 * exchange for the others; the last one does.
 */
export class Exchange {
  #session
  #waiting = 0
  #done = false
  #end = new AbortController()
  #forget
  renewAt = Infinity // performance.now(); known when the session has begun

  /**
   * @param start   begins the session: start(signal)
   * @param forget  called when no session comes of it: nobody else may wait
   */
  constructor(start, forget) {
    this.#forget = forget
    this.#session = start(this.#end.signal).then((session) => {
      this.renewAt = session.renewAt
      return session
    }, (error) => {
      forget()
      throw error
    }).finally(() => { this.#done = true })
    this.#session.catch(() => {}) // it is told to those who wait; there may be none any more
  }

  /** The session; rejects with the signal's reason as soon as that is aborted. */
  async wait(signal) {
    signal.throwIfAborted()
    let leave
    const left = new Promise((_, fail) => { leave = () => fail(signal.reason) })
    signal.addEventListener('abort', leave)
    this.#waiting += 1
    try {
      return await Promise.race([this.#session, left])
    } finally {
      signal.removeEventListener('abort', leave)
      this.#waiting -= 1
      if (this.#waiting === 0 && !this.#done) {
        this.#forget()
        this.#end.abort()
      }
    }
  }
}
