// SPDX-License-Identifier: Apache-2.0

/*
 * The page of the admin listener: reads /metrics every two seconds and shows what it says.  Labels
 * come from the gateway's configuration; they are shown as text.
 */

const EVERY_MS = 2000;
/** Five minutes. */
const SAMPLES = 150;

const $ = (id) => document.getElementById(id);

/** [{at, metrics}], oldest first; `metrics` maps a name to [{labels, value}]. */
const samples = [];

// --- reading -----------------------------------------------------------------------------------

const LINE = /^([A-Za-z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([A-Za-z_]\w*)="((?:[^"\\]|\\.)*)"/g;

function unescape(text) {
  return text.replace(/\\(.)/g, (_, c) => (c === "n" ? "\n" : c));
}

/** Prometheus' text format. */
function parse(text) {
  const metrics = new Map();
  for (const line of text.split("\n")) {
    const match = LINE.exec(line);
    if (match === null) {
      continue;
    }
    const labels = {};
    for (const [, name, value] of (match[2] ?? "").matchAll(LABEL)) {
      labels[name] = unescape(value);
    }
    if (!metrics.has(match[1])) {
      metrics.set(match[1], []);
    }
    metrics.get(match[1]).push({ labels, value: Number(match[3]) });
  }
  return metrics;
}

function holds(labels, wanted) {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

/** The sum of all rows with these labels. */
function total(metrics, name, wanted = {}) {
  return (metrics.get(name) ?? []).filter((row) => holds(row.labels, wanted)).reduce((sum, row) => sum + row.value, 0);
}

/** The different values of a label. */
function values(metrics, name, label) {
  return [...new Set((metrics.get(name) ?? []).map((row) => row.labels[label]).filter((value) => value !== undefined))];
}

/** Bound of each bucket and how many are within it, in the time between two samples. */
function buckets(now, before, name, wanted) {
  const counts = new Map();
  for (const [metrics, sign] of [[now, 1], [before, -1]]) {
    for (const row of metrics?.get(`${name}_bucket`) ?? []) {
      if (holds(row.labels, wanted)) {
        const bound = row.labels.le === "+Inf" ? Infinity : Number(row.labels.le);
        counts.set(bound, (counts.get(bound) ?? 0) + sign * row.value);
      }
    }
  }
  return [...counts].sort((a, b) => a[0] - b[0]);
}

/** The bound within which `share` of all are, between the bounds of its bucket; NaN: there are none. */
function quantile(list, share) {
  const all = list.length === 0 ? 0 : list[list.length - 1][1];
  let low = 0, below = 0;
  for (const [bound, count] of list) {
    if (all > 0 && count >= all * share) {
      return bound === Infinity ? low : low + (bound - low) * ((all * share - below) / Math.max(count - below, 1));
    }
    [low, below] = [bound, count];
  }
  return NaN;
}

// --- showing -----------------------------------------------------------------------------------

function seconds(value) {
  if (Number.isNaN(value)) {
    return "–";
  }
  return value < 0.001 ? `${(value * 1e6).toFixed(0)} µs` : value < 1 ? `${(value * 1e3).toFixed(value < 0.01 ? 2 : 0)} ms` : `${value.toFixed(1)} s`;
}

function number(value) {
  return value.toLocaleString("en", { maximumFractionDigits: 1 });
}

function fill(table, rows) {
  const body = $(table).tBodies[0];
  body.replaceChildren();
  for (const row of rows.slice(0, 200)) {
    const line = body.insertRow();
    for (const cell of row) {
      line.insertCell().textContent = cell;
    }
  }
}

function showNow(now, before, elapsed) {
  const rate = before === null ? 0 : (total(now, "sotto_requests_total") - total(before, "sotto_requests_total")) / elapsed;
  const own = buckets(now, before, "sotto_stage_duration_seconds", { stage: "own" });
  const figures = [
    ["Requests a second", number(rate)],
    ["In flight", number(total(now, "sotto_requests_in_flight"))],
    ["Requests", number(total(now, "sotto_requests_total"))],
    ["Answered", number(total(now, "sotto_requests_total", { outcome: "answered" }))],
    ["The gateway's own time, half within", seconds(quantile(own, 0.5))],
    ["Keys", number(total(now, "sotto_keys"))],
    ["Memory", `${number(total(now, "process_resident_memory_bytes") / 1048576)} MiB`],
  ];
  $("now").replaceChildren(...figures.map(([name, value]) => {
    const group = document.createElement("div");
    const term = document.createElement("dt");
    const description = document.createElement("dd");
    term.textContent = name;
    description.textContent = value;
    group.append(term, description);
    return group;
  }));
}

function showRates() {
  const rates = samples.slice(1).map((sample, i) => (total(sample.metrics, "sotto_requests_total") -
    total(samples[i].metrics, "sotto_requests_total")) * 1000 / (sample.at - samples[i].at));
  const most = Math.max(1, ...rates);
  const points = rates.map((rate, i) => `${(300 * i / Math.max(rates.length - 1, 1)).toFixed(1)},${(38 - 36 * rate / most).toFixed(1)}`);
  $("rates").querySelector("polyline").setAttribute("points", points.join(" "));
  $("rates").setAttribute("aria-label", `Requests a second in the last minutes: at most ${number(Math.max(0, ...rates))}`);
}

const STAGES = { own: "the gateway's own", protect: "until masked", wait: "until the provider begins", answer: "until the last byte", total: "all of it" };

function showLatency(now, before) {
  fill("latency", Object.entries(STAGES).map(([stage, name]) => {
    const list = buckets(now, before, "sotto_stage_duration_seconds", { stage });
    return [name, number(list.length === 0 ? 0 : list[list.length - 1][1]), seconds(quantile(list, 0.5)), seconds(quantile(list, 0.95))];
  }));
}

function showProviders(now, before) {
  const name = "gen_ai_server_request_duration_seconds";
  const rows = [];
  for (const upstream of values(now, `${name}_count`, "sotto_upstream")) {
    const models = values(new Map([["x", (now.get(`${name}_count`) ?? []).filter((row) => row.labels.sotto_upstream === upstream)]]), "x", "gen_ai_request_model");
    for (const model of models) {
      const which = { sotto_upstream: upstream, gen_ai_request_model: model };
      const all = (now.get(`${name}_count`) ?? []).filter((row) => holds(row.labels, which));
      const failed = all.filter((row) => row.labels.error_type !== undefined);
      const kinds = failed.filter((row) => row.value > 0).map((row) => `${row.labels.error_type} ${number(row.value)}`);
      const list = buckets(now, before, name, which);
      rows.push([upstream, model, number(all.reduce((sum, row) => sum + row.value, 0)), kinds.length === 0 ? "none" : kinds.join(", "),
        seconds(quantile(list, 0.5)), seconds(quantile(list, 0.95)),
        ["input", "output"].map((type) => number(total(now, "sotto_tokens_total", { ...which, gen_ai_token_type: type }))).join(", ")]);
    }
  }
  fill("providers", rows);
  $("providers").hidden = rows.length === 0;
  $("no-providers").hidden = rows.length !== 0;
}

function showCounts(now) {
  fill("labels", values(now, "sotto_entities_found_total", "label").map((label) => [label,
    number(total(now, "sotto_entities_found_total", { label })), number(total(now, "sotto_entities_replaced_total", { label }))]));
  const codes = values(now, "sotto_refusals_total", "code").map((code) => [code, number(total(now, "sotto_refusals_total", { code }))]);
  fill("refusals", codes);
  $("refusals").hidden = codes.length === 0;
  $("no-refusals").hidden = codes.length !== 0;
}

function show() {
  const last = samples[samples.length - 1], first = samples[0];
  const before = samples.length > 1 ? first.metrics : null;
  showNow(last.metrics, before, (last.at - first.at) / 1000);
  showRates();
  showLatency(last.metrics, before);
  showCounts(last.metrics);
  showProviders(last.metrics, before);
  $("version").textContent = values(last.metrics, "sotto_build_info", "version")[0] ?? "gateway";
}

// --- keys ----------------------------------------------------------------------------------------

/** The admin key; nowhere else, so that a reload forgets it. */
let adminKey = "";

async function admin(path) {
  const response = await fetch(`/admin/v1/${path}`, { headers: { Authorization: `Bearer ${adminKey}` } });
  if (!response.ok) {
    const said = await response.json().catch(() => null);
    throw new Error(said?.error?.message ?? `status ${response.status}`);
  }
  return (await response.json()).data;
}

/** "12 of 100", or "12" without a limit. */
function of(used, limit) {
  return limit ? `${number(used)} of ${number(limit)}` : number(used);
}

function stateOf(one, now) {
  if (one.revoked) {
    return "revoked";
  }
  if (one.expires) {
    return `${one.expires <= now ? "expired" : "until"} ${new Date(one.expires * 1000).toISOString().slice(0, 10)}`;
  }
  return "valid";
}

async function showKeys() {
  const [keys, usage] = await Promise.all([admin("keys"), admin("usage")]);
  const used = new Map(usage.map((row) => [row.key, row]));
  fill("keys", keys.map((one) => {
    const use = used.get(one.id) ?? { requests: 0, prompt_tokens: 0, completion_tokens: 0, cost: 0 };
    const minute = [one.requests_per_minute ? `${number(one.requests_per_minute)} requests` : "", one.tokens_per_minute ? `${number(one.tokens_per_minute)} tokens` : ""];
    return [one.name || "–", one.id, one.tenant || "–", one.mode || "–", of(use.requests, one.monthly_requests),
      of(use.prompt_tokens + use.completion_tokens, one.monthly_tokens), of(use.cost, one.monthly_cost),
      minute.filter((text) => text !== "").join(", ") || "no limit", stateOf(one, Date.now() / 1000)];
  }));
  $("keys").hidden = false;
}

$("key-form").addEventListener("submit", async (event) => {
  event.preventDefault();
  adminKey = $("key").value.trim() || adminKey;
  $("key").value = "";
  $("keys").hidden = true;
  $("problem").hidden = true;
  try {
    await showKeys();
    $("key").required = false;
  } catch (error) {
    $("keys").hidden = true;
    $("problem").textContent = `The keys cannot be shown: ${error.message}`;
    $("problem").hidden = false;
  }
});

// --- reading again and again ---------------------------------------------------------------------

async function look() {
  try {
    const response = await fetch("/metrics");
    if (!response.ok) {
      throw new Error(`the gateway answers ${response.status}`);
    }
    const metrics = parse(await response.text());
    if (samples.length !== 0 && total(metrics, "process_start_time_seconds") !== total(samples[0].metrics, "process_start_time_seconds")) {
      samples.length = 0; // another process: its counters begin anew
    }
    samples.push({ at: Date.now(), metrics });
    samples.splice(0, samples.length - SAMPLES);
    show();
    const ready = total(metrics, "sotto_ready") === 1;
    if ($("state").dataset.ready !== String(ready)) {
      $("state").dataset.ready = String(ready);
      $("state").textContent = ready ? "Ready: requests are served." : "Ending: what runs is finished.";
    }
    if ($("state").dataset.lost === "yes") {
      $("problem").hidden = true;
      $("state").dataset.lost = "no";
    }
    if (!$("keys").hidden) {
      await showKeys().catch(() => { $("keys").hidden = true; }); // the key may have been revoked
    }
  } catch (error) {
    $("state").dataset.ready = "";
    $("state").dataset.lost = "yes";
    $("state").textContent = "Not reached.";
    $("problem").textContent = `The gateway cannot be read: ${error.message}.`;
    $("problem").hidden = false;
  }
  setTimeout(look, EVERY_MS);
}

look();
