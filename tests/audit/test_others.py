#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The log is verified by code of others: golang.org/x/mod/sumdb/tlog and note.

Needs Debian's golang-go and golang-golang-x-mod-dev; without them the test is skipped. The log is
written by the program tests/audit/write_log, in the way of the gateway.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

GOPATH = pathlib.Path("/usr/share/gocode")
BUILD = pathlib.Path(os.environ["SOTTO_BUILD"])
SOURCE = pathlib.Path(os.environ["SOTTO_SOURCE"])
count = failed = 0


def skip_all(why):
    print(f"1..0 # SKIP {why}")
    sys.exit(0)


def ok(good, what, detail=""):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {what}")
    if not good:
        print("\n".join("# " + line for line in str(detail).splitlines()[:20]))


def go():
    for path in ("/usr/bin/go", "/usr/lib/go/bin/go", shutil.which("go")):
        if path and os.access(path, os.X_OK):
            return path
    return skip_all("there is no Go compiler: apt-get install golang-go")


def main():
    compiler = go()
    if not (GOPATH / "src/golang.org/x/mod/sumdb/tlog").is_dir():
        skip_all("golang.org/x/mod is missing: apt-get install golang-golang-x-mod-dev")
    writer = BUILD / "tests/audit/write_log"
    if not writer.exists():
        skip_all("write_log is not built")
    place = pathlib.Path(tempfile.mkdtemp(prefix="sotto-others-"))
    try:
        check(compiler, writer, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    print(f"1..{count}")
    sys.exit(1 if failed else 0)


def check(compiler, writer, place):
    verify = place / "verify"
    env = dict(os.environ, GO111MODULE="off", GOPATH=str(GOPATH), GOCACHE=str(place / "cache"), GOFLAGS="", CGO_ENABLED="0")
    built = subprocess.run([compiler, "build", "-o", verify, SOURCE / "tests/audit/verify.go"], env=env, capture_output=True,
                           text=True, check=False)
    if built.returncode != 0:
        ok(False, "the verifier is built", built.stderr)
        return
    log = place / "audit"
    for total in (1, 7, 256, 300):
        subprocess.run([writer, log, str(total)], check=True)
        key = subprocess.run([os.environ["SOTTO"], "audit", "vkey", "--state", str(place)], capture_output=True, text=True,
                             check=True).stdout.strip()
        done = subprocess.run([verify, log / "log", key], capture_output=True, text=True, check=False)
        ok(done.returncode == 0 and done.stdout.split()[1] == str(total), f"{total} entries: tlog takes all of them", done)
        if total == 300:
            tamper(verify, log / "log", key)


def tamper(verify, folder, key):
    """Any byte of the files that the last checkpoint speaks of."""
    size = 300
    files = ["checkpoint", "tile/0/000", f"tile/0/001.p/{size - 256}", "tile/1/000.p/1", "tile/entries/000",
             f"tile/entries/001.p/{size - 256}"]
    for name in files:
        path = folder / name
        data = bytearray(path.read_bytes())
        wrong = []
        for at in range(0, len(data), max(1, len(data) // 9)):
            data[at] ^= 1
            path.write_bytes(data)
            if subprocess.run([verify, folder, key], capture_output=True, check=False).returncode == 0:
                wrong.append(at)
            data[at] ^= 1
        path.write_bytes(data)
        ok(not wrong, f"{name}: a changed byte is found by tlog", wrong)


main()
