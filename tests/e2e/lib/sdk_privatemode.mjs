// SPDX-License-Identifier: Apache-2.0
/**
 * Drives the JavaScript SDK in the profile privatemode: node sdk_privatemode.mjs SDK OPENAI_FOLDER URL KEY
 * TEXT CA.pem OTHER-CA.pem; one JSON line a check: [good, sentence, detail].  Where it prints
 * ["restart"], the gateway is to be restarted and a line to be sent.
 */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [sdk, folder, url, key, words, caFile, otherFile] = process.argv.slice(2)
const { sealedFetch, SealError, CutStream, UntrustedGateway } = await import(pathToFileURL(sdk))
const require = createRequire(`${folder}/x.js`)
const { default: OpenAI } = await import(pathToFileURL(require.resolve('openai')))
const [meshCa, otherCa] = [caFile, otherFile].map((file) => readFileSync(file, 'utf8'))

const ok = (good, sentence, detail) => console.log(JSON.stringify([Boolean(good), sentence, String(detail ?? '')]))
const messages = [{ role: 'user', content: words }]
const client = (options = {}, more = {}) =>
  new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0, fetch: sealedFetch({ profile: 'privatemode', ...options }), ...more })
const ask = (one, more = {}) => one.chat.completions.create({ model: 'gpt-4', messages, ...more })
const error = async (run) => { try { await run(); return null } catch (wrong) { return wrong } }

/** The first of an error and its causes that is exactly of that kind. */
const of = (wrong, kind) => { for (let one = wrong; one; one = one.cause) if (one.constructor === kind) return one }
const refused = async (kind, what, run) => {
  const wrong = await error(run)
  ok(of(wrong, kind), `${what} is ${kind.name}`, wrong)
}
const read = async (stream) => { const out = []; for await (const chunk of stream) out.push(chunk.choices[0]?.delta?.content ?? ''); return out }

const answer = await ask(client(), { compliance_mode: 'hipaa', encryption: 'auto' })
ok(answer.choices[0].message.content === words, 'the answer is restored', JSON.stringify(answer))
ok(answer.encryption?.algorithm === 'x-wing' && answer.encryption?.scope === 'end_to_end', 'it says how it was sealed')

const sent = []
const watch = (input, init) => { sent.push([new URL(input).pathname, new Headers(init?.headers), init?.body]); return fetch(input, init) }
const watching = client({ fetch: watch })
await ask(watching)
ok(sent.map(([path]) => path).join() === '/privatemode/v1/attest,/privatemode/v1/secret,/v1/chat/completions', 'a secret is exchanged first', sent.map(([path]) => path))
const [, headers, body] = sent.at(-1)
ok(headers.has('privatemode-secret-id') && !body.includes(words.slice(0, 8)) && JSON.parse(body).model === 'gpt-4', 'the request is sealed', body)
const before = sent.length
await ask(watching)
ok(sent.length === before + 1, 'a secret serves several requests')
ok((await watching.models.list()).data !== undefined, 'lists of models pass')
await refused(SealError, 'what cannot be sealed', () => watching.responses.create({ model: 'gpt-4', input: words }))
await refused(TypeError, 'a suite that the profile lacks', () => ask(client(), { encryption: 'rsa4096' }))
await refused(TypeError, 'a profile that is none', () => client({ profile: 'other' }))
await refused(TypeError, 'a mesh CA in the profile native', () => client({ profile: 'native', meshCa }))
await refused(TypeError, 'a signing key in this profile', () => client({ pinned: ['x'] }))

const pieces = await read(await ask(client(), { stream: true }))
ok(pieces.join('') === words && pieces.filter(Boolean).length > 1, 'a stream is opened in pieces', pieces.join('|'))
const many = await Promise.all(Array.from({ length: 5 }, () => ask(watching)))
ok(many.every((one) => one.choices[0].message.content === words), 'five at a time')
const stopping = new AbortController()
const left = await watching.chat.completions.create({ model: 'gpt-4', messages, stream: true }, { signal: stopping.signal })
for await (const chunk of left) { void chunk; stopping.abort(); break }
ok((await ask(watching)).choices[0].message.content === words, 'a stream may be left')
const wrong = await error(() => ask(client(), { temperature: 9 }))
ok(wrong?.status === 400 && wrong.message.includes('temperature'), 'a sealed error is opened', wrong)
const stranger = await error(() => ask(client({}, { apiKey: `ql_${'x'.repeat(12)}_${'y'.repeat(32)}` })))
ok(stranger?.status === 401, 'a wrong key is told as such', stranger)

sent.length = 0
ok((await ask(client({ meshCa, fetch: watch }))).choices[0].message.content === words, 'a mesh CA that was handed over')
ok(sent[0][0] === '/privatemode/v1/secret', 'needs not be asked for')
await refused(UntrustedGateway, 'a gateway of another CA', () => ask(client({ meshCa: otherCa })))
await refused(SealError, 'a CA that is none', () => ask(client({ meshCa: 'none' })))
const held = new Map()
const store = { get: (address) => held.get(address), set: (address, value) => void held.set(address, value) }
await ask(client({ store }))
ok([...held.keys()].join() === `mesh ${new URL(url).host}`, 'the first CA is kept', [...held.keys()])
held.set(`mesh ${new URL(url).host}`, '00')
await refused(UntrustedGateway, 'another CA than before', () => ask(client({ store })))

/** A client behind somebody who changes answers to requests for `path`. */
const meddled = (path, change, options = {}) => client({
  ...options,
  fetch: async (input, init) => {
    const response = await fetch(input, init)
    return new URL(input).pathname === path ? change(await response.text(), response) : response
  },
})
const chat = (change) => meddled('/v1/chat/completions', change)
const lines = (change) => chat((came, { headers: was }) =>
  new Response(`${change(came.split('\n\n').filter(Boolean)).join('\n\n')}\n\n`, { headers: was }))
const changed = (change) => chat((came) => Response.json(change(JSON.parse(came))))
const flip = (field) => field.slice(0, -1) + (field.at(-1) === '0' ? '1' : '0')
for (const [what, one, kind, stream] of [
  ['an answer in the clear', chat(() => Response.json({ id: 'x', choices: [], usage: {} })), SealError],
  ['an answer with nothing sealed in it', chat(() => Response.json({ id: 'x', usage: {} })), SealError],
  ['a changed answer', changed((came) => ({ ...came, choices: flip(came.choices) })), SealError],
  ['an answer whose members changed places', changed((came) => ({ ...came, choices: came.created, created: came.choices })), SealError],
  ['an answer under the status of an error', chat((came, { headers: was }) => new Response(came, { status: 400, headers: was })), SealError],
  ['a stream that somebody ends early', lines((all) => [...all.slice(0, 3), 'data: [DONE]']), CutStream, true],
  ['a stream in the clear', chat(() => new Response('data: {"choices":[]}\n\ndata: [DONE]\n\n', { headers: { 'content-type': 'text/event-stream' } })), SealError, true],
  ['a stream without its end', lines((all) => all.slice(0, -1)), CutStream, true],
  ['a stream without an event in its middle', lines((all) => [all[0], ...all.slice(2)]), SealError, true],
  ['a stream with an event twice', lines((all) => [all[0], all[1], ...all.slice(1)]), SealError, true],
  ['a stream with two events in another order', lines((all) => [all[0], all[2], all[1], ...all.slice(3)]), SealError, true],
  ['a stream that goes on behind its end', lines((all) => [...all, all[0]]), SealError, true],
]) {
  await refused(kind, what, async () => { const came = await ask(one, stream ? { stream } : {}); if (stream) await read(came) })
}
const mirror = client({
  fetch: async (input, init) => {
    const response = await fetch(input, init)
    if (new URL(input).pathname !== '/v1/chat/completions') return response
    return Response.json({ choices: JSON.parse(init.body).messages })
  },
})
await refused(SealError, 'a field of the request that comes back', () => ask(mirror))
await refused(SealError, 'a sealed error under the status of an answer', () =>
  ask(chat((came, { headers: was }) => new Response(came, { status: 200, headers: was })), { temperature: 9 }))
const half = (name) => (came) => {
  const bytes = Buffer.from(JSON.parse(came)[name], 'base64')
  bytes[bytes.length >> 1] ^= 1
  return Response.json({ ...JSON.parse(came), [name]: bytes.toString('base64') })
}
for (const [name, kind] of [['EncapsulatedKey', SealError], ['Signature', SealError], ['MeshCert', UntrustedGateway]]) {
  await refused(kind, `a changed ${name}`, () => ask(meddled('/privatemode/v1/secret', half(name), { meshCa })))
}

const { checkLeaf, readPem } = await import(new URL('certificate.js', pathToFileURL(sdk)))
const shared = await (await fetch(`${url}/privatemode/v1/secret`, { method: 'POST', headers: { authorization: `Bearer ${key}` },
  body: JSON.stringify({ PublicKey: sent.length ? JSON.parse(sent[0][2]).PublicKey.replace(/^..../, 'AAAA') : '' }) })).json()
const leaf = new Uint8Array(Buffer.from(shared.MeshCert, 'base64'))
let taken = 0
for (let at = 0; at < leaf.length; at++) {
  const other = leaf.slice()
  other[at] ^= 1
  try { await checkLeaf(other, readPem(meshCa), 'x'); taken += 1 } catch (refusal) { if (!(refusal instanceof UntrustedGateway)) taken += 1 }
}
ok(leaf.length > 200 && taken === 0, `each of ${leaf.length} bytes of a certificate counts`, taken)
await refused(UntrustedGateway, 'the CA itself as a certificate', () => checkLeaf(readPem(meshCa).der, readPem(meshCa), 'x'))

const lasting = client({ meshCa, fetch: watch })
await ask(lasting)
console.log(JSON.stringify(['restart']))
const input = createInterface({ input: process.stdin })
await new Promise((done) => input.once('line', done))
input.close()
sent.length = 0
ok((await ask(lasting)).choices[0].message.content === words, 'a gateway that forgot the secret gets a new one')
ok(sent.map(([path]) => path).join() === '/v1/chat/completions,/privatemode/v1/secret,/v1/chat/completions', 'and is asked once more', sent.map(([path]) => path))
