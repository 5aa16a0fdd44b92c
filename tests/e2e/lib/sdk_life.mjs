// SPDX-License-Identifier: Apache-2.0
/**
 * The JavaScript SDK where things go wrong on the way: node sdk_life.mjs SDK OPENAI_FOLDER URL KEY TEXT. One
 * JSON line a check: [good, sentence, detail]. A line that is a text asks the test to do that; its answer is one
 * line of JSON.
 */

import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [sdk, folder, url, key, words] = process.argv.slice(2)
const { sealedFetch, SealError, UntrustedGateway } = await import(pathToFileURL(sdk))
const require = createRequire(`${folder}/x.js`)
const { default: OpenAI, APIUserAbortError } = await import(pathToFileURL(require.resolve('openai')))

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
const please = async (what) => { console.log(JSON.stringify(what)); return JSON.parse((await lines.next()).value) }
const ok = (good, sentence, detail) => console.log(JSON.stringify([Boolean(good), sentence, String(detail ?? '')]))
const error = async (run) => { try { await run(); return null } catch (wrong) { return wrong } }
const messages = [{ role: 'user', content: words }]
const openai = (fetch, at = url) => new OpenAI({ apiKey: key, baseURL: `${at}/v1`, maxRetries: 0, fetch })
const ask = (client, more = {}, options = {}) => client.chat.completions.create({ model: 'gpt-4', messages, ...more }, options)
const said = (answer) => answer.choices[0].message.content

/** The first of an error and its causes that is of that kind. */
const of = (wrong, kind) => { for (let one = wrong; one; one = one.cause) if (one instanceof kind) return one }

/** A fetch that seals, and the paths of what it sends. */
function watched(options = {}) {
  const sent = []
  const fetch = sealedFetch({ ...options, fetch: (input, init) => { sent.push(new URL(input).pathname); return (options.fetch ?? globalThis.fetch)(input, init) } })
  return { fetch, sent, exchanges: () => sent.filter((path) => path.endsWith('/seal/session')).length }
}

// Somebody in between, who lets sessions begin and answers requests himself.
const answers = {
  completion: { object: 'chat.completion', model: 'gpt-4', choices: [{ index: 0, finish_reason: 'stop', message: { role: 'assistant', content: 'in the clear' } }] },
  chunk: { object: 'chat.completion.chunk', model: 'gpt-4', choices: [{ index: 0, delta: { content: 'in the clear' } }] },
}
const stream = `data: ${JSON.stringify(answers.chunk)}\n\ndata: [DONE]\n\n`
const whole = JSON.stringify(answers.completion)
let forged = null
const got = []
const between = createServer(async (request, response) => {
  const parts = []
  for await (const part of request) parts.push(part)
  const body = Buffer.concat(parts)
  if (request.url.includes('/seal/')) {
    const { authorization } = request.headers
    const headers = { 'content-type': 'application/json', ...(authorization ? { authorization } : {}) }
    const from = await fetch(url + request.url, { method: request.method, headers, ...(body.length ? { body } : {}) })
    response.writeHead(from.status, { 'content-type': 'application/json' }).end(await from.text())
    return
  }
  got.push({ headers: request.headers, body })
  const [status, type, answer] = forged
  response.writeHead(status, { 'content-type': type }).end(answer)
})
await new Promise((done) => between.listen(0, '127.0.0.1', done))
const forger = `http://127.0.0.1:${between.address().port}`
const SAYS = /not sealed|no sealed/
for (const [what, answer, more] of [
  ['a whole answer in the clear', [200, 'application/json', whole], {}],
  ['another status in the clear', [201, 'application/json', whole], {}],
  ['a stream in the clear', [200, 'text/event-stream', stream], { stream: true }],
  ['a stream in the clear that has only its end', [200, 'text/event-stream', 'data: [DONE]\n\n'], { stream: true }],
  ['a clear line before a stream', [200, 'text/event-stream', `event: x\n${stream}`], { stream: true }],
  ['a whole answer for a stream', [200, 'application/json', whole], { stream: true }],
  ['a stream for a whole answer', [200, 'text/event-stream; charset=utf-8', stream], {}],
  ['an answer in the clear that calls itself sealed', [200, 'application/vnd.sotto.sealed', whole], {}],
  ['an empty answer that calls itself sealed', [200, 'application/vnd.sotto.sealed', ''], {}],
  ['an answer without a type', [200, '', whole], {}],
]) {
  forged = answer
  let shown = ''
  const wrong = await error(async () => {
    const came = await ask(openai(sealedFetch(), forger), more)
    if (more.stream) for await (const chunk of came) shown += JSON.stringify(chunk)
    else shown = JSON.stringify(came)
  })
  ok(of(wrong, SealError) && SAYS.test(of(wrong, SealError).message), `${what} is refused, and the error says that it is not sealed`, wrong?.cause ?? wrong)
  ok(shown === '', `${what}: nothing of it is shown`, shown)
}
forged = [503, 'application/json', '{"error":{"message":"no upstream","type":"server_error","code":null}}']
ok((await error(() => ask(openai(sealedFetch(), forger))))?.status === 503, 'an error of who stands in between keeps its status')
ok(got.every((one) => one.headers['content-type'] === 'application/vnd.sotto.sealed' && !one.headers.authorization && !one.body.includes(words.slice(0, 8))),
  'he saw sealed requests only, without key or text')
between.closeAllConnections()
between.close()

// A caller who leaves in the middle of a stream.  The provider sends a part and then waits for its client to leave.
for (const [what, name, read] of [
  ['fetch', 'AbortError', async (seal, abort) => {
    const body = JSON.stringify({ model: 'gpt-4', messages, stream: true })
    const response = await seal(`${url}/v1/chat/completions`, { method: 'POST', headers: { Authorization: `Bearer ${key}` }, body, signal: abort.signal })
    let text = ''
    for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
      text += part
      if (text.includes('"content":"')) abort.abort()
    }
  }],
  ['the SDK of OpenAI, which takes that for the end', undefined, async (seal, abort) => {
    for await (const chunk of await ask(openai(seal), { stream: true }, { signal: abort.signal })) if (chunk.choices[0]?.delta?.content) abort.abort()
  }],
]) {
  await please('hold')
  const { fetch, exchanges } = watched()
  const abort = new AbortController()
  const wrong = await error(() => read(fetch, abort))
  ok(abort.signal.aborted && wrong?.name === name, `left in mid-stream with ${what}: ${name ?? 'no error'}`, wrong)
  const left = await please('left')
  ok(left.provider, `left with ${what}: the provider sees its client leave`)
  ok(left.gateway, `left with ${what}: the connection to the gateway is closed`)
  await please('echo')
  ok(said(await ask(openai(fetch))) === words && exchanges() === 1, `left with ${what}: the next request works, in the same session`, exchanges())
}
const before = new AbortController()
before.abort()
ok(of(await error(() => ask(openai(sealedFetch()), {}, { signal: before.signal })), APIUserAbortError), 'what was left before it began')

// Two callers who wait for one exchange: one of them leaves.
for (const [what, first] of [['who began it', true], ['who waits with him', false]]) {
  const abort = new AbortController()
  const { fetch, exchanges } = watched({ fetch: async (input, init) => {
    if (String(input).endsWith('/seal/session')) abort.abort()
    return globalThis.fetch(input, init)
  } })
  const signals = first ? [abort.signal, undefined] : [undefined, abort.signal]
  const ends = await Promise.allSettled(signals.map((signal) => ask(openai(fetch), {}, { signal })))
  const [leaver, stayer] = first ? ends : ends.toReversed()
  ok(of(leaver.reason, APIUserAbortError), `one leaves during an exchange, ${what}: he is told`, leaver.reason)
  ok(stayer.status === 'fulfilled' && said(stayer.value) === words && exchanges() === 1, `one leaves during an exchange, ${what}: the other one is answered`,
    stayer.reason ?? exchanges())
}
const alone = new AbortController()
let ended = null
const leaving = watched({ fetch: (input, init) => {
  if (!String(input).endsWith('/seal/session') || alone.signal.aborted) return globalThis.fetch(input, init)
  return new Promise((_, fail) => {
    init.signal.addEventListener('abort', () => { ended = init.signal.reason; fail(ended) })
    alone.abort()
  })
} })
ok(of(await error(() => ask(openai(leaving.fetch), {}, { signal: alone.signal })), APIUserAbortError) && ended?.name === 'AbortError', 'an exchange that nobody waits for is ended', ended)
ok(said(await ask(openai(leaving.fetch))) === words && leaving.exchanges() === 2, 'and the next request begins another one', leaving.exchanges())

const unknown = new OpenAI({ apiKey: `ql_${'x'.repeat(12)}_${'y'.repeat(32)}`, baseURL: `${url}/v1`, maxRetries: 0, fetch: sealedFetch() })
const refused = await Promise.all(Array.from({ length: 3 }, () => error(() => ask(unknown))))
ok(refused.every((one) => one?.status === 401 && one.code === 'invalid_api_key'), 'who waits for an exchange that is refused is told why, each of them', refused.join(' | '))

// A gateway that is restarted has lost its sessions.
const kept = watched()
const keeping = openai(kept.fetch)
await ask(keeping)
await please('restart')
ok(said(await ask(keeping)) === words && kept.exchanges() === 2, 'after a restart the client begins a new session by itself', kept.exchanges())
let streamed = ''
await please('restart')
for await (const chunk of await ask(keeping, { stream: true })) streamed += chunk.choices[0]?.delta?.content ?? ''
ok(streamed === words && kept.exchanges() === 3, 'and for a stream', kept.exchanges())
await please('restart')
const five = await Promise.all(Array.from({ length: 5 }, () => ask(keeping)))
ok(five.every((one) => said(one) === words), 'five at a time after a restart')
ok(kept.exchanges() === 4, 'they renew the session once', kept.exchanges())

// A gateway that comes back with another signing key.
const sent = kept.sent.length
const seen = await please('keys')
const wrong = of(await error(() => ask(keeping)), UntrustedGateway)
ok(wrong?.message.includes('signs with another key'), 'a gateway with another key is refused', wrong)
ok(kept.sent.slice(sent).join(' ') === '/v1/chat/completions /v1/seal/keys', 'its key is read and no session is begun', kept.sent.slice(sent))
ok(of(await error(() => ask(keeping)), UntrustedGateway) && await please('seen') === seen, 'and again; the provider was asked nothing')
ok(said(await ask(openai(sealedFetch()))) === words, 'a client that never knew the old key is served')
process.exit(0)
