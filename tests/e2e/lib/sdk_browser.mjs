// SPDX-License-Identifier: Apache-2.0
// Drives the JavaScript SDK in a real browser.  Called by test_sdk_browser.py with one argument, JSON:
// {url, key, text, chromium, modules, noble, brought}; prints one JSON line for each check.

import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const given = JSON.parse(process.argv[2]);
const require = createRequire(path.join(given.modules, "x.js"));
const { chromium } = require("playwright-core");

function ok(good, what, detail = null) {
  console.log(JSON.stringify({ ok: Boolean(good), what, detail: good ? null : JSON.stringify(detail)?.slice(0, 1500) }));
}

const browser = await chromium.launch({ executablePath: given.chromium, args: ["--no-sandbox", "--disable-gpu"] });

/** A WebCrypto of before ML-KEM. */
function withoutMlkem() {
  const { generateKey } = SubtleCrypto.prototype;
  SubtleCrypto.prototype.generateKey = function (algorithm, ...rest) {
    return String(algorithm?.name ?? algorithm).startsWith("ML-KEM")
      ? Promise.reject(new DOMException("Unrecognized algorithm name", "NotSupportedError"))
      : generateKey.call(this, algorithm, ...rest);
  };
}

/** A page of the gateway's address with an import map, as an application's bundler would resolve it. */
async function application() {
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(120000);
  const map = { imports: Object.fromEntries(["post-quantum", "hashes", "curves"].map((one) => [`@noble/${one}/`, `/noble/${one}/`])) };
  await page.route(`${given.url}application`, (route) => route.fulfill({
    contentType: "text/html", body: `<!doctype html><title>application</title><script type="importmap">${JSON.stringify(map)}</script>`,
  }));
  await page.route(`${given.url}noble/**`, (route) => route.fulfill({
    contentType: "text/javascript", body: fs.readFileSync(path.join(given.noble, "node_modules/@noble", new URL(route.request().url()).pathname.slice("/noble/".length))),
  }));
  await page.goto(`${given.url}application`);
  return page;
}

/** One request through the SDK: what the answer says, or the name of the error. */
const ask = (page, suite, stream) => page.evaluate(async ([key, text, encryption, streamed]) => {
  const { sealedFetch } = await import("/seal/index.js");
  try {
    const answer = await sealedFetch()("/v1/chat/completions", {
      method: "POST", headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
      body: JSON.stringify({ model: "gpt-4", encryption, stream: streamed, messages: [{ role: "user", content: text }] }),
    });
    return await answer.text();
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}, [given.key, given.text, suite, stream]);

for (const [what, patched] of [["with the browser's own ML-KEM", false], ["with @noble/post-quantum", true]]) {
  const page = await application();
  const loaded = [];
  page.on("request", (request) => request.url().includes("/noble/") && loaded.push(request.url()));
  if (patched) {
    await page.evaluate(withoutMlkem);
  }
  // Chromium has ML-KEM-768 alone: kyber512 always takes the library.
  for (const [suite, stream] of [["x-wing", false], ["x-wing", true], ...(patched ? [["kyber512", false]] : [])]) {
    const answer = await ask(page, suite, stream);
    ok(answer.includes(given.text.split(" ")[0]) && answer.includes('"end_to_end"') && answer.includes(`"${suite}"`), `${suite}, ${stream ? "streamed" : "whole"}, ${what}`, answer);
  }
  ok((loaded.length !== 0) === patched, `${what}: the library is loaded where it is needed alone`, loaded);
  await page.context().close();
}

// The playground brings the library along, or refuses and sends nothing in the clear.
const page = await (await browser.newContext()).newPage();
page.setDefaultTimeout(120000);
await page.addInitScript(withoutMlkem);
const sent = [];
page.on("request", (request) => request.method() === "POST" && sent.push(request.postData() ?? ""));
await page.goto(given.url);
await page.fill("#key", given.key);
await page.click("#key-button");
await page.waitForFunction(() => /good for/.test(document.getElementById("status").textContent));
await page.setChecked("#seal", true);

/** Seals one message in the playground; what it says of the bytes on the wire, or of the problem. */
async function seal(suite, stream, end) {
  await page.selectOption("#suite", suite);
  await page.setChecked("#stream", stream);
  await page.click("#send");
  await page.waitForFunction((word) => document.getElementById("status").textContent.includes(word), end);
  return page.locator(end === "complete" ? "#wire-facts" : "#problem").innerText();
}

if (given.brought) {
  for (const [suite, stream] of [["x-wing", true], ["x-wing", false], ["kyber512", true]]) {
    const facts = await seal(suite, stream, "complete");
    ok(facts.includes(suite) && facts.includes("end_to_end") && /in them\s+0/.test(facts), `the playground seals with what it brings along: ${suite}, ${stream ? "streamed" : "whole"}`, facts);
  }
  ok(sent.length !== 0 && !sent.some((body) => body.includes("messages")), "and sends nothing in the clear", sent);
} else {
  const problem = await seal("x-wing", true, "failed");
  ok(/ML-KEM/.test(problem) && sent.length === 0, "the playground refuses to seal where it cannot, and sends nothing", [problem, sent]);
}
const facts = await seal("rsa4096", true, "complete");
ok(facts.includes("rsa4096"), "and seals with RSA-4096 when it is told to", facts);
await browser.close();
