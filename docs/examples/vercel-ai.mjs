// The Vercel AI SDK: the address of the gateway, and, for sealing, one argument (`fetch`).

import { createOpenAI } from "@ai-sdk/openai";
import { generateText, streamText } from "ai";
import { sealedFetch } from "sotto-client";

const sotto = createOpenAI({
  baseURL: `${process.env.SOTTO_URL ?? "http://127.0.0.1:8484"}/v1`,
  apiKey: process.env.SOTTO_KEY,
  fetch: sealedFetch(),
});
// .chat(): chat completions; without it the SDK takes another interface of OpenAI's.
const model = sotto.chat("gpt-4");
const prompt = "Write to Margaret Thornbury, m.thornbury@example.org.";

console.log((await generateText({ model, prompt })).text);

for await (const piece of streamText({ model, prompt }).textStream) process.stdout.write(piece);
console.log();
