// SPDX-License-Identifier: Apache-2.0
// The official OpenAI client for Node against a gateway; one JSON line a check.
// argv: base URL, key, JSON {ask, want, email, person, poor: a key with a quota of one request}

import OpenAI from 'openai';

const [base, key, facts] = process.argv.slice(2);
const { ask, want, email, person, poor } = JSON.parse(facts);
const client = new OpenAI({ baseURL: base, apiKey: key, timeout: 60_000 });
const messages = [{ role: 'user', content: ask }];
const tools = [{ type: 'function', function: { name: 'mail', parameters: { type: 'object', properties: {} } } }];

function say(ok, what, detail) {
  console.log(JSON.stringify({ ok: Boolean(ok), what, detail: ok ? null : String(JSON.stringify(detail)) }));
}
const same = (got, wanted, what) => say(JSON.stringify(got) === JSON.stringify(wanted), what, { got, wanted });

async function raises(kind, what, run, check = () => true) {
  try {
    await run();
    say(false, what, 'no exception');
  } catch (error) {
    say(error instanceof kind && check(error), what, `${error.constructor.name} ${error.message}`);
  }
}

const cases = {
  async 'an answer is restored'(what) {
    const answer = await client.chat.completions.create({ model: 'plain', messages, n: 2 });
    same(answer.choices.map((c) => c.message.content), [want, want], what);
    say(answer.id.startsWith('qmchatcmpl-') && answer._request_id.startsWith('req_'), 'with its ids', answer);
  },
  async 'a stream is restored, with usage last'(what) {
    const stream = await client.chat.completions.create({ model: 'plain', messages, stream: true, stream_options: { include_usage: true } });
    let text = '', usage = null;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? '';
      usage = chunk.usage ?? usage;
    }
    same([text, usage?.total_tokens], [want, 21], what);
  },
  async 'the stream helper puts it together'(what) {
    const runner = client.chat.completions.stream({ model: 'plain', messages });
    let deltas = '';
    runner.on('content', (delta) => (deltas += delta));
    const final = await runner.finalChatCompletion();
    same([final.choices[0].message.content, deltas], [want, want], what);
  },
  async 'a streamed tool call is restored'(what) {
    const final = await client.chat.completions.stream({ model: 'tools', messages, tools }).finalChatCompletion();
    const call = final.choices[0].message.tool_calls[0];
    same([call.id, call.function.name, JSON.parse(call.function.arguments)], ['call_1', 'mail', { to: email, name: person }], what);
  },
  async '429 is tried again by the client'(what) {
    const answer = await client.chat.completions.create({ model: 'busy', messages });
    same(answer.choices[0].message.content, want, what);
  },
  async 'errors have their classes'() {
    const once = { maxRetries: 0 };
    await raises(OpenAI.BadRequestError, '400 is BadRequestError, restored', () => client.chat.completions.create({ model: 'refused', messages }, once),
      (e) => e.code === 'odd' && e.message.includes(person));
    await raises(OpenAI.InternalServerError, '500 is InternalServerError', () => client.chat.completions.create({ model: 'failing', messages }, once));
    const wrong = new OpenAI({ baseURL: base, apiKey: 'ql_wrong', maxRetries: 0 });
    await raises(OpenAI.AuthenticationError, '401 is AuthenticationError', () => wrong.models.list(), (e) => e.code === 'invalid_api_key');
    const spent = new OpenAI({ baseURL: base, apiKey: poor });
    await spent.chat.completions.create({ model: 'plain', messages });
    await raises(OpenAI.RateLimitError, 'a spent quota is RateLimitError', () => spent.chat.completions.create({ model: 'plain', messages }),
      (e) => e.code === 'insufficient_quota');
  },
  async 'a stream that breaks off raises'(what) {
    await raises(OpenAI.APIError, what, async () => {
      for await (const chunk of await client.chat.completions.create({ model: 'broken', messages, stream: true })) void chunk;
    });
  },
  async 'a stream that the client aborts ends'(what) {
    const stream = await client.chat.completions.create({ model: 'endless', messages, stream: true });
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta?.content) break;
    }
    stream.controller.abort();
    say(true, what);
  },
  async 'models and embeddings'(what) {
    const names = [];
    for await (const model of client.models.list()) names.push(model.id);
    const embedding = await client.embeddings.create({ model: 'embed', input: ask, encoding_format: 'float' });
    same([names.includes('plain'), (await client.models.retrieve('plain')).id, embedding.data[0].embedding], [true, 'plain', [0.25, -0.5]], what);
  },
  async 'forty at once'(what) {
    const all = await Promise.all(Array.from({ length: 40 }, () => client.chat.completions.create({ model: 'plain', messages })));
    same([...new Set(all.map((a) => a.choices[0].message.content))], [want], what);
  },
};

for (const [what, run] of Object.entries(cases)) {
  try {
    await run(what);
  } catch (error) {
    say(false, what, `${error.stack}`);
  }
}
console.log(JSON.stringify({ done: true, version: process.version }));
