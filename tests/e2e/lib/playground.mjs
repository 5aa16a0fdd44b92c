// SPDX-License-Identifier: Apache-2.0
// Drives the playground in a real browser.  Called by test_playground.py with one argument, JSON:
// {url, key, hostile, admin, chromium, modules, brought, shots, update}; prints one JSON line for each check.

import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const given = JSON.parse(process.argv[2]);
const require = createRequire(path.join(given.modules, "x.js"));
const { chromium } = require("playwright-core");
const axe = fs.readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

/** A check: what was expected in words, and what was seen where it was not. */
function ok(good, what, detail = null) {
  console.log(JSON.stringify({ ok: Boolean(good), what, detail: good ? null : JSON.stringify(detail).slice(0, 1500) }));
}

const browser = await chromium.launch({ executablePath: given.chromium, args: ["--no-sandbox", "--disable-gpu", "--font-render-hinting=none"] });

/** A page of its own, with what it asked for and what went wrong in it. */
async function open(url, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, locale: "en", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(120000);
  page.asked = [];
  page.faults = [];
  page.on("request", (request) => page.asked.push(request.url()));
  page.on("pageerror", (error) => page.faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && page.faults.push(message.text()));
  await page.goto(url);
  return page;
}

async function useKey(page, key) {
  await page.fill("#key", key);
  await page.click("#key-button");
  await page.waitForFunction(() => /good for|not accepted/.test(document.getElementById("status").textContent));
}

async function send(page) {
  await page.click("#send");
  await page.waitForFunction(() => /complete:|failed|Stopped/.test(document.getElementById("status").textContent));
}

const text = (page, id) => page.locator(`#${id}`).innerText();

async function violations(page) {
  // The policy forbids scripts of others, so axe comes in through the debugger.
  const client = await page.context().newCDPSession(page);
  await client.send("Runtime.evaluate", { expression: axe });
  const { result, exceptionDetails } = await client.send("Runtime.evaluate", {
    expression: "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']}).then((r) => JSON.stringify({rules: r.passes.length, bad: r.violations.map((v) => [v.id, v.nodes.map((n) => n.html)])}))",
    awaitPromise: true, returnByValue: true,
  });
  return exceptionDetails ? { rules: 0, bad: [exceptionDetails] } : JSON.parse(result.value);
}

/** How many of a thousand pixels differ visibly from the committed picture; compared by the browser. */
async function differs(name, shot) {
  const file = path.join(given.shots, `${name}.png`);
  if (given.update) {
    fs.writeFileSync(file, shot);
  }
  const page = await (await browser.newContext()).newPage();
  const result = await page.evaluate(async ([a, b]) => {
    const pixels = async (data) => {
      const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
      const canvas = new OffscreenCanvas(image.width, image.height);
      canvas.getContext("2d").drawImage(image, 0, 0);
      return canvas.getContext("2d").getImageData(0, 0, image.width, image.height);
    };
    const [one, two] = [await pixels(a), await pixels(b)];
    if (one.width !== two.width || Math.abs(one.height - two.height) > 8) {
      return { sizes: [one.width, one.height, two.width, two.height], permille: 1000 };
    }
    let different = 0;
    const count = one.width * Math.min(one.height, two.height);
    for (let i = 0; i < count * 4; i += 4) {
      const far = Math.max(...[0, 1, 2].map((k) => Math.abs(one.data[i + k] - two.data[i + k])));
      different += far > 48 ? 1 : 0;
    }
    return { permille: different * 1000 / count };
  }, [shot.toString("base64"), fs.readFileSync(file).toString("base64")]);
  await page.context().close();
  return result;
}

// --- what it does ---

const page = await open(given.url);
ok((await page.title()) === "Sotto playground", "the page comes from the program");
ok(await page.waitForFunction(() => ["#no-findings", "#missed-form", "footer"].every((part) => document.querySelector(part).checkVisibility())).then(() => true, () => false),
  "what stands below the first screen comes behind it");
await page.click("#send");
ok((await text(page, "problem")).includes("API key") || (await page.locator("#key:invalid").count()) === 1, "without a key it asks for one");
await useKey(page, "ql_" + "0".repeat(12) + "_" + "0".repeat(32));
ok((await text(page, "problem")).includes("401"), "a wrong key is told", await text(page, "problem"));
await useKey(page, given.key);
ok(/good for/.test(await text(page, "status")), "a good key is taken", await text(page, "status"));
ok((await page.inputValue("#key")) === "", "and does not stay in the field");
ok((await page.inputValue("#model")) === "mirror", "models come from the gateway", await page.inputValue("#model"));
const kept = await page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie, location.href]));
ok(!kept.includes("ql_"), "it is in no storage, cookie or address", kept);

await send(page);
const wrote = await page.locator("#wrote").innerText();
const saw = await text(page, "saw");
const answer = await text(page, "answer");
ok(wrote.includes("Margaret Thornbury") && wrote.includes("PERSON"), "what was typed is shown with its entities marked", wrote);
ok(/PERSON[0-9A-Z]{9}/.test(saw) && !saw.includes("Thornbury"), "what the provider saw has tokens", saw);
ok(answer.includes("Margaret Thornbury") && !/PERSON[0-9A-Z]{9}/.test(answer), "what came back has the values", answer);
ok((await page.locator("#saw mark").count()) >= 4 && (await page.locator("#answer mark").count()) >= 4, "tokens and values are marked");
ok((await page.locator("#wrote mark.left").count()) >= 1, "what the mode leaves is marked as left");
const row = await page.locator("#findings tbody tr").first().innerText();
ok(/Margaret Thornbury\s+PERSON\s+.*\s[01]\.\d\d\s+\S+\s+PERSON[0-9A-Z]{9}/.test(row), "each finding has its label, score, rule and token", row);
ok(/\d+ values replaced/.test(await text(page, "facts")), "the headers of the answer are shown");

// The audit log.
const steps = () => page.locator("#audit-steps").innerText();
ok((await steps()).match(/^Holds: /gm)?.length === 4 && (await page.inputValue("#vkey")) === given.vkey, "entry, record, proof and signature hold, with the key that the gateway shows", await steps());
ok((await text(page, "audit-record")).includes('"mode":"standard"') && !(await text(page, "audit-record")).includes("Thornbury"), "the record is shown", await text(page, "audit-record"));
const sign = async (vkey, good) => {
  await page.fill("#vkey", vkey);
  await page.press("#vkey", "Enter");
  await page.waitForFunction((wanted) => document.getElementById("audit-steps").lastElementChild.textContent.startsWith(wanted), good ? "Holds" : "DOES NOT HOLD").catch(() => 0);
  return page.locator("#audit-steps li").last().innerText();
};
ok((await sign(given.vkey, true)).startsWith("Holds"), "with the log's key the signature holds", await steps());
ok((await sign(given.vkey.replace(/.$/, (c) => (c === "A" ? "B" : "A")), false)).startsWith("DOES NOT HOLD"), "with another key it does not", await steps());
ok((await sign("nonsense", false)).startsWith("DOES NOT HOLD"), "nor with what is no key", await steps());
await page.fill("#vkey", "");
await page.press("#vkey", "Enter");
await page.waitForFunction(() => document.getElementById("audit-steps").lastElementChild.textContent.startsWith("Not checked"));
ok((await steps()).match(/^Holds: /gm)?.length === 3, "without a key the signature is not checked, and that is told", await steps());
const tampered = await page.evaluate(async ([id, key]) => {
  const { auditSteps } = await import("./seal/index.js");
  const answer = await (await fetch(`/v1/audit/${id}`, { headers: { Authorization: `Bearer ${key}` } })).text();
  const verdict = async (change) => (await auditSteps(id, change(answer), null)).steps.map((one) => one.good);
  const hash = /\\n([A-Za-z0-9+/]{43}=)\\n/;
  return {
    untouched: await verdict((a) => a),
    record: await verdict((a) => a.replace('"mode":"standard"', '"mode":"standarb"')),
    root: await verdict((a) => a.replace(/(checkpoint|log)?\\n(\d+)\\n([A-Za-z0-9+/]{3})/, (m) => m.slice(0, -3) + (m.endsWith("AAA") ? "BBB" : "AAA"))),
    index: await verdict((a) => a.replace(/index (\d+)/, (m, n) => `index ${Number(n) + 1}`)),
    path: hash.test(answer.slice(0, answer.indexOf("\\n\\n"))) ? await verdict((a) => a.replace(hash, (m) => m.slice(0, 2) + (m[2] === "A" ? "B" : "A") + m.slice(3))) : [true, true, false, null],
  };
}, [await page.evaluate(() => /audit_\w{22}/.exec(document.getElementById("audit-steps").textContent)[0]), given.key]);
ok(JSON.stringify(tampered.untouched) === "[true,true,true,null]" && tampered.record[1] === false && tampered.root[2] === false && tampered.index[2] === false && tampered.path[2] === false,
  "a changed record, root, index or hash does not hold", tampered);

await page.selectOption("#mode", "hipaa");
await page.selectOption("#style", "redact");
await page.uncheck("#stream");
await send(page);
const redacted = await text(page, "saw");
ok(redacted.includes("[PERSON]") && !redacted.includes("12 March 1961"), "mode and style are those that were chosen", redacted);
await page.selectOption("#mode", "");
await page.selectOption("#style", "");
await page.check("#stream");
await page.selectOption("#suite", "x-wing");
await send(page);
ok(/complete/.test(await text(page, "status")), "a suite can be chosen", await text(page, "problem"));
await page.selectOption("#suite", "");

// Sealed in the page.  Chromium has ML-KEM-768 alone: ML-KEM-512 is of the library that the page brings along.
for (const [suite, stream] of [["", true], ["rsa4096", false], ["x-wing", false], ...(given.brought ? [["kyber512", true]] : [])]) {
  await page.selectOption("#suite", suite);
  await page.setChecked("#seal", true);
  await page.setChecked("#stream", stream);
  await send(page);
  const facts = await page.locator("#wire-facts").innerText().catch(() => "");
  const what = `sealed with ${suite || "what the client takes"}, ${stream ? "streamed" : "whole"}`;
  ok((await text(page, "answer")).includes("Margaret Thornbury") && /PERSON[0-9A-Z]{9}/.test(await text(page, "saw")), `${what}: the same three columns`, await text(page, "problem"));
  ok(facts.includes(suite || "x-wing") && facts.includes("end_to_end") && /in them\s+0/.test(facts), `${what}: no word of it is on the wire`, facts);
  ok(/^000000 {2}([0-9a-f]{2} ){15}/.test(await page.locator("#wire-request").innerText().catch(() => "")), `${what}: the sealed bytes are shown`);
}
await page.setChecked("#seal", false);
await page.setChecked("#stream", true);
if (!given.brought) {
  await page.selectOption("#suite", "kyber512");
  await page.setChecked("#seal", true);
  await send(page);
  ok((await text(page, "problem")).includes("ML-KEM"), "a suite that the browser lacks is told, and nothing is sent in the clear", await text(page, "problem"));
  await page.setChecked("#seal", false);
}
await page.selectOption("#suite", "");
await send(page);
ok(!(await page.isVisible("#wire")), "an open request shows no sealed bytes");

// What was missed, by keyboard alone.
await page.fill("#text", "Ask the Bluebird team \"today\".");
await page.focus("#text");
await page.keyboard.press("Control+Home");
for (let i = 0; i < "Ask the ".length; i++) {
  await page.keyboard.press("ArrowRight");
}
await page.keyboard.down("Shift");
for (let i = 0; i < "Bluebird".length; i++) {
  await page.keyboard.press("ArrowRight");
}
await page.keyboard.up("Shift");
await page.focus("#missed-label");
await page.keyboard.press("Tab");
await page.keyboard.press("Enter");
ok((await text(page, "missed-line")).includes('- {text: "Bluebird", label: ID}'), "a missed text becomes a line of the configuration", await page.locator("#missed").innerHTML());

// Keyboard: everything can be reached, in the order in which it stands.
await page.focus("#key");
const order = [];
for (let i = 0; i < 24; i++) {
  await page.keyboard.press("Tab");
  order.push(await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
}
const wanted = ["key-button", "theme", "model", "mode", "style", "suite", "stream", "seal", "text", "send", "wrote", "saw", "answer"];
ok(JSON.stringify(order.filter((id) => wanted.includes(id)).slice(0, wanted.length)) === JSON.stringify(wanted), "the keyboard reaches everything in order", order);
await page.fill("#text", "Write to Margaret Thornbury.");
await page.focus("#text");
await page.keyboard.press("Control+Enter");
await page.waitForFunction(() => document.getElementById("answer").textContent.includes("Thornbury"));
ok(true, "Ctrl + Enter sends");
ok((await page.getAttribute("#status", "role")) === "status" && (await page.getAttribute("#problem", "role")) === "alert", "a screen reader hears state and errors");

ok(page.faults.filter((fault) => !fault.includes("401")).length === 0, "nothing went wrong in the page", page.faults);
ok(page.asked.every((url) => url.startsWith(given.url) || url.startsWith("data:")), "nothing was loaded from elsewhere", page.asked);
await page.context().close();

// --- with the keyboard alone, and as a screen reader meets it ---

const hands = await open(given.url);
const focused = () => hands.evaluate(() => document.activeElement.id || document.activeElement.tagName.toLowerCase());
/** Tab, until that element has the focus; whether each that had it on the way showed it. */
async function tabTo(id) {
  let shown = true;
  for (let i = 0; i < 60 && await focused() !== id; i++) {
    await hands.keyboard.press("Tab");
    shown &&= await hands.evaluate(() => document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== "none");
  }
  return shown && await focused() === id;
}
const until = (condition) => hands.waitForFunction(condition).then(() => true, () => false);
await hands.keyboard.press("Tab");
ok(await hands.evaluate(() => document.activeElement.className) === "skip", "keyboard: the first step leads past everything to the answer", await focused());
ok(await tabTo("key"), "keyboard: to the key");
await hands.keyboard.type(given.key);
await hands.keyboard.press("Enter");
ok(await until(() => /good for/.test(document.getElementById("status").textContent)), "keyboard: the key is used");
ok(await tabTo("mode"), "keyboard: to the mode");
await hands.keyboard.type("hip");
ok(await hands.inputValue("#mode") === "hipaa", "keyboard: a mode is chosen", await hands.inputValue("#mode"));
ok(await tabTo("stream"), "keyboard: to the stream");
await hands.keyboard.press("Space");
ok(!(await hands.isChecked("#stream")), "keyboard: and is switched off");
await hands.keyboard.press("Space");
ok(await tabTo("text"), "keyboard: to the message");
await hands.keyboard.press("Control+a");
await hands.keyboard.type("Write to Margaret Thornbury in Basel.");
await hands.keyboard.press("Control+Enter");
ok(await until(() => /complete/.test(document.getElementById("status").textContent)), "keyboard: it is sent", await text(hands, "problem"));
await hands.keyboard.press("Control+End");
for (let i = 0; i < "Basel.".length; i++) {
  await hands.keyboard.press("Shift+ArrowLeft");
}
ok(await tabTo("vkey") && await tabTo("missed-label"), "keyboard: to the audit entry and to what was missed");
await hands.keyboard.press("Tab");
await hands.keyboard.press("Enter");
ok(await until(() => document.getElementById("missed-line").textContent.includes('"Basel."')), "keyboard: a missed text becomes a line", await text(hands, "missed-line"));
ok(await tabTo("copy"), "keyboard: to its button");
await hands.keyboard.press("Tab");
ok(["body", "a", "html"].includes(await focused()), "keyboard: behind the last element the walk leaves the page", await focused());

/** What Chromium tells assistive software: role, name and properties of each node. */
async function told(page) {
  const { nodes } = await (await page.context().newCDPSession(page)).send("Accessibility.getFullAXTree");
  return nodes.filter((node) => !node.ignored).map((node) => ({
    role: node.role?.value ?? "", name: node.name?.value ?? "", ...Object.fromEntries((node.properties ?? []).map((one) => [one.name, one.value.value])),
  }));
}
const tree = await told(hands);
const of = (role, name = /./) => tree.filter((node) => node.role === role && name.test(node.name));
ok(["banner", "main", "contentinfo"].every((role) => tree.filter((node) => node.role === role).length === 1), "screen reader: one banner, main part and footer");
const headings = of("heading");
ok(headings.filter((one) => one.level === 1).length === 1 && headings.every((one, i) => i === 0 || one.level <= headings[i - 1].level + 1), "screen reader: headings without a gap", headings.map((one) => [one.level, one.name]));
const dumb = tree.filter((node) => node.focusable && node.role !== "RootWebArea" && node.name.trim() === "");
ok(dumb.length === 0 && tree.filter((node) => node.focusable).length > 20, "screen reader: whatever takes the focus has a name", dumb);
for (const [role, name] of [["textbox", /^API key/], ["textbox", /^Your message/], ["combobox", /^Mode/], ["combobox", /^Token style/], ["combobox", /^Suite/], ["checkbox", /^Stream/], ["checkbox", /^Seal/],
  ["button", /^Send/], ["region", /^What you typed, entities/], ["region", /^What the provider saw, tokens/], ["region", /^The answer/], ["columnheader", /^Rule/], ["region", /^The record/]]) {
  ok(of(role, name).length >= 1, `screen reader: ${role} “${name.source.slice(1)}”`, tree.filter((node) => node.role === role).map((node) => node.name));
}
ok(tree.some((node) => node.role === "status" && node.live === "polite"), "screen reader: the state is said when there is time");
const [said] = of("region", /^The answer/);
ok(said.live === "polite" && !said.busy, "screen reader: the answer is said when it is complete", said);
await hands.context().close();

// --- a provider that means harm ---

const attacked = await open(given.hostile);
attacked.on("dialog", (dialog) => { attacked.faults.push(`dialog ${dialog.message()}`); dialog.dismiss(); });
await useKey(attacked, given.key);
await attacked.fill("#text", "html");
await send(attacked);
const shown = await text(attacked, "answer");
ok(shown.includes("<script>") && shown.includes("<img src=x"), "markup in an answer is text", shown.slice(0, 500));
ok(shown.includes("␛") && !shown.includes("\u001b"), "escape sequences are made visible", shown.slice(0, 500));
ok(shown.includes("U+202E"), "and what turns text around", shown.slice(0, 500));
ok((await attacked.locator("#answer script, #answer img, #answer a").count()) === 0, "and makes no element");
await attacked.fill("#text", "megabyte");
await send(attacked);
const long = await attacked.evaluate(() => ({ shown: document.getElementById("answer").textContent.length, wide: document.documentElement.scrollWidth <= innerWidth }));
ok(long.shown < 110000 && long.wide, "a megabyte in one line is cut, and the page stays as wide as it was", long);
await attacked.fill("#text", "cut");
await send(attacked);
ok((await text(attacked, "problem")) !== "", "an answer that breaks off is told", await text(attacked, "problem"));
await attacked.fill("#text", "slow");
await attacked.click("#send");
await attacked.waitForFunction(() => document.getElementById("answer").textContent.includes("one"));
ok(!(await text(attacked, "answer")).includes("three"), "text is shown while it comes");
ok((await attacked.getAttribute("#answer", "aria-busy")) === "true", "and a screen reader is told that more will come");
ok((await attacked.locator("#saw").innerText()).includes("slow"), "what the provider saw is there before the answer is");
await attacked.click("#stop");
await attacked.waitForFunction(() => document.getElementById("status").textContent === "Stopped.");
ok(true, "a running answer can be stopped");
const escaped = attacked.faults.filter((fault) => /dialog|attack/.test(fault));
ok(escaped.length === 0, "nothing of it ran", attacked.faults);
const refused = await attacked.evaluate(() => { try { document.body.innerHTML = "<b>x</b>"; return false; } catch { return true; } });
ok(refused, "the policy refuses markup made by scripts");
await attacked.context().close();

// --- looks ---

for (const colorScheme of ["light", "dark"]) {
  for (const [size, viewport] of Object.entries({ wide: { width: 1280, height: 900 }, phone: { width: 390, height: 844 } })) {
    const name = `${colorScheme}-${size}`;
    const looks = await open(given.url, { colorScheme, viewport, reducedMotion: "reduce" });
    await looks.waitForSelector("footer", { state: "visible" });
    const empty = await violations(looks);
    await useKey(looks, given.key);
    await send(looks);
    const full = await violations(looks);
    ok(empty.bad.length === 0 && full.bad.length === 0 && full.rules > 15, `${name}: no violation of accessibility`, [empty.bad, full.bad, full.rules]);
    ok(await looks.evaluate(() => document.documentElement.scrollWidth <= innerWidth), `${name}: nothing is wider than the screen`);
    await looks.evaluate(() => { document.getElementById("facts").textContent = "5 values replaced."; document.getElementById("audit").hidden = true; document.activeElement.blur(); scrollTo(0, 0); });
    const shot = await looks.screenshot({ animations: "disabled", fullPage: size === "phone" });
    const result = await differs(`playground-${name}`, shot);
    ok(result.permille < 30, `${name}: it looks as in docs/images`, result);
    if (size === "wide" && colorScheme === "light") {
      const paints = [];
      for (let i = 0; i < 7; i++) {
        const again = await looks.context().newPage();
        await again.goto(given.url);
        await again.waitForFunction(() => performance.getEntriesByName("first-contentful-paint").length !== 0);
        paints.push(await again.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0].startTime));
        await again.close();
      }
      paints.sort((a, b) => a - b);
      console.log(JSON.stringify({ note: `first contentful paint in ms, seven times: ${paints.map(Math.round).join(" ")}` }));
      await looks.click("#theme");
      ok((await looks.evaluate(() => getComputedStyle(document.body).backgroundColor)) === "rgb(18, 24, 31)", "the theme can be chosen");
    }
    await looks.context().close();
  }
}

// --- the page of the admin listener ---

const admin = await open(given.admin);
await admin.waitForFunction(() => document.getElementById("now").childElementCount !== 0);
const table = (page, id) => page.locator(`#${id} tbody`).innerText();
ok(/Ready/.test(await text(admin, "state")), "admin: says that requests are served");
ok(/PERSON\s+[1-9]\d*\s+[1-9]/.test(await table(admin, "labels")), "admin: findings by label", await table(admin, "labels"));
ok(/mirror\s+\*\s+[1-9]\d*\s+none\s/.test(await table(admin, "providers")), "admin: requests and health of providers", await table(admin, "providers"));
ok(/invalid_api_key\s+[1-9]/.test(await table(admin, "refusals")), "admin: errors that clients got", await table(admin, "refusals"));
const before = await text(admin, "now");
await admin.evaluate((url) => fetch(url, { mode: "no-cors" }).catch(() => 0), `${given.url}v1/models`);
const asked = await (await browser.newContext()).newPage();
await asked.goto(given.url);
const statuses = await asked.evaluate(async (key) => Promise.all([1, 2, 3, 4, 5, 6].map(async () => (await fetch("/v1/chat/completions", {
  method: "POST", headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
  body: JSON.stringify({ model: "x", messages: [{ role: "user", content: "Margaret Thornbury called." }] }) })).status)), given.key);
ok(statuses.every((status) => status === 200), "admin: six requests are made", statuses);
await admin.waitForFunction(() => /\d[\d.]* (µs|ms)/.test(document.getElementById("latency").tBodies[0].innerText));
ok(/own\s+[1-9]\d*\s+[\d.]+ (µs|ms)/.test(await table(admin, "latency")), "admin: latency in quantiles", await table(admin, "latency"));
await admin.waitForFunction((old) => document.getElementById("now").innerText !== old, before);
ok(before !== await text(admin, "now") && /Requests a second\s+[0-9.]+/.test(await text(admin, "now")), "admin: requests a second", await text(admin, "now"));
const tell = async (key) => {
  await admin.fill("#key", key);
  await admin.press("#key", "Enter");
  await admin.waitForFunction(() => document.getElementById("key").value === "" && (!document.getElementById("problem").hidden || !document.getElementById("keys").hidden));
};
await tell(given.key);
ok((await text(admin, "problem")).includes("admin") && !(await admin.isVisible("#keys")), "admin: a key without the scope shows nothing", await text(admin, "problem"));
await tell(given.boss);
ok(/boss\s+\w{12}\s+\S+\s+\S+\s+0\s+0\s+0\s+no limit\s+valid/.test(await table(admin, "keys")), "admin: keys and what they have used", await table(admin, "keys"));
ok(/poor\s+\w{12}\s+ward\s+hipaa\s+0 of 5\s/.test(await table(admin, "keys")), "admin: and their quotas", await table(admin, "keys"));
ok(admin.faults.filter((fault) => !/403|401/.test(fault)).length === 0 || admin.faults.every((fault) => /connect-src|Content Security Policy|violates|40[13]/.test(fault)), "admin: nothing went wrong", admin.faults);
ok(admin.faults.length !== 0, "admin: the policy lets it reach nothing but itself");
await admin.context().close();
for (const colorScheme of ["light", "dark"]) {
  for (const viewport of [{ width: 1280, height: 900 }, { width: 390, height: 844 }]) {
    const looks = await open(given.admin, { colorScheme, viewport });
    await looks.waitForFunction(() => document.getElementById("now").childElementCount !== 0);
    const found = await violations(looks);
    ok(found.bad.length === 0 && found.rules > 10, `admin, ${colorScheme}, ${viewport.width} wide: no violation of accessibility`, found);
    ok(await looks.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "and nothing is wider than the screen");
    await looks.context().close();
  }
}
await browser.close();
