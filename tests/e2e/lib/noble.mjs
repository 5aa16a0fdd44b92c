// SPDX-License-Identifier: Apache-2.0
/**
 * The JavaScript SDK where WebCrypto lacks ML-KEM: node noble.mjs SDK URL KEY TEXT INSTALLED; one JSON line
 * a check: [good, sentence, detail].
 */

import { pathToFileURL } from 'node:url'

const [sdk, url, key, words, installed] = process.argv.slice(2)
const ok = (good, sentence, detail) => console.log(JSON.stringify([Boolean(good), sentence, String(detail ?? '')]))

// A WebCrypto of before ML-KEM: what is not known there is refused in this way.
const { generateKey } = crypto.subtle
let asked = 0
crypto.subtle.generateKey = function (algorithm, ...rest) {
  if (String(algorithm?.name ?? algorithm).startsWith('ML-KEM')) {
    asked += 1
    return Promise.reject(new DOMException('Unrecognized algorithm name', 'NotSupportedError'))
  }
  return generateKey.call(this, algorithm, ...rest)
}

const { sealedFetch, SealError } = await import(pathToFileURL(sdk))
const seal = sealedFetch()
const ask = (encryption) => seal(`${url}/v1/chat/completions`, {
  method: 'POST', headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' },
  body: JSON.stringify({ model: 'gpt-4', encryption, messages: [{ role: 'user', content: words }] }),
})

for (const suite of ['x-wing', 'kyber512']) {
  if (installed === 'yes') {
    const answer = await (await ask(suite)).json()
    ok(answer.choices?.[0].message.content === words && answer.encryption?.algorithm === suite, `${suite} with @noble/post-quantum`, JSON.stringify(answer))
  } else {
    const wrong = await ask(suite).then(() => null, (error) => error)
    ok(wrong instanceof SealError && wrong.message.includes('install @noble/post-quantum'), `${suite} without it is refused, and says what to install`, wrong)
  }
}
ok(asked === 2, 'WebCrypto was asked first')
