// SPDX-License-Identifier: Apache-2.0

/*
 * Checks an entry of the audit log by itself, from what GET /v1/audit/{id} answers:
 *
 *   entry      = 0x01 id commitment             commitment = HMAC-SHA-256(opening, record)
 *   leaf       = SHA-256(0x00 entry)            node = SHA-256(0x01 left right)        RFC 6962
 *   proof      = "c2sp.org/tlog-proof@v1", index, hashes, a blank line, a checkpoint   C2SP
 *   checkpoint = origin, size, root, a blank line, signatures (Ed25519)                C2SP
 */

const text = new TextEncoder();

function bytesOf(base64) {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

function same(a, b) {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}

async function sha256(...parts) {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", join(parts)));
}

function join(parts) {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

async function hmac(key, data) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  return new Uint8Array(await crypto.subtle.sign("HMAC", imported, data));
}

/** The parts of a proof; throws where it is none. */
function parse(proof) {
  const cut = proof.indexOf("\n\n");
  const [magic, index, ...path] = proof.slice(0, cut).split("\n");
  const checkpoint = proof.slice(cut + 2);
  const end = checkpoint.indexOf("\n\n");
  const [origin, size, root] = checkpoint.slice(0, end).split("\n");
  if (cut < 0 || end < 0 || magic !== "c2sp.org/tlog-proof@v1" || !/^index (0|[1-9]\d*)$/.test(index) || !/^[1-9]\d*$/.test(size)) {
    throw new Error("the proof is not one of C2SP's form");
  }
  return {
    index: BigInt(index.slice(6)), path: path.map(bytesOf), origin, size: BigInt(size), root: bytesOf(root),
    signed: checkpoint.slice(0, end + 1), signatures: checkpoint.slice(end + 2).split("\n").filter((line) => line !== ""),
  };
}

/** The root to which the path leads (RFC 9162, 2.1.3.2); null where the path has another length. */
async function follow(leaf, { index, size, path }) {
  let at = index, last = size - 1n, node = leaf;
  for (const other of path) {
    if (last === 0n) {
      return null;
    }
    if ((at & 1n) === 1n || at === last) {
      node = await sha256([1], other, node);
      while (at !== 0n && (at & 1n) === 0n) {
        at >>= 1n;
        last >>= 1n;
      }
    } else {
      node = await sha256([1], node, other);
    }
    at >>= 1n;
    last >>= 1n;
  }
  return index < size && last === 0n ? node : null;
}

/** Whether the log with the key `vkey` ("name+id+key") signed the checkpoint. */
async function isSigned({ origin, signed, signatures }, vkey) {
  const parts = /^([^+]+)\+([0-9a-f]{8})\+(.+)$/.exec(vkey);
  if (parts === null) {
    throw new Error("this is not the key of a log");
  }
  const [, name, id, key] = parts;
  const raw = bytesOf(key);
  const expected = (await sha256(text.encode(`${name}\n`), raw)).subarray(0, 4);
  if (raw.length !== 33 || raw[0] !== 1 || name !== origin || [...expected].map((b) => b.toString(16).padStart(2, "0")).join("") !== id) {
    return false;
  }
  const line = signatures.find((one) => one.startsWith(`\u2014 ${name} `) && same(bytesOf(one.split(" ")[2]).subarray(0, 4), expected));
  if (line === undefined) {
    return false;
  }
  const imported = await crypto.subtle.importKey("raw", raw.subarray(1), "Ed25519", false, ["verify"]);
  return crypto.subtle.verify("Ed25519", imported, bytesOf(line.split(" ")[2]).subarray(4), text.encode(signed));
}

/** {good, what}: a step that throws does not hold. */
async function step(what, run) {
  try {
    return { good: await run(), what };
  } catch (error) {
    return { good: false, what: `${what} (${error.message})` };
  }
}

/**
 * Checks an answer of GET /v1/audit/{id}.
 *
 * @param {string} id     "audit_" and 22 symbols, as the request's answer named it
 * @param {string} answer the body, as it came: the record counts byte for byte
 * @param {string} vkey   the log's key; empty: the signature is not checked
 * @returns {{steps: {good: boolean?, what: string}[], record: string}}
 */
export async function check(id, answer, vkey) {
  const said = JSON.parse(answer);
  const record = answer.startsWith("{\"record\":") ? answer.slice(10, answer.lastIndexOf(",\"proof\":")) : "";
  const entry = bytesOf(said.entry);
  const leaf = await sha256([0], entry);
  const proof = parse(said.proof);
  const steps = [
    await step(`the entry is that of ${id}`, async () => entry.length === 55 && entry[0] === 1 && same(entry.subarray(1, 23), text.encode(id.slice(6)))),
    await step("the entry commits to this record: HMAC-SHA-256 of it under the opening is the commitment",
      async () => same(await hmac(bytesOf(said.opening), text.encode(record)), entry.subarray(23))),
    await step(`${proof.path.length} hashes lead from leaf ${proof.index} to the root of the ${proof.size} leaves of the checkpoint`,
      async () => { const root = await follow(leaf, proof); return root !== null && same(root, proof.root); }),
    vkey === "" ? { good: null, what: `the checkpoint is signed by ${proof.origin}: give the log's key` }
      : await step(`the checkpoint is signed by ${proof.origin}`, () => isSigned(proof, vkey)),
  ];
  return { steps, record };
}
