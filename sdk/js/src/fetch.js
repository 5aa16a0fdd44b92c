// SPDX-License-Identifier: Apache-2.0
/**
 * A fetch that seals.  What bears text (POST to .../chat/completions and .../embeddings) is sealed;
 * GET requests pass in the clear: lists of models.  Everything else is refused.
 */

import { plain, text, unb64 } from './bytes.js'
import { CutStream, SealError } from './errors.js'
import { suiteOf } from './kem.js'
import { SEALED_TYPE } from './records.js'
import { begin, Declined, Exchange } from './session.js'

const ROUTES = ['/chat/completions', '/embeddings']
const CREDENTIALS = ['authorization', 'x-api-key', 'api-key']
const DROPPED = ['content-length', 'content-type', 'transfer-encoding', 'content-encoding']
const LINE_MAX = 32 << 20

/** How one request is sealed. */
async function planOf(request, defaultSuite) {
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
    base, suite, credentials, words: text.encode(words), url: request.url,
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

/** Whether the gateway did not open the request. */
async function isRefusal(response) {
  if (![400, 401].includes(response.status) || typeOf(response) !== 'application/json') return false
  const body = await response.clone().json().catch(() => null)
  return body?.error?.code === 'seal_refused'
}

/** From the bytes of a sealed stream to those of an open one. */
class Opener {
  #pending
  #status
  #channel = null
  #held = ''
  #decoder = new TextDecoder('utf-8', { fatal: true })

  constructor(pending, status) {
    this.#pending = pending
    this.#status = status
  }

  async transform(bytes, out) {
    const lines = (this.#held + this.#decoder.decode(bytes, { stream: true })).split('\n')
    this.#held = lines.pop()
    if (this.#held.length > LINE_MAX) throw new SealError('an event of the sealed stream is too long')
    for (const line of lines) {
      if (line.startsWith('data:')) {
        const opened = await this.#event(line.slice(5).trim())
        if (opened !== '') out.enqueue(text.encode(opened))
      } else if (line.trim() !== '') {
        throw new SealError('the sealed stream holds a line that is not sealed')
      }
    }
  }

  async #event(data) {
    const bytes = unb64(data, undefined, 'the sealed stream holds an event that is not sealed')
    if (this.#channel === null) {
      this.#channel = await this.#pending.channel(bytes, this.#status)
      return ''
    }
    const words = plain.decode(await this.#channel.open(bytes))
    if (words !== '') return `data: ${words}\n\n`
    return this.#channel.over ? 'data: [DONE]\n\n' : ''
  }

  flush() {
    if (this.#held.trim() !== '' || !this.#channel?.over) throw new CutStream('the sealed stream was cut before its end')
  }
}

async function opened(response, pending) {
  const init = (type) => ({ status: response.status, statusText: response.statusText, headers: headersOf(response, type) })
  if (typeOf(response) === 'text/event-stream') {
    return new Response(response.body.pipeThrough(new TransformStream(new Opener(pending, response.status))), init('text/event-stream; charset=utf-8'))
  }
  if (typeOf(response) === SEALED_TYPE) {
    return new Response(await pending.whole(response.status, new Uint8Array(await response.arrayBuffer())), init('application/json'))
  }
  return null
}

/** Where the first keys are kept unless the caller says otherwise: for the life of the program. */
function memory() {
  const held = new Map()
  return { get: (address) => held.get(address), set: (address, key) => void held.set(address, key) }
}

export function sealedFetch({ encryption = 'auto', pinned, store = memory(), fetch: send = globalThis.fetch } = {}) {
  const defaultSuite = suiteOf(encryption)
  const exchanges = new Map() // by gateway, suite and caller, so that one is begun at a time

  /** Only the one that was found wanting: another request may have put a newer one in its place. */
  function forget(plan, exchange) {
    if (exchanges.get(plan.key) === exchange) exchanges.delete(plan.key)
  }

  function exchangeFor(plan) {
    const held = exchanges.get(plan.key)
    if (held && !(performance.now() >= held.renewAt)) return held
    const made = new Exchange((signal) => begin(send, plan.base, plan.suite, { pinned, store }, plan.credentials, signal), () => forget(plan, made))
    exchanges.set(plan.key, made)
    return made
  }

  async function sealed(request, plan) {
    for (let last = false; ; last = true) {
      const exchange = exchangeFor(plan)
      const session = await exchange.wait(request.signal)
      const { body, pending } = await session.request(plan.place, plan.words)
      const headers = new Headers(request.headers)
      for (const one of [...CREDENTIALS, ...DROPPED]) headers.delete(one)
      headers.set('content-type', SEALED_TYPE)
      const response = await send(plan.url, { method: request.method, headers, body, signal: request.signal, redirect: 'error' })
      const answer = await opened(response, pending)
      if (answer) return answer
      forget(plan, exchange)
      if (!last && await isRefusal(response)) continue
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
      return await sealed(request, await planOf(request, defaultSuite))
    } catch (error) {
      if (error instanceof Declined) return error.response.clone() // others who waited read it too
      throw error
    }
  }
}
