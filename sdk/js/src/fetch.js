// SPDX-License-Identifier: Apache-2.0
/**
 * A fetch that seals.  What bears text (POST to .../chat/completions and .../embeddings) is sealed;
 * GET requests pass in the clear: lists of models.  Everything else is refused.
 */

import { text } from './bytes.js'
import { CutStream, SealError } from './errors.js'
import { suiteOf } from './kem.js'
import { profile as native } from './profile_native.js'
import { Declined, Exchange } from './session.js'

const ROUTES = ['/chat/completions', '/embeddings']
const CREDENTIALS = ['authorization', 'x-api-key', 'api-key']
const DROPPED = ['content-length', 'content-type', 'transfer-encoding', 'content-encoding']
const LINE_MAX = 32 << 20

/**
 * How it is sealed: `suiteOf(word)`, and `load()`, which gives what seals.  A page that does not ask for
 * a profile does not load it.
 */
const PROFILES = {
  native: { suiteOf, load: async () => native },
  privatemode: {
    suiteOf(word) {
      if (word !== 'auto' && word !== 'x-wing') throw new TypeError(`the profile privatemode has one suite: encryption must be auto or x-wing, not ${word}`)
      return 'x-wing'
    },
    load: async () => (await import('./profile_privatemode.js')).profile,
  },
}

/** How one request is sealed. */
async function planOf(request, suiteOf, defaultSuite) {
  const url = new URL(request.url)
  const route = ROUTES.find((one) => url.pathname.endsWith(one))
  let words = await request.text()
  let body
  try {
    body = JSON.parse(words)
  } catch {
    body = null
  }
  if (typeof body?.model !== 'string' || text.encode(body.model).length > 256) {
    throw new SealError('a request without a JSON body that names its model cannot be sealed')
  }
  let suite = defaultSuite
  if (body.encryption !== undefined) {
    suite = suiteOf(body.encryption)
    delete body.encryption
    words = JSON.stringify(body)
  }
  const credentials = Object.fromEntries(CREDENTIALS.filter((one) => request.headers.has(one)).map((one) => [one, request.headers.get(one)]))
  const base = url.origin + url.pathname.slice(0, -route.length)
  return {
    base, route, suite, credentials, body, words: text.encode(words), url: request.url,
    place: { method: request.method, path: url.pathname, model: body.model },
    key: JSON.stringify([base, suite, credentials]),
  }
}

function typeOf(response) {
  return (response.headers.get('content-type') ?? '').split(';')[0].trim().toLowerCase()
}

function headersOf(response, type) {
  const out = new Headers(response.headers)
  for (const one of DROPPED) out.delete(one)
  out.set('content-type', type)
  return out
}

/** From the bytes of a sealed stream to those of an open one; `events` opens one event. */
class Opener {
  #events
  #held = ''
  #decoder = new TextDecoder('utf-8', { fatal: true })

  constructor(events) {
    this.#events = events
  }

  async transform(bytes, out) {
    const lines = (this.#held + this.#decoder.decode(bytes, { stream: true })).split('\n')
    this.#held = lines.pop()
    if (this.#held.length > LINE_MAX) throw new SealError('an event of the sealed stream is too long')
    for (const line of lines) {
      if (line.startsWith('data:')) {
        const opened = await this.#events.event(line.slice(5).trim())
        if (opened !== '') out.enqueue(text.encode(opened))
      } else if (line.trim() !== '') {
        throw new SealError('the sealed stream holds a line that is not sealed')
      }
    }
  }

  flush() {
    if (this.#held.trim() !== '') throw new CutStream('the sealed stream was cut before its end')
    this.#events.ended()
  }
}

async function opened(profile, response, pending) {
  const init = (type) => ({ status: response.status, statusText: response.statusText, headers: headersOf(response, type) })
  if (profile.isStream(response, typeOf(response))) {
    const opener = new Opener(profile.stream(pending, response.status))
    return new Response(response.body.pipeThrough(new TransformStream(opener)), init('text/event-stream; charset=utf-8'))
  }
  return profile.isWhole(response, typeOf(response)) ? new Response(await profile.whole(pending, response), init('application/json')) : null
}

/** Where the first keys are kept unless the caller says otherwise: for the life of the program. */
function memory() {
  const held = new Map()
  return { get: (address) => held.get(address), set: (address, key) => void held.set(address, key) }
}

export function sealedFetch({ encryption = 'auto', profile: word = 'native', pinned, meshCa, store = memory(), fetch: send = globalThis.fetch } = {}) {
  if (!Object.hasOwn(PROFILES, word)) throw new TypeError(`profile must be one of ${Object.keys(PROFILES).join(', ')}, not ${word}`)
  if (word === 'native' ? meshCa !== undefined : pinned !== undefined) {
    throw new TypeError(`the profile ${word} is trusted by ${word === 'native' ? '`pinned` keys' : 'its `meshCa`'}`)
  }
  const defaultSuite = PROFILES[word].suiteOf(encryption)
  const exchanges = new Map() // by gateway, suite and caller, so that one is begun at a time

  /** Only the one that was found wanting: another request may have put a newer one in its place. */
  function forget(plan, exchange) {
    if (exchanges.get(plan.key) === exchange) exchanges.delete(plan.key)
  }

  function exchangeFor(profile, plan) {
    const held = exchanges.get(plan.key)
    if (held && !(performance.now() >= held.renewAt)) return held
    const made = new Exchange((signal) => profile.begin(send, plan, { pinned, meshCa, store }, signal), () => forget(plan, made))
    exchanges.set(plan.key, made)
    return made
  }

  async function sealed(request, plan) {
    const profile = await PROFILES[word].load()
    for (let last = false; ; last = true) {
      const exchange = exchangeFor(profile, plan)
      const session = await exchange.wait(request.signal)
      const { body, headers: more, pending } = await profile.seal(plan, session)
      const headers = new Headers(request.headers)
      for (const one of [...CREDENTIALS, ...DROPPED]) headers.delete(one)
      for (const [name, value] of Object.entries(more)) headers.set(name, value)
      const response = await send(plan.url, { method: request.method, headers, body, signal: request.signal, redirect: 'error' })
      const answer = await opened(profile, response, pending)
      if (answer) return answer
      forget(plan, exchange)
      if (!last && await profile.isRefusal(response, typeOf(response))) continue
      if (response.status < 400) throw new SealError('the answer to a sealed request is not sealed')
      return response
    }
  }

  return async function fetch(input, init) {
    const request = new Request(input, init)
    const path = new URL(request.url).pathname
    if (request.method === 'GET' || request.method === 'HEAD') return send(input, init)
    if (request.method !== 'POST' || !ROUTES.some((route) => path.endsWith(route))) {
      throw new SealError(`${request.method} ${path} cannot be sealed, and is not sent in the clear`)
    }
    try {
      return await sealed(request, await planOf(request, PROFILES[word].suiteOf, defaultSuite))
    } catch (error) {
      if (error instanceof Declined) return error.response.clone() // others who waited read it too
      throw error
    }
  }
}
