// SPDX-License-Identifier: Apache-2.0

/*
 * The playground: sends one message through the gateway that served this page and shows what the
 * gateway made of it.  What it shows came from outside, so nothing here writes HTML: text nodes
 * only, and characters that steer a terminal or turn the direction of text are made visible.
 */

/** The client for JavaScript, which seals and checks proofs: loaded when it is needed, so that nothing
 *  waits for it before the page is there. */
const client = async () => {
  const seal = await import("./seal/index.js");
  seal.useMlKem(() => import("./seal/ml-kem.js").catch(() => {
    throw new Error("this browser lacks ML-KEM, and this build of the gateway brings none: choose RSA-4096 or another browser");
  }));
  return seal;
};

/** Longest text that a column shows; a page with more of it in one line stops answering. */
const SHOWN_MAX = 100_000;

/** Colour of a label; the label itself stands beside the mark as well. */
const FAMILY = {
  PERSON: "person", EMAIL: "contact", PHONE: "contact", URL: "contact", ID: "id", SECRET: "id",
  LOCATION: "place", ADDRESS: "place",
};

const $ = (id) => document.getElementById(id);

/** The gateway key; nowhere else, so that a reload forgets it. */
let key = "";
/** Ends the request that runs; null when none does. */
let running = null;
/** The text that the findings are about, and the last selection in it. */
let sent = "";
let selection = "";

// --- showing text ------------------------------------------------------------------------------

/** C0 and C1 controls but tab and line feed, and the characters that turn text around. */
const STEERING = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

function visible(char) {
  const code = char.codePointAt(0);
  return code < 0x20 ? String.fromCodePoint(0x2400 + code) : `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
}

/** Appends text to a node; nothing in it is markup. */
function addText(node, text) {
  let at = 0;
  for (const match of text.matchAll(STEERING)) {
    node.append(text.slice(at, match.index));
    const shown = document.createElement("span");
    shown.className = "control";
    shown.textContent = visible(match[0]);
    node.append(shown);
    at = match.index + match[0].length;
  }
  node.append(text.slice(at));
}

function addMark(node, text, label, replaced) {
  const mark = document.createElement("mark");
  mark.className = `${FAMILY[label] ?? ""}${replaced ? "" : " left"}`.trim();
  addText(mark, text);
  const small = document.createElement("small");
  small.textContent = replaced ? label : `${label} (left)`;
  mark.append(small);
  node.append(mark);
}

/** Shows text with marks: [{start, end, label, replaced}] in order, offsets as of a string. */
function showMarked(node, text, marks) {
  node.replaceChildren();
  const shown = text.slice(0, SHOWN_MAX);
  let at = 0;
  for (const mark of marks) {
    if (mark.start < at || mark.end > shown.length) {
      continue;
    }
    addText(node, shown.slice(at, mark.start));
    addMark(node, shown.slice(mark.start, mark.end), mark.label, mark.replaced);
    at = mark.end;
  }
  addText(node, shown.slice(at));
  if (text.length > SHOWN_MAX) {
    node.append(`\n… and ${text.length - SHOWN_MAX} characters more`);
  }
}

/** Where any of `words` ({text: label}) stands in the text, longest word first. */
function occurrences(text, words) {
  const all = Object.keys(words).filter((word) => word !== "").sort((a, b) => b.length - a.length);
  if (all.length === 0) {
    return [];
  }
  const pattern = new RegExp(all.map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&")).join("|"), "gu");
  return [...text.slice(0, SHOWN_MAX).matchAll(pattern)].map((match) => (
    { start: match.index, end: match.index + match[0].length, label: words[match[0]], replaced: true }));
}

function say(text) {
  $("status").textContent = text;
}

function complain(text) {
  $("problem").replaceChildren();
  addText($("problem"), text.slice(0, 2000));
  $("problem").hidden = text === "";
}

// --- asking the gateway ------------------------------------------------------------------------

function headers() {
  const lines = { Authorization: `Bearer ${key}`, "Content-Type": "application/json", "x-sotto-explain": "1" };
  if ($("style").value !== "") {
    lines["x-sotto-style"] = $("style").value;
  }
  return lines;
}

function body() {
  const request = { model: $("model").value.trim(), messages: [{ role: "user", content: sent }] };
  if ($("stream").checked) {
    request.stream = true;
  }
  if ($("mode").value !== "") {
    request.compliance_mode = $("mode").value;
  }
  if ($("suite").value !== "") {
    request.encryption = $("suite").value;
  }
  return JSON.stringify(request);
}

/** What an answer that is no success says. */
async function reason(response) {
  const text = await response.text();
  try {
    return `${response.status}: ${JSON.parse(text).error.message}`;
  } catch {
    return `${response.status}: ${text.slice(0, 500)}`;
  }
}

/** Yields the data of each server-sent event. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { done, value } = await reader.read();
    rest += value ?? "";
    const parts = rest.split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      const data = part.split("\n").filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trimStart());
      if (data.length !== 0) {
        yield data.join("\n");
      }
    }
    if (done) {
      return;
    }
  }
}

/** What has come so far; drawn once a frame, however fast it comes. */
class Answer {
  constructor() {
    this.text = "";
    this.explanation = null;
    this.values = {};
    this.encryption = null;
    this.drawing = 0;
    this.began = performance.now();
    this.first = 0;
  }

  /** Takes a whole answer (`message`) or a chunk of one (`delta`). */
  take(part) {
    if (part.error) {
      throw new Error(part.error.message);
    }
    if (part.sotto) {
      this.explanation = part.sotto;
      this.explain();
    }
    this.encryption = part.encryption ?? this.encryption;
    for (const choice of part.choices ?? []) {
      const said = choice.message ?? choice.delta ?? {};
      if (typeof said.content === "string" && choice.index === 0 && said.content !== "") {
        this.first ||= performance.now();
        this.text += said.content;
      }
    }
    this.drawing ||= requestAnimationFrame(() => this.draw());
  }

  draw() {
    cancelAnimationFrame(this.drawing);
    this.drawing = 0;
    showMarked($("answer"), this.text, occurrences(this.text, this.values));
  }

  /** The first two columns and the table, from what the gateway says it did. */
  explain() {
    const findings = (this.explanation.findings ?? []).filter((f) => f.message === 0 && f.field === "content");
    const points = Array.from(sent);
    const at = [0];
    for (const point of points) {
      at.push(at[at.length - 1] + point.length);
    }
    const tokens = {};
    const rows = findings.map((f) => {
      const text = points.slice(f.start, f.end).join("");
      if (f.token) {
        tokens[f.token] = f.label;
        this.values[text] = f.label;
      }
      return { ...f, text };
    });
    showMarked($("wrote"), sent, findings.map((f) => ({ start: at[f.start], end: at[f.end], label: f.label, replaced: Boolean(f.token) }))
      .sort((a, b) => a.start - b.start));
    const saw = (this.explanation.sent ?? []).map((m) => (typeof m.content === "string" ? m.content : JSON.stringify(m.content))).join("\n");
    showMarked($("saw"), saw, occurrences(saw, tokens));
    showFindings(rows);
  }
}

function showFindings(rows) {
  const table = $("findings").tBodies[0];
  table.replaceChildren();
  for (const row of rows.slice(0, 500)) {
    const line = table.insertRow();
    for (const text of [row.text, row.label, row.type ?? "–", row.score.toFixed(2), row.rule, row.token ?? "left as it is"]) {
      addText(line.insertCell(), String(text).slice(0, 300));
    }
  }
  $("findings").hidden = rows.length === 0;
  $("no-findings").hidden = rows.length !== 0;
  $("no-findings").textContent = "Nothing was found in this text.";
}

function showFacts(response, answer) {
  const facts = [];
  const entities = response.headers.get("x-sotto-entities");
  if (entities !== null) {
    facts.push(`${entities} values replaced`);
  }
  if (response.headers.get("x-sotto-overhead-ms") !== null) {
    facts.push(`${response.headers.get("x-sotto-overhead-ms")} ms in the gateway before the first byte`);
  }
  facts.push(`first text after ${Math.round((answer.first || performance.now()) - answer.began)} ms`);
  if (response.headers.get("x-sotto-unprotected") !== null) {
    facts.push(`not protected: ${response.headers.get("x-sotto-unprotected")}`);
  }
  $("facts").textContent = `${facts.join(", ")}.`;
}

async function ask(signal) {
  const answer = new Answer();
  const isSealed = $("seal").checked;
  const response = await (isSealed ? sealedAsk : fetch)("/v1/chat/completions", { method: "POST", headers: headers(), body: body(), signal });
  if (!response.ok) {
    throw new Error(await reason(response));
  }
  if ((response.headers.get("content-type") ?? "").startsWith("text/event-stream")) {
    let complete = false;
    for await (const data of events(response)) {
      complete ||= data === "[DONE]";
      if (!complete) {
        answer.take(JSON.parse(data));
      }
    }
    if (!complete) {
      throw new Error("the stream ended before the answer was complete");
    }
  } else {
    answer.take(await response.json());
  }
  answer.draw();
  $("answer").setAttribute("aria-busy", "false"); // what is live is said now, once
  showFacts(response, answer);
  answer.auditId = response.headers.get("x-sotto-audit-id");
  if (isSealed) {
    await showWire(answer);
  }
  return answer;
}

async function send() {
  if (running !== null) {
    return;
  }
  if (key === "") {
    takeKey();
  }
  if (key === "") {
    complain("An API key is needed: `make run` printed one, `sotto keys create` makes another.");
    $("key").focus();
    return;
  }
  sent = $("text").value;
  running = new AbortController();
  for (const id of ["wrote", "saw", "answer", "facts"]) {
    $(id).replaceChildren();
  }
  complain("");
  $("wire").hidden = true;
  $("audit").hidden = true;
  $("send").disabled = true;
  $("stop").disabled = false;
  $("answer").setAttribute("aria-busy", "true");
  say("Sending…");
  try {
    const answer = await ask(running.signal);
    await audit(answer.auditId);
    say(`The answer is complete: ${answer.text.length} characters.`);
  } catch (error) {
    const stopped = error.name === "AbortError";
    say(stopped ? "Stopped." : "The request failed.");
    complain(stopped ? "" : error.message);
  }
  running = null;
  $("send").disabled = false;
  $("stop").disabled = true;
  $("answer").setAttribute("aria-busy", "false");
}

// --- sealing -----------------------------------------------------------------------------------

/** Most bytes that are shown of what went over the wire. */
const WIRE_MAX = 1024;

/** Sends, and keeps what went over the wire; used by the sealing fetch alone. */
async function overheard(url, init) {
  const response = await fetch(url, init);
  if (!url.includes("/seal/")) {
    wire.request = new Uint8Array(init.body);
    wire.answer = response.clone().arrayBuffer().then((bytes) => new Uint8Array(bytes), () => new Uint8Array(0));
  }
  return response;
}

/** One for the life of the page: its sessions and the gateway's key are kept in memory. */
let sealing = null;

async function sealedAsk(url, init) {
  sealing ??= (await client()).sealedFetch({ fetch: overheard });
  return sealing(url, init);
}

/** What went over the wire last. */
const wire = { request: null, answer: null };

/** Offset, sixteen bytes, and what of them is a letter. */
function dump(bytes) {
  const lines = [];
  for (let at = 0; at < Math.min(bytes.length, WIRE_MAX); at += 16) {
    const some = Array.from(bytes.subarray(at, at + 16));
    const hex = some.map((byte) => byte.toString(16).padStart(2, "0")).join(" ").padEnd(47);
    lines.push(`${at.toString(16).padStart(6, "0")}  ${hex}  ${some.map((b) => (b > 0x20 && b < 0x7f ? String.fromCharCode(b) : ".")).join("")}`);
  }
  return lines.join("\n") + (bytes.length > WIRE_MAX ? `\n… ${bytes.length - WIRE_MAX} bytes more` : "");
}

/** What stands in an event as base64; base64 of some length has any word of four letters by chance. */
function decoded(text) {
  return text.replace(/^data: ([A-Za-z0-9+/]+={0,2})$/gm, (line, coded) => {
    try {
      return atob(coded);
    } catch {
      return line;
    }
  });
}

/** How many words of the text went over the wire as they are. */
function wordsIn(said) {
  const inside = decoded(said);
  return sent.split(/[^\p{L}\p{N}@.]+/u).filter((word) => word.length > 3 && (inside.includes(word) || (word.length > 5 && said.includes(word)))).length;
}

async function showWire(answer) {
  const bytes = await wire.answer;
  const facts = [
    ["Suite", answer.encryption?.algorithm ?? "unknown"],
    ["Scope", answer.encryption?.scope ?? "unknown"],
    ["Bytes sent, received", `${wire.request.length}, ${bytes.length}`],
    ["Words of yours in them", String(wordsIn(`${new TextDecoder().decode(wire.request)}\n${new TextDecoder().decode(bytes)}`))],
  ];
  $("wire-facts").replaceChildren(...facts.map(([name, value]) => {
    const group = document.createElement("div");
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = name;
    description.textContent = value;
    group.append(term, description);
    return group;
  }));
  $("wire-request").textContent = dump(wire.request);
  $("wire-answer").textContent = dump(bytes);
  $("wire").hidden = false;
}

// --- the audit log -----------------------------------------------------------------------------

/** The entry of the request at hand, as the gateway gave it; null: none. */
let entry = null;

/** Reads an entry; it is under a checkpoint within a second. */
async function readEntry(id) {
  for (let i = 0; i < 240; i++) {
    const response = await fetch(`/v1/audit/${id}`, { headers: { Authorization: `Bearer ${key}` } });
    if (response.status !== 202) {
      return response.ok ? { id, text: await response.text() } : null;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return null;
}

/** The key that the gateway itself shows, unless another one was given already. */
async function fillLogKey() {
  if ($("vkey").value.trim() !== "") {
    return;
  }
  const response = await fetch("/log/vkey", { headers: { Authorization: `Bearer ${key}` } });
  if (response.ok && $("vkey").value.trim() === "") {
    $("vkey").value = (await response.text()).trim();
  }
}

async function showEntry() {
  const { auditSteps } = await client();
  const { steps, record } = await auditSteps(entry.id, entry.text, $("vkey").value.trim() || null);
  $("audit-steps").replaceChildren(...steps.map(({ good, what }) => {
    const item = document.createElement("li");
    addText(item, `${good === null ? "Not checked" : good ? "Holds" : "DOES NOT HOLD"}: ${what}`);
    item.className = good === false ? "problem" : "";
    return item;
  }));
  $("audit-record").replaceChildren();
  addText($("audit-record"), record ?? "");
  $("audit").hidden = false;
}

async function audit(id) {
  entry = id === null ? null : await readEntry(id);
  if (entry !== null) {
    await fillLogKey();
    await showEntry();
  }
}

// --- the key and the models --------------------------------------------------------------------

function takeKey() {
  const given = $("key").value.trim();
  if (given !== "") {
    key = given;
    $("key").value = "";
    $("key").placeholder = `${key.slice(0, 6)}… is used`;
    $("key").required = false;
  }
}

async function listModels() {
  const response = await fetch("/v1/models", { headers: { Authorization: `Bearer ${key}` } });
  if (!response.ok) {
    throw new Error(await reason(response));
  }
  const names = (await response.json()).data.map((model) => String(model.id));
  $("models").replaceChildren(...names.slice(0, 1000).map((name) => {
    const option = document.createElement("option");
    option.value = name;
    return option;
  }));
  if (names.length !== 0 && !names.includes($("model").value)) {
    [$("model").value] = names;
  }
  return names.length;
}

async function useKey() {
  takeKey();
  complain("");
  say("Trying the key …");
  try {
    const count = await listModels();
    say(`The key is good for ${count === 1 ? "one model" : `${count} models`} of the list.`);
  } catch (error) {
    key = "";
    $("key").placeholder = "ql_…";
    say("The key was not accepted.");
    complain(error.message);
    $("key").focus();
  }
}

// --- what was missed ---------------------------------------------------------------------------

/** The selection in the text that was sent or is being written; kept when a button takes focus. */
function keepSelection() {
  const area = $("text");
  if (document.activeElement === area) {
    selection = area.value.slice(area.selectionStart, area.selectionEnd);
    return;
  }
  const chosen = document.getSelection();
  if (chosen.rangeCount !== 0 && $("wrote").contains(chosen.anchorNode) && $("wrote").contains(chosen.focusNode)) {
    const copy = chosen.getRangeAt(0).cloneContents();
    copy.querySelectorAll("small").forEach((label) => label.remove());
    selection = copy.textContent;
  }
}

function showMissed() {
  const text = selection.trim();
  if (text === "") {
    say("Select the text that was missed first, in what you typed.");
    $("missed").hidden = true;
    return;
  }
  // A JSON string is a YAML string.
  $("missed-line").textContent = `privacy:\n  deny:\n    - {text: ${JSON.stringify(text)}, label: ${$("missed-label").value}}`;
  $("missed").hidden = false;
  say("Put this line into the gateway's configuration and reload it (SIGHUP).");
}

// --- the first paint ---------------------------------------------------------------------------

/** What stands below the first screen is laid out and painted behind it. */
requestAnimationFrame(() => setTimeout(() => {
  for (const part of document.querySelectorAll(".later")) {
    part.hidden = false;
  }
}));

// --- theme -------------------------------------------------------------------------------------

const dark = matchMedia("(prefers-color-scheme: dark)");

/** Without a choice the system's theme holds. */
function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? dark.matches : chosen === "dark";
}

function showTheme() {
  $("theme").setAttribute("aria-pressed", String(isDark()));
}

showTheme();
dark.addEventListener("change", showTheme);
$("theme").addEventListener("click", () => {
  document.documentElement.dataset.theme = isDark() ? "light" : "dark";
  showTheme();
});
$("key-form").addEventListener("submit", (event) => { event.preventDefault(); useKey(); });
$("ask").addEventListener("submit", (event) => { event.preventDefault(); send(); });
$("stop").addEventListener("click", () => running?.abort());
$("text").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    $("ask").requestSubmit();
  }
});
$("audit-form").addEventListener("submit", (event) => { event.preventDefault(); showEntry(); });
document.addEventListener("selectionchange", keepSelection);
// The event of the last change may come when another element has the focus already.
$("text").addEventListener("blur", (event) => {
  const area = event.target;
  selection = area.value.slice(area.selectionStart, area.selectionEnd);
});
$("missed-form").addEventListener("submit", (event) => { event.preventDefault(); showMissed(); });
$("copy").addEventListener("click", async () => {
  try {
    await navigator.clipboard.writeText($("missed-line").textContent);
    say("Copied.");
  } catch {
    say("The browser does not let this page copy: select the line and copy it.");
  }
});
