// SPDX-License-Identifier: Apache-2.0
/** The profile native (docs/wire/native.md): whole requests and answers are sealed as records. */

import { plain, unb64 } from './bytes.js'
import { CutStream } from './errors.js'
import { SEALED_TYPE } from './records.js'
import { begin } from './session.js'

/** Opens the events of a stream: each is a record in base64. */
class Records {
  #pending
  #status
  #channel = null

  constructor(pending, status) {
    this.#pending = pending
    this.#status = status
  }

  async event(data) {
    const bytes = unb64(data, undefined, 'the sealed stream holds an event that is not sealed')
    if (this.#channel === null) {
      this.#channel = await this.#pending.channel(bytes, this.#status)
      return ''
    }
    const words = plain.decode(await this.#channel.open(bytes))
    if (words !== '') return `data: ${words}\n\n`
    return this.#channel.over ? 'data: [DONE]\n\n' : ''
  }

  ended() {
    if (!this.#channel?.over) throw new CutStream('the sealed stream was cut before its end')
  }
}

/** The key is sent with the session only. */
export const profile = {
  begin: (send, plan, trust, signal) => begin(send, plan.base, plan.suite, trust, plan.credentials, signal),

  /** The body and headers of a sealed request, and what opens its answer. */
  async seal(plan, session) {
    const { body, pending } = await session.request(plan.place, plan.words)
    return { body, headers: { 'content-type': SEALED_TYPE }, pending }
  },

  isStream: (response, type) => type === 'text/event-stream',
  isWhole: (response, type) => type === SEALED_TYPE,
  stream: (pending, status) => new Records(pending, status),
  whole: async (pending, response) => pending.whole(response.status, new Uint8Array(await response.arrayBuffer())),

  /** Whether the gateway did not open the request. */
  async isRefusal(response, type) {
    if (![400, 401].includes(response.status) || type !== 'application/json') return false
    const body = await response.clone().json().catch(() => null)
    return body?.error?.code === 'seal_refused'
  },
}
