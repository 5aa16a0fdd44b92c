// SPDX-License-Identifier: Apache-2.0
/**
 * Drives the JavaScript SDK: node sdk.mjs SDK OPENAI_FOLDER URL KEY TEXT VKEY AUDIT_VECTORS; one JSON
 * line a check: [good, sentence].
 */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [sdk, folder, url, key, words, vkey, vectors] = process.argv.slice(2)
const { audit, sealedFetch, verifyAudit, AuditError, SealError, CutStream, UntrustedGateway, UntrustedLog } = await import(pathToFileURL(sdk))
const require = createRequire(`${folder}/x.js`)
const { default: OpenAI } = await import(pathToFileURL(require.resolve('openai')))

const ok = (good, sentence, detail) => console.log(JSON.stringify([Boolean(good), sentence, String(detail ?? '')]))
const messages = [{ role: 'user', content: words }]
const client = (options = {}, more = {}) => new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0, fetch: sealedFetch(options), ...more })
const ask = (one, more = {}) => one.chat.completions.create({ model: 'gpt-4', messages, ...more })
const error = async (run) => { try { await run(); return null } catch (wrong) { return wrong } }

/** The first of an error and its causes that is of that kind. */
const of = (wrong, kind) => { for (let one = wrong; one; one = one.cause) if (one instanceof kind) return one }

for (const [word, algorithm] of [[undefined, 'x-wing'], ['auto', 'x-wing'], ['kyber512', 'kyber512'], ['rsa4096', 'rsa4096']]) {
  for (let tries = 0; word === 'rsa4096' && tries < 200; tries++) {
    const { suites } = await (await fetch(`${url}/v1/seal/keys`)).json()
    if (suites.some((suite) => suite.public_key)) break
    await new Promise((done) => setTimeout(done, 100))
  }
  const answer = await ask(client(), word ? { encryption: word } : {})
  ok(answer.choices[0].message.content === words, `${algorithm}: the answer is restored`, JSON.stringify(answer))
  ok(answer.encryption?.algorithm === algorithm && answer.encryption?.scope === 'end_to_end', `${algorithm}: it says how it was sealed`)
}

const sent = []
const watching = client({ fetch: (input, init) => { sent.push([String(input), new Headers(init?.headers), init?.body]); return fetch(input, init) } })
await ask(watching)
const [, headers, body] = sent.at(-1)
ok(headers.get('content-type') === 'application/vnd.sotto.sealed' && !headers.has('authorization'), 'the request is sealed and bears no key')
ok(!Buffer.from(body).includes(words.slice(0, 8)), 'nor text')
const before = sent.length
await ask(watching)
ok(sent.length === before + 1, 'a session serves several requests')
ok((await watching.models.list()).data !== undefined, 'lists of models pass')
ok(of(await error(() => watching.responses.create({ model: 'gpt-4', input: words })), SealError), 'what cannot be sealed is not sent')

const pieces = []
for await (const chunk of await ask(client(), { stream: true })) pieces.push(chunk.choices[0]?.delta?.content ?? '')
ok(pieces.join('') === words && pieces.filter(Boolean).length > 1, 'a stream is opened in pieces', pieces.join('|'))
const left = await ask(client(), { stream: true })
for await (const chunk of left) { void chunk; break }
ok(true, 'a stream may be left')

const cutting = (input, init) => fetch(input, init).then(async (response) => {
  if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream')) return response
  const events = (await response.text()).split('\n\n').filter(Boolean)
  return new Response(events.slice(0, -1).join('\n\n') + '\n\n', { headers: response.headers })
})
const cut = await error(async () => { for await (const chunk of await ask(client({ fetch: cutting }), { stream: true })) void chunk })
ok(of(cut, CutStream), 'a stream that is cut is an error', cut)
const changing = (input, init) => fetch(input, init).then(async (response) => {
  if (response.headers.get('content-type') !== 'application/vnd.sotto.sealed') return response
  const bytes = new Uint8Array(await response.arrayBuffer())
  bytes[100] ^= 1
  return new Response(bytes, { headers: response.headers })
})
ok(of(await error(() => ask(client({ fetch: changing }))), SealError), 'a changed bit of an answer shows')

const { signing_key: signing } = await (await fetch(`${url}/v1/seal/keys`)).json()
ok((await ask(client({ pinned: [signing] }))).choices.length === 1, 'a pinned key')
const other = Buffer.alloc(32).toString('base64')
ok(of(await error(() => ask(client({ pinned: [other] }))), UntrustedGateway), 'another key is refused')
const store = new Map()
await ask(client({ store }))
ok(store.get(new URL(url).host) === signing, 'the first key is remembered')
store.set(new URL(url).host, other)
ok(of(await error(() => ask(client({ store }))), UntrustedGateway), 'another key afterwards is refused')
ok((await error(() => ask(client(), { temperature: 9 })))?.status === 400, 'a sealed error has its status')
ok((await error(() => ask(client({}, { apiKey: `ql_${'x'.repeat(12)}_${'y'.repeat(32)}` }))))?.status === 401, 'a wrong key is told as such')
ok((await error(() => ask(client(), { encryption: 'none' }))) !== null, 'an unknown suite is refused')
const five = await Promise.all(Array.from({ length: 5 }, () => ask(watching)))
ok(five.every((answer) => answer.choices[0].message.content === words), 'five at a time')

// The audit log.
const known = JSON.parse(readFileSync(vectors, 'utf8'))
for (const row of known.answers) {
  const wrong = await error(() => verifyAudit(row.id, row.answer, known.vkey))
  ok(row.step === null ? wrong === null : wrong instanceof AuditError && wrong.step === row.step, `audit: ${row.what}`, wrong)
}
for (const bad of ['', 'nonsense', known.vkey.slice(0, -1), known.vkey.replace('log+', 'lag+')]) {
  ok(await error(() => verifyAudit(known.answers[0].id, known.answers[0].answer, bad)) instanceof TypeError, 'audit: a key that is none is refused')
}
const audited = await ask(watching, { compliance_mode: 'hipaa' })
const patient = { timeout: 60_000 }
const entry = await audit(watching, audited.compliance.audit_id, patient)
ok(entry.id === audited.compliance.audit_id && entry.record.mode === 'hipaa' && entry.index < entry.size, 'audit: the entry of a sealed request', JSON.stringify(entry))
ok((await audit(watching, entry.id, { ...patient, logKey: vkey })).origin === vkey.split('+')[0], "audit: a pinned log's key")
ok((await error(() => audit(watching, entry.id, { ...patient, logKey: known.vkey })))?.step === 'signature', 'audit: a log that another key signed is refused')
const logs = new Map()
await audit(watching, entry.id, { ...patient, store: logs })
ok(logs.get(`log ${new URL(url).host}`) === vkey, "audit: the log's first key is remembered")
logs.set(`log ${new URL(url).host}`, known.vkey)
ok(await error(() => audit(watching, entry.id, { ...patient, store: logs })) instanceof UntrustedLog, 'audit: another key afterwards is refused')
ok(await error(() => audit(watching, `audit_${'0'.repeat(22)}`, patient)) instanceof AuditError, 'audit: an entry that is not there')
