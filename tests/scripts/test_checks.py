#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Each check of scripts/ fails on a tree that breaks its rule, and passes one that keeps it."""

import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
LICENCE = "/* SPDX-License-Identifier: Apache-2.0 */\n"
number = failed = 0


def ok(good, what, detail=""):
    global number, failed
    number += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {number} - {what.replace('#', 'No. ')}")
    if not good:
        for line in detail.splitlines():
            print(f"#   {line}")


def run(check, files):
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in {"docs/layers.txt": LAYERS, **files}.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        done = subprocess.run([ROOT / "scripts" / check, folder], capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr


def fails(check, what, files, word):
    status, output = run(check, files)
    ok(status == 1 and word in output, f"{check} finds {what}", f"status {status}, wanted {word!r} in:\n{output}")


def passes(check, what, files):
    status, output = run(check, files)
    ok(status == 0 and not output, f"{check} lets pass {what}", f"status {status}\n{output}")


LAYERS = (ROOT / "docs/layers.txt").read_text()


def layers():
    def src(path, line):
        return {f"src/{path}": f"{LICENCE}{line}\nint x;\n"}

    passes("check-layers", "an inner folder", src("json/a.c", '#include "base/buf.h"'))
    passes("check-layers", "the folder itself", src("json/a.c", '#include "json/json.h"'))
    fails("check-layers", "an outer folder", src("base/a.c", '#include "json/json.h"'), "base must not include")
    fails("check-layers", "a sideways folder", src("pipeline/a.c", '#include "dialects/dialect.h"'), "pipeline must not")
    fails("check-layers", "a header that base may not have, in a header", src("base/a.h", '# include "sys/clock.h"'), "base must")
    fails("check-layers", "an include without its folder", src("json/a.c", '#include "json.h"'), "by its path")
    fails("check-layers", "a folder that no layer has", src("util/a.c", "int y;"), "not in docs/layers.txt")
    fails("check-layers", "layers in the wrong order", {"docs/layers.txt": "json: base\nbase:\n"}, "listed before")
    for header in ("unistd.h", "sys/socket.h", "sys/epoll.h", "fcntl.h", "time.h", "netdb.h", "sys/stat.h", "poll.h"):
        fails("check-layers", f"<{header}> outside the rim", src("gateway/a.c", f"#include <{header}>"), "may not")
        passes("check-layers", f"<{header}> at the rim", src("net/a.c", f"#include <{header}>"))
    for call in ('printf("x");', "FILE *f;", 'fputs("x", stderr);', 'fopen("x", "r");'):
        fails("check-layers", f"{call} outside the rim", src("config/a.c", call), "input or output")
    passes("check-layers", "snprintf", src("config/a.c", "#include <stdio.h>\nint n = snprintf(a, 1, b);"))
    passes("check-layers", "a comment about printf()", src("config/a.c", '/* as printf() does */ char *a = "printf(";'))
    homes = {
        "openssl/evp.h": (["crypto/a.c", "net/tls.c", "net/tls_server.c"], ["net/tcp.c", "vault/a.c", "apps/a.c"]),
        "sqlite3.h": (["store/a.c"], ["keys/a.c"]),
        "yaml.h": (["config/a.c"], ["apps/a.c"]),
        "pcre2.h": (["detect/a.c"], ["policy/a.c"]),
        "llhttp.h": (["http/a.c"], ["net/a.c"]),
        "nghttp2/nghttp2.h": (["net/a.c"], ["gateway/a.c"]),
        "yyjson.h": (["json/a.c", "json/json.h"], ["chat/a.c"]),
        "utf8proc.h": (["text/a.c"], ["detect/a.c"]),
    }
    for header, (home, abroad) in homes.items():
        for path in home:
            passes("check-layers", f"<{header}> in {path}", src(path, f"#include <{header}>"))
        for path in abroad:
            fails("check-layers", f"<{header}> in {path}", src(path, f"#include <{header}>"), header)


def mistakes():
    done = subprocess.run([ROOT / "scripts/check-mistakes", "--self-test"], capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if " - " in line:
            ok(line.startswith("ok"), f"check-mistakes: {line.split(' - ', 1)[1]}")
    ok(done.returncode == 0, "check-mistakes keeps its own examples apart", done.stderr)
    fails("check-mistakes", "a mistake in a file", {"src/vault/a.c": LICENCE + "void f(void)\n{\n    free(p);\n}\n"},
          "src/vault/a.c:4: ")
    passes("check-mistakes", "a clean file", {"src/vault/a.c": LICENCE + "int x;\n"})


def size():
    def body(lines):
        return {"src/base/a.c": LICENCE + "int f(void)\n{\n" + "    x();\n" * (lines - 2) + "}\n"}

    passes("check-size", "a function of 80 lines", body(80))
    fails("check-size", "a function of 81 lines", body(81), "81 lines")
    passes("check-size", "a table of 200 lines", {"src/base/a.c": LICENCE + "int t[] =\n{\n" + "    1,\n" * 200 + "};\n"})


def docs():
    passes("check-docs", "links that lead somewhere",
           {"README.md": "# Top\n[a](docs/a.md#two-words), [web](https://example.org/x), `[no](link)`\n[up](#top)\n",
            "docs/a.md": "## Two words\n```\n[none](here.md)\n```\n"})
    fails("check-docs", "a dead link", {"README.md": "[a](docs/b.md)\n"}, "leads nowhere")
    fails("check-docs", "a dead heading", {"README.md": "[a](docs/a.md#nope)\n", "docs/a.md": "# Yes\n"}, "no such heading")
    for text, why in ((f"see /{'work'}/main", "one machine"), (f"https://x.{'internal'}/simple", "private host"),
                      (f"mirror artifact{'ory'}", "package mirror"), (f"the helper {'agent'} wrote", "not part of the tree")):
        fails("check-docs", f"{why} in a file", {"a.py": f"# {text}\n"}, why)


for part in (layers, mistakes, size, docs):
    part()
print(f"1..{number}")
sys.exit(1 if failed else 0)
