#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The audit log of a running gateway: an entry for each request, proofs, erasure, what is refused."""

import base64
import hashlib
import hmac
import json
import re
import shutil

from lib.canary import ALL, TEXT
from lib.gateway import Gateway, config
from lib.provider import Provider, chunk, completion
from lib.tap import Tap
from lib.wire import wait_until

t = Tap()


def answer(seen, out):
    if seen.json.get("stream"):
        out.begin()
        for word in ("Hello ", "there"):
            out.event(chunk({"content": word}))
        out.event(chunk({}, finish="stop"))
        out.event({**chunk({}), "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}})
        out.event("[DONE]")
        return out.end()
    return out.whole(completion("ok " + (seen.tokens or ["none"])[0]))


provider = Provider(answer)
gateway = Gateway(config(provider, models={"gpt-4": "scripted", "*": "scripted"}))
admin = gateway.make_key("--name", "admin", "--scopes", "admin")
other = gateway.make_key("--name", "other")
ID = re.compile(r"audit_[0-9A-Za-z]{22}")


def audit(*words):
    return gateway.command_line("audit", *words, "--state", str(gateway.state))


def vkey():
    return audit("vkey").stdout.decode().strip()


def entry(audit_id, key=None):
    """What the gateway answers when the entry is under a checkpoint."""
    got = []

    def look():
        got.append(gateway.request("GET", f"/v1/audit/{audit_id}", gateway.headers(key)))
        return got[-1].status != 202

    wait_until(look, 5, 0.1)
    return got[-1]


def leaf_root(entry_bytes, proof):
    """Follows a C2SP tlog-proof by RFC 6962: the root it leads to, and the one that was signed."""
    head, checkpoint = proof.split("\n\n", 1)
    lines = head.split("\n")
    assert lines[0] == "c2sp.org/tlog-proof@v1", lines[0]
    index = int(lines[1].removeprefix("index "))
    path = [base64.b64decode(line) for line in lines[2:]]
    size = int(checkpoint.split("\n")[1])
    node = hashlib.sha256(b"\0" + entry_bytes).digest()
    at, last = index, size - 1
    for other_side in path:
        if at & 1 or at == last:
            node = hashlib.sha256(b"\1" + other_side + node).digest()
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\1" + node + other_side).digest()
        at, last = at >> 1, last >> 1
    return base64.b64encode(node).decode(), checkpoint.split("\n")[2]


@t.case
def names():
    """Every answer to a key names its entry, also a refusal."""
    got = gateway.chat(TEXT, compliance_mode="hipaa")
    t.same(got.json["compliance"], {"mode": "hipaa-aligned", "audit_id": got.get("x-sotto-audit-id"),
                                    "retention_policy": "immediate_deletion"}, "the answer has the object compliance")
    t.same(gateway.chat("Hi").json["compliance"]["mode"], "standard", "standard is not aligned with anything")
    for bad in (gateway.post("/v1/chat/completions", b"{"), gateway.chat("Hi", model="gpt-4", n="many"),
                gateway.request("GET", "/v1/models", gateway.headers())):
        t.ok(ID.fullmatch(bad.get("x-sotto-audit-id") or ""), f"an answer {bad.status} names its entry", bad)
    nobody = gateway.request("GET", "/v1/models")
    t.same((nobody.status, nobody.get("x-sotto-audit-id")), (401, None), "an answer to nobody does not")


@t.case
def streams():
    for usage in (False, True):
        fields = {"stream": True, **({"stream_options": {"include_usage": True}} if usage else {})}
        got = gateway.chat("Hi", **fields)
        data = [json.loads(e) for e in (event.split(b"data: ", 1)[-1] for event in got.body.split(b"\n\n"))
                if e.strip() and e.strip() != b"[DONE]"]
        with_it = [d for d in data if "compliance" in d]
        t.same(len(with_it), 1, f"one event of a stream has the object compliance (usage {usage})")
        t.same(with_it[0]["compliance"]["audit_id"], got.get("x-sotto-audit-id"), "with the id of the header")
        t.ok(with_it[0].get("usage") if usage else with_it[0]["choices"][0]["finish_reason"] == "stop",
             "it is the one with usage where that was asked for, else the last choice's", with_it)


@t.case
def record_and_proof():
    got = gateway.chat(TEXT, compliance_mode="hipaa", user="somebody")
    name = got.get("x-sotto-audit-id")
    found = entry(name)
    t.same(found.status, 200, "the entry is under a checkpoint within a second or so")
    record = found.json["record"]
    t.same((record["id"], record["status"], record["mode"], record["provider"], record["model"], record["outcome"]),
           (name, 200, "hipaa", "scripted", "gpt-4", "answered"), "the record says what happened")
    t.same(record["key"], gateway.key[3:15], "and whose key it was")
    t.ok(re.fullmatch(re.escape(record["key"]) + "/[0-9A-Za-z]{32}", record["subject"]), "and the hash of user", record)
    t.ok(sum(record["entities"].values()) > 0, "and how many values were replaced", record)
    whole = json.dumps(found.json)
    t.same([value for value in ALL if value in whole], [], "a record holds no content")
    bytes_of_entry = base64.b64decode(found.json["entry"])
    root, signed = leaf_root(bytes_of_entry, found.json["proof"])
    t.same(root, signed, "the proof leads from the entry to the signed root")
    text = json.dumps(record, separators=(",", ":")).encode()
    want = hmac.new(base64.b64decode(found.json["opening"]), text, hashlib.sha256).digest()
    t.same(bytes_of_entry[1:23].decode(), name[6:], "the entry has the id")
    t.same(bytes_of_entry[23:], want, "and commits to the record, which anybody can check with the opening")
    t.same(entry(name, other).status, 404, "another key does not see it")
    t.same(entry(name, admin).json["record"], record, "an admin key does")
    t.same(entry("audit_" + "0" * 22).status, 404, "an id that is none is not found")
    t.same(entry("../../key").status, 404, "nor is a path")
    t.same(gateway.request("GET", f"/v1/audit/{name}").status, 401, "without a key nothing is told")
    shown = audit("show", name)
    t.same((shown.returncode, json.loads(shown.stdout)), (0, record), "`sotto audit show` prints it beside the gateway")
    proof = audit("prove", name).stdout.decode()
    t.same(len(set(leaf_root(bytes_of_entry, proof))), 1, "`sotto audit prove` proves it")


@t.case
def special_categories():
    text = "Hans Keller is Jewish. MRN: 48213377."
    record = entry(gateway.chat(text, compliance_mode="gdpr").get("x-sotto-audit-id")).json["record"]
    t.same(record.get("special"), 2, "under gdpr a record counts what belongs to special categories")
    record = entry(gateway.chat(text, compliance_mode="hipaa").get("x-sotto-audit-id")).json["record"]
    t.lacks(record, "special", "under other modes nothing is flagged")


@t.case
def tiles():
    head = gateway.headers(admin)
    checkpoint = gateway.request("GET", "/log/checkpoint", head)
    t.same((checkpoint.status, checkpoint.get("content-type")), (200, "text/plain; charset=utf-8"), "the checkpoint is served")
    size = int(checkpoint.body.split(b"\n")[1])
    tile = gateway.request("GET", f"/log/tile/0/000.p/{size}", head)
    t.same((tile.status, len(tile.body)), (200, 32 * size), "and the tile it speaks of")
    bundle = gateway.request("GET", f"/log/tile/entries/000.p/{size}", head)
    t.same((bundle.status, len(bundle.body)), (200, 57 * size), "and its entries")
    for path in ("/log/tile/0/000.p/0", "/log/../key", "/log/tile/../../key", "/log/key", "/log/tile/9/000", "/log/tile/0/001"):
        t.same(gateway.request("GET", path, head).status, 404, f"{path} is not")
    t.same(gateway.request("GET", "/log/checkpoint", gateway.headers()).status, 403, "it needs an admin key")
    t.same(gateway.request("GET", "/log/checkpoint").status, 401, "or at least one")
    shown = gateway.request("GET", "/log/vkey", gateway.headers())
    t.same((shown.status, shown.get("content-type"), shown.body.decode()), (200, "text/plain; charset=utf-8", f"{vkey()}\n"), "its public key is told to every key")
    t.same(gateway.request("GET", "/log/vkey").status, 401, "and to nobody else")
    t.same(gateway.request("GET", "/log/vkey/", head).status, 404, "by its exact name")
    t.same(gateway.request("POST", "/log/cosignatures", head, b"nonsense").status, 400, "a cosignature has to be one")
    t.same(gateway.request("POST", "/log/cosignatures", head, checkpoint.body).status, 403, "of a witness that is known")
    t.same(gateway.request("POST", "/log/cosignatures", gateway.headers(), checkpoint.body).status, 403, "by an admin")


@t.case
def verify_and_export():
    folder = gateway.state / "audit"
    done = gateway.command_line("audit", "verify", str(folder), "--vkey", vkey())
    t.same(done.returncode, 0, "the whole log is verified beside the gateway")
    t.has(done.stdout, b"records belong to their entries", "with its records")
    out = gateway.folder / "exported"
    t.same(audit("export", "--out", str(out)).returncode, 0, "its public files are copied")
    done = gateway.command_line("audit", "verify", str(out), "--vkey", vkey(), "--json")
    t.ok(json.loads(done.stdout)["entries"] > 5, "and verified by themselves", done)
    bundle = next((out / "tile" / "entries").rglob("*.p/*"))
    data = bytearray(bundle.read_bytes())
    for at in range(0, len(data), 19):
        data[at] ^= 1
        bundle.write_bytes(data)
        done = gateway.command_line("audit", "verify", str(out), "--vkey", vkey())
        if done.returncode != 1 or b"entr" not in done.stderr:
            t.ok(False, f"byte {at} of a bundle can be changed", done)
        data[at] ^= 1
    bundle.write_bytes(data)
    t.same(gateway.command_line("audit", "verify", str(out), "--vkey", vkey()).returncode, 0, "put back, it is whole again")
    wrong = "other.example/log" + vkey()[vkey().index("+"):]
    t.same(gateway.command_line("audit", "verify", str(out), "--vkey", wrong).returncode, 2, "a key that is none is misuse")
    t.same(audit("export", "--out", str(out)).returncode, 2, "nothing is written over")


@t.case
def erasure():
    name = gateway.chat("Hi", key=other).get("x-sotto-audit-id")
    kept = gateway.chat("Hi").get("x-sotto-audit-id")
    t.same(entry(name, other).status, 200, "a record is there")
    proof = entry(name, other).json["proof"]
    done = audit("erase", other[3:15])
    t.same((done.returncode, done.stdout), (0, f"erased {other[3:15]}\n".encode()), "its subject is erased beside the gateway")
    gone = entry(name, other)
    t.same((gone.status, gone.json["erased"]), (410, True), "the record is gone")
    t.same(len(set(leaf_root(base64.b64decode(gone.json["entry"]), gone.json["proof"]))), 1, "its entry is proven as before")
    t.same(len(set(leaf_root(base64.b64decode(gone.json["entry"]), proof))), 1, "and by the proof from before")
    t.same(entry(kept).status, 200, "other subjects keep theirs")
    t.same(audit("show", name).returncode, 1, "the command line cannot show it either")
    t.same(audit("erase", "0" * 12).returncode, 1, "a subject that is none cannot be erased")
    t.same(audit("erase", "-").returncode, 2, "the gateway's own entries stay")
    again = gateway.chat("Hi", key=other).get("x-sotto-audit-id")
    t.same(entry(again, other).json["record"]["key"], other[3:15], "the key still works, and has records again")
    t.same(gateway.command_line("audit", "verify", str(gateway.state / "audit"), "--vkey", vkey()).returncode, 0, "the log is whole")


def refused(what, says):
    """Starts with what was done to the log: it must not."""
    try:
        gateway.start()
        t.ok(False, f"{what}: the gateway does not start")
        gateway.stop()
    except RuntimeError as error:
        t.ok(re.search(says, str(error)), f"{what}: the gateway does not start and says so", str(error)[-600:])


@t.case
def tampering_stops_the_start():
    for _ in range(30):
        gateway.chat("Hi")
    old = gateway.folder / "old"
    folder = gateway.state / "audit"
    t.same(gateway.stop(), 0, "the gateway ends")
    shutil.copytree(folder, old)
    bundle = max((folder / "log" / "tile" / "entries").rglob("*.p/*"), key=lambda p: p.stat().st_mtime)
    data = bytearray(bundle.read_bytes())
    data[57 * 3 + 30] ^= 1
    bundle.write_bytes(data)
    refused("an entry was changed", "entry 3 ")
    data[57 * 3 + 30] ^= 1
    bundle.write_bytes(data)
    shutil.move(bundle, gateway.folder / "away")
    refused("tiles were removed", "is missing")
    shutil.move(gateway.folder / "away", bundle)
    (folder / "log" / "checkpoint").rename(gateway.folder / "checkpoint")
    refused("the checkpoint was removed", "checkpoint is missing")
    (gateway.folder / "checkpoint").rename(folder / "log" / "checkpoint")
    with open(folder / "journal", "ab") as journal:
        journal.write(b"SJ02 torn")
    gateway.start()
    t.ok("torn_bytes_cut=9" in gateway.log().decode(), "what an interrupted write left is cut and reported")
    t.same(gateway.chat("Hi").status, 200, "and the gateway serves")
    t.same(gateway.command_line("audit", "verify", str(folder), "--vkey", vkey()).returncode, 0, "the log is whole")


gateway.finish(t, ALL)
batched = Gateway(config(provider, audit={"durability": "batched", "public": True}))


@t.case
def batched_and_public():
    names_ = [batched.chat("Hi").get("x-sotto-audit-id") for _ in range(20)]
    wait_until(lambda: int(batched.request("GET", "/log/checkpoint").body.split(b"\n")[1]) >= 20, 5, 0.1)
    t.same(batched.request("GET", "/log/checkpoint").status, 200, "a public log needs no key")
    t.same(batched.request("GET", "/log/vkey").status, 200, "nor does its public key")
    got = batched.request("GET", f"/v1/audit/{names_[-1]}", batched.headers())
    t.same(got.status, 200, "under batched the entry comes as well")


batched.finish(t)
t.done()
