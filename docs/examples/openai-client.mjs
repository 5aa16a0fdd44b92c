// The official client for JavaScript: only base URL and key are other ones.

import OpenAI from "openai";

const client = new OpenAI({ baseURL: `${process.env.SOTTO_URL ?? "http://127.0.0.1:8484"}/v1`, apiKey: process.env.SOTTO_KEY });
const messages = [{ role: "user", content: "Write to Margaret Thornbury, m.thornbury@example.org." }];

const answer = await client.chat.completions.create({ model: "gpt-4", messages, compliance_mode: "hipaa" });
console.log(answer.choices[0].message.content);

for await (const chunk of await client.chat.completions.create({ model: "gpt-4", messages, stream: true })) {
  process.stdout.write(chunk.choices[0]?.delta?.content ?? "");
}
console.log();
