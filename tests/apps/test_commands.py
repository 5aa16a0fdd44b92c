#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The command line: help, exit statuses, `sotto keys`, `sotto check`, `sotto version`."""

import json
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
from lib.tap import Tap  # noqa: E402

SOTTO = os.environ.get("SOTTO", "build/sotto")
ROOT = pathlib.Path(os.environ.get("SOTTO_SOURCE", "."))
KEY = re.compile(r"ql_[0-9A-Za-z]{12}_[0-9A-Za-z]{32}")
CLEAN = {k: v for k, v in os.environ.items()
         if not k.startswith(("OPENAI_", "MISTRAL_", "ANTHROPIC_", "AZURE_", "SOTTO_", "XDG_"))}

t = Tap()
temp = tempfile.mkdtemp(prefix="sotto-apps-")
state = os.path.join(temp, "state")


def sotto(*words, env=(), **more):
    return subprocess.run([SOTTO, *words], capture_output=True, text=True, timeout=60, check=False,
                          env={**CLEAN, **dict(env)}, stdin=subprocess.DEVNULL, **more)


def complains(done, status, sentence, what):
    lines = done.stderr.splitlines()
    t.ok(done.returncode == status and done.stdout == "" and len(lines) == 1 and lines[0] == f"sotto: {sentence}",
         what, f"{done.returncode}\n{done.stdout}\n{done.stderr}\nwanted: {sentence}")


def keys(*words, **more):
    return sotto("keys", *words, "--state", state, **more)


@t.case
def help_texts():
    done = sotto("--help")
    t.ok(done.returncode == 0 and done.stdout.startswith("usage: sotto COMMAND"), "sotto --help explains itself", done)
    names = re.findall(r"^  (\w+) ", done.stdout, re.M)
    t.ok({"check", "keys", "version"} <= set(names), "and names the commands", names)
    for name in names:
        one = sotto(name, "--help")
        t.ok(one.returncode == 0 and one.stdout.startswith(f"usage: sotto {name}") and one.stderr == "",
             f"sotto {name} --help explains itself", one)
        long = [line for line in one.stdout.splitlines() if len(line) > 100]
        t.ok(not long, f"in lines of a hundred characters ({name})", long)
    for name in ("create", "list", "rotate", "revoke", "usage"):
        one = sotto("keys", name, "--help")
        t.ok(one.returncode == 0 and one.stdout.startswith(f"usage: sotto keys {name}"), f"sotto keys {name} --help too", one)
    done = sotto()
    t.ok(done.returncode == 2 and done.stdout == "" and "usage: sotto" in done.stderr, "without words: help, on standard error, status 2", done)
    done = sotto("keys")
    t.ok(done.returncode == 2 and "usage: sotto keys" in done.stderr, "sotto keys alone too", done)
    t.same(sotto("help").stdout, sotto("--help").stdout, "sotto help is the same")


@t.case
def usage():
    complains(sotto("frobnicate"), 2, "unknown command frobnicate: see `sotto --help`", "an unknown command")
    complains(sotto("keys", "frobnicate"), 2, "unknown command keys frobnicate: see `sotto keys --help`", "an unknown command of keys")
    complains(sotto("check", "--bogus=1"), 2, "unknown option --bogus: see `sotto check --help`", "an unknown option")
    complains(sotto("check", "--config"), 2, "--config needs a value: --config FILE", "an option without its value")
    complains(sotto("check", "--schema=1"), 2, "--schema takes no value: give it alone", "a flag with a value")
    complains(sotto("check", "--config", "a", "--config=b"), 2, "--config is given twice: give it once", "an option given twice")
    complains(sotto("check", "word"), 2, "'word' is one word too many: usage: sotto check --config FILE", "a word too many")
    complains(keys("revoke"), 2, "a word is missing: usage: sotto keys revoke ID [--state DIR | --config FILE]", "a word too few")


@t.case
def version():
    done = sotto("version")
    t.ok(done.returncode == 0 and re.fullmatch(r"sotto \d+\.\d+\.\d+\n", done.stdout), "sotto version", done)
    t.same(sotto("--version").stdout, done.stdout, "sotto --version is the same")
    value = json.loads(sotto("version", "--json").stdout)
    t.same("sotto " + value["sotto"] + "\n", done.stdout, "as JSON too")
    t.ok({"openssl", "sqlite", "yyjson", "llhttp"} <= set(value["libraries"]) and all(value["libraries"].values()),
         "with the libraries", value)


@t.case
def create():
    done = keys("create", "--name", "first")
    t.ok(done.returncode == 0 and KEY.fullmatch(done.stdout.strip()), "a key is printed", done)
    t.same(done.stderr, "", "and nothing else")
    first = done.stdout.strip()
    t.same(stat.S_IMODE(os.stat(state).st_mode), 0o700, "the state folder is private")
    t.ok(all(stat.S_IMODE(os.stat(os.path.join(state, f)).st_mode) == 0o600 for f in os.listdir(state)), "and its files")
    done = keys("create", "--json", "--name", "Zoë \"q\"", "--tenant", "ward", "--expires", "30d", "--scopes", "model:gpt-*,admin",
                "--mode", "hipaa", "--style", "redact", "--no-anonymize", "--requests-per-minute", "60", "--tokens-per-minute=5",
                "--monthly-requests", "7", "--monthly-tokens", "8")
    made = json.loads(done.stdout)
    t.ok(KEY.fullmatch(made["key"]) and made["key"][3:15] == made["id"], "as JSON: key and id", made)
    listed = {k["id"]: k for k in json.loads(keys("list", "--json").stdout)}
    one = listed[made["id"]]
    t.same({k: one[k] for k in ("name", "tenant", "scopes", "mode", "style", "anonymize", "requests_per_minute", "tokens_per_minute",
                                "monthly_requests", "monthly_tokens", "revoked", "old_until")},
           {"name": "Zoë \"q\"", "tenant": "ward", "scopes": "model:gpt-*,admin", "mode": "hipaa", "style": "redact", "anonymize": False,
            "requests_per_minute": 60, "tokens_per_minute": 5, "monthly_requests": 7, "monthly_tokens": 8, "revoked": 0, "old_until": 0},
           "all that was said is listed")
    t.same(one["expires"] - one["created"], 30 * 86400, "it expires after thirty days")
    t.ok(listed[first[3:15]]["tenant"] == first[3:15] and listed[first[3:15]]["anonymize"], "by default the tenant is the id")
    text = keys("list").stdout
    t.same(text.splitlines()[0].split("\t"), ["ID", "STATUS", "CREATED", "EXPIRES", "TENANT", "SCOPES", "NAME"], "the list has a head")
    t.ok(first[16:] not in text and made["key"][16:] not in text, "and no secrets", text)


@t.case
def bad_values():
    for words, sentence in (
        (["--expires", "soon"], "--expires must be a duration such as 30d or 12h, not 'soon'"),
        (["--expires", "0s"], "--expires must be at least one second"),
        (["--expires", "99999999999d"], "--expires must be a duration such as 30d or 12h, not '99999999999d'"),
        (["--scopes", "model:a,all"], "--scopes: 'all' must be model:NAME, mode:NAME, dialect:NAME or admin"),
        (["--style", "emoji"], "--style must be token, angle, surrogate or redact, not 'emoji'"),
        (["--requests-per-minute", "0"], "--requests-per-minute must be a whole number from 1 on, not '0'"),
        (["--monthly-requests", "many"], "--monthly-requests must be a whole number from 1 on, not 'many'"),
        (["--name", "x" * 101], "--name must be 1 to 100 bytes long"),
        (["--name", ""], "--name must be 1 to 100 bytes long"),
        (["--tenant", "a\nb"], "--tenant must not hold control characters"),
    ):
        complains(keys("create", *words), 2, sentence, f"create {words[0]} {words[1][:20]!r} is refused")
    complains(keys("revoke", "short"), 2, "an ID is the 12 characters behind ql_: see `sotto keys list`", "an id that is none")
    complains(keys("rotate", "nosuchkey000"), 1, "there is no key with this id", "a key that is not there cannot be rotated")
    complains(keys("revoke", "nosuchkey000"), 1, "there is no key with this id", "nor revoked")


@t.case
def rotate_and_revoke():
    old = keys("create").stdout.strip()
    new = keys("rotate", old[3:15]).stdout.strip()
    t.ok(KEY.fullmatch(new) and new[:16] == old[:16] and new != old, "a rotated key keeps its id", (old, new))
    row = next(line for line in keys("list").stdout.splitlines() if line.startswith(old[3:15]))
    t.same(row.split("\t")[1], "rotating", "it is listed as rotating")
    info = next(k for k in json.loads(keys("list", "--json").stdout) if k["id"] == old[3:15])
    t.ok(abs(info["old_until"] - info["created"] - 48 * 3600) <= 5, "with a grace of 48 hours", info)
    keys("rotate", old[3:15], "--grace", "0s")
    row = next(line for line in keys("list").stdout.splitlines() if line.startswith(old[3:15]))
    t.same(row.split("\t")[1], "works", "a grace of nothing ends the old secret at once")
    t.same(keys("revoke", old[3:15]).stdout, f"revoked {old[3:15]}\n", "it is revoked")
    row = next(line for line in keys("list").stdout.splitlines() if line.startswith(old[3:15]))
    t.same(row.split("\t")[1], "revoked", "and listed as such")
    complains(keys("rotate", old[3:15]), 1, "the key is revoked: create a new one", "a revoked key is not rotated")


@t.case
def where_the_state_is():
    for env, want in (({"SOTTO_STATE": f"{temp}/a", "XDG_STATE_HOME": f"{temp}/b"}, "a"),
                      ({"XDG_STATE_HOME": f"{temp}/b"}, "b/sotto")):
        t.same(sotto("keys", "list", env=env).returncode, 0, f"keys list with {sorted(env)}")
        t.ok(os.path.exists(f"{temp}/{want}/sotto.db"), f"has its state in {want}")
    done = sotto("keys", "list", "--state", "/proc/nowhere")
    complains(done, 1, "/proc/nowhere: the folder cannot be made: see to the permissions above it", "a folder that cannot be made")
    os.chmod(f"{temp}/a", 0o777)
    complains(sotto("keys", "list", env={"SOTTO_STATE": f"{temp}/a"}), 1, f"{temp}/a: others may write it: chmod go-w it",
              "a folder that others may write")


@t.case
def many_at_once():
    folder = f"{temp}/many"
    running = [subprocess.Popen([SOTTO, "keys", "create", "--state", folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for _ in range(8)]
    lists = [sotto("keys", "list", "--json", "--state", folder) for _ in range(3)]
    done = [p.communicate(timeout=60) for p in running]
    made = {out.strip() for out, _ in done}
    t.ok(all(p.returncode == 0 for p in running) and len(made) == 8, "eight commands at once make eight keys", done)
    t.ok(all(d.returncode == 0 for d in lists), "while others list", lists)
    t.same(len(json.loads(sotto("keys", "list", "--json", "--state", folder).stdout)), 8, "and all are there")


@t.case
def full_output():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([SOTTO, "keys", "list", "--state", state], stdout=full, stderr=subprocess.PIPE, text=True, check=False)
    t.ok(done.returncode == 1 and done.stderr.startswith("sotto: standard output cannot be written"), "output that cannot be written is a failure", done)


def check(yaml, env=()):
    path = pathlib.Path(temp, "sotto.yaml")
    path.write_text(yaml, encoding="utf-8")
    return sotto("check", "--config", str(path), env=env)


@t.case
def check_good():
    done = sotto("check")
    t.ok(done.returncode == 0 and done.stdout == "ok\nlisten 127.0.0.1:8484\nadmin 127.0.0.1:8485\nupstream mirror: mirror\n"
         "model *: mirror\nprivacy: mode standard, style token\n", "without anything the mirror serves all models", done)
    done = sotto("check", env={"OPENAI_API_KEY": "sk-secret"})
    t.ok(done.returncode == 0 and "upstream openai: openai at https://api.openai.com:443/v1, with a key" in done.stdout, "a provider of the environment", done)
    done = check("""
upstreams:
  openai: {kind: openai, key: ${KEY}, region: us, agreements: [baa, dpa]}
  house: {kind: openai, url: "http://[::1]:8000/v1", trusted: true, models: [llama]}
models: {gpt-4: {upstream: openai, as: gpt-4o}, "*": openai}
secrets: {master: ${MASTER}}
privacy: {mode: ward, modes: {ward: {inherits: hipaa}}}
""", env={"KEY": "sk-very-secret", "MASTER": "0123456789abcdef0123456789abcdef"})
    t.same(done.stdout, """ok
listen 127.0.0.1:8484
admin 127.0.0.1:8485
upstream openai: openai at https://api.openai.com:443/v1, with a key, region us, agreements baa dpa
upstream house: openai at http://[::1]:8000/v1, without a key, TRUSTED: gets the text as it is
model gpt-4: openai as gpt-4o
model llama: house
model *: openai
privacy: mode ward, style token, own modes ward
""", "what it will do, without secrets")
    t.same((done.returncode, done.stderr), (0, ""), "and nothing else")
    t.ok(sotto("check", env={"SOTTO_CONFIG": str(pathlib.Path(temp, "sotto.yaml"))}).returncode == 1, "$SOTTO_CONFIG names a file too")


@t.case
def check_bad():
    done = check("limits: {body: abc}\nprivacy: {stile: token}\nstate: ${SECRET}\nlog: {format: ${SECRET}}\n", env={"SECRET": "hush-hush"})
    t.ok(done.returncode == 1 and done.stdout.splitlines() == [
        "line 1, column 16: limits.body: must be a size such as 32MiB, not 'abc'",
        "line 2, column 11: privacy.stile: is not a known key; did you mean style?",
        "line 4, column 15: log.format: must be logfmt or json"], "all problems with their places", done.stdout)
    t.ok(done.stderr.endswith("sotto.yaml has 3 problems: correct what is listed\n"), "and how many", done.stderr)
    t.lacks(done.stdout + done.stderr, "hush", "what is in the environment is not shown")
    done = check("privacy: {recognizers: [{name: BAD, pattern: '['}]}")
    t.ok(done.returncode == 1 and done.stdout == "" and done.stderr.startswith("sotto: privacy: "), "a pattern that does not compile", done)
    done = check("privacy: {recognizers: [{name: BAD, pattern: a, checksum: sum}]}")
    t.ok(done.returncode == 1 and done.stderr.startswith("sotto: privacy: "), "a checksum that nobody knows", done)
    complains(sotto("check", "--config", f"{temp}/none.yaml"), 1, f"{temp}/none.yaml: not found: see to the file and its permissions", "a file that is not there")
    t.same(sotto("check", "--config", temp).returncode, 1, "a folder is no file")
    done = sotto("check", env={"OPENAI_BASE_URL": "nonsense"})
    t.ok(done.returncode == 1 and done.stdout == "OPENAI_BASE_URL: must be a URL such as https://api.example.com/v1\n", "a bad environment", done)


@t.case
def made_from_the_table():
    t.same(sotto("check", "--schema").stdout, (ROOT / "deploy/sotto.schema.json").read_text(), "deploy/sotto.schema.json is made from the table")
    t.same(sotto("check", "--reference").stdout, (ROOT / "docs/configuration.md").read_text(), "docs/configuration.md too")
    t.same(sotto("check", "--manual").stdout, (ROOT / "docs/man/sotto.conf.5").read_text(), "docs/man/sotto.conf.5 too")
    manual = (ROOT / "docs/man/sotto.1").read_text().replace("\\-", "-")
    for command in ("serve", "check", "keys create", "keys rotate", "detect", "redact", "restore"):
        for option in re.findall(r"^  (--[a-z-]+)", sotto(*command.split(), "--help").stdout, re.M):
            t.ok(option in manual, f"docs/man/sotto.1 has {option} of sotto {command}")
    json.loads(sotto("check", "--schema").stdout)


shutil.rmtree(temp, ignore_errors=True)
t.done()
