#!/usr/bin/env python3
"""`sotto detect`, `redact` and `restore` as programs: lines in, lines out, files, exit statuses."""
import json
import os
import pathlib
import pty
import stat
import subprocess
import tempfile

SOTTO = os.environ.get("SOTTO", "build/sotto")
count = 0
failed = 0


def ok(good, name, *more):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    if not good:
        for line in more:
            print("#  ", repr(line)[:400])


def run(*words, text=""):
    data = text if isinstance(text, bytes) else text.encode()
    p = subprocess.run([SOTTO, *words], input=data, capture_output=True, timeout=60, check=False)
    return p.returncode, p.stdout.decode(), p.stderr.decode()


def on_terminal(*words, text):
    """What a terminal is told."""
    main, side = pty.openpty()
    with subprocess.Popen([SOTTO, *words], stdin=subprocess.PIPE, stdout=side, stderr=subprocess.PIPE) as p:
        os.close(side)
        p.stdin.write(text)
        p.stdin.close()
        told = b""
        while True:
            try:
                more = os.read(main, 65536)
            except OSError:  # nobody holds the other side any more
                break
            if not more:
                break
            told += more
        p.wait(60)
    os.close(main)
    return told.replace(b"\r\n", b"\n")


def records(text):
    return [json.loads(line) for line in text.splitlines()]


def test_detect():
    status, out, err = run("detect", text="Zoë: Dear Dr. Jane Doe,\nmail jane@example.org\n")
    rows = [line.split("\t") for line in out.splitlines()]
    ok(status == 0 and ["14", "22", "PERSON", "-"] in [r[:4] for r in rows],
       "offsets count code points", out, err)
    ok(all(len(r) == 6 for r in rows), "six columns a line", out)
    lines = ['{"id":"a","text":"Dr. Jane Doe"}', "", '{"id":2,"text":"nothing","lang":"en"}', "{bad",
             '{"id":"x"}', '{"id":"y","text":5}', "[]", '{"id":"z","text":"a\\u0000b"}']
    status, out, err = run("detect", "--jsonl", text="\n".join(lines) + "\n")
    got = records(out)
    ok(status == 1, "a line that is not valid: exit status 1", status)
    ok([r.get("id", "-") for r in got] == ["a", 2, "-", "-", "-", "-", "z"],
       "answers come in the order of the lines", out)
    ok([r.get("line") for r in got if "error" in r] == [4, 5, 6, 7], "errors name their line", out)
    ok(got[0]["spans"][0][:3] == [4, 12, "PERSON"] and 0 < got[0]["spans"][0][3] <= 1,
       "a span is start, end, label and score", got[0])
    long = "Dr. Jane Doe wrote. " * 10000
    status, out, err = run("detect", "--jsonl", text=json.dumps({"id": 1, "text": long}) + "\n")
    ok(status == 0 and len(records(out)[0]["spans"]) == 10000, "a line of 200 KB", err)
    status, out, err = run("detect", text=b"abc\xff")
    ok(status == 1 and "byte 3" in err and err.count("\n") == 1, "invalid UTF-8: where", err)
    for words in (["--mode", "none"], ["--lang", "xx"], ["--threshold", "2"], ["--tagger", "big"], ["--nonsense"], ["file"]):
        status, out, err = run("detect", *words)
        ok(status == 2 and err.startswith("sotto: ") and err.count("\n") == 1,
           f"wrong usage: {' '.join(words)}", err)
    for name in ("small", "cascade", "large", "none"):
        status, out, err = run("detect", "--tagger", name, text="Dr. Jane Doe, jane@example.org")
        ok(status == 0 and "PERSON" in out and "EMAIL" in out, f"--tagger {name}", out, err)
    text = "Jane Doe, born in Berlin, lives in France"
    every, hipaa = run("detect", text=text)[1], run("detect", "--mode", "hipaa", text=text)[1]
    ok("LOCATION\tCOUNTRY" in every and "LOCATION\tCOUNTRY" not in hipaa and "PERSON" in hipaa,
       "a mode leaves out what it lets pass", every, hipaa)


def test_terminal(folder):
    try:
        for fd in pty.openpty():
            os.close(fd)
    except OSError as error:
        print(f"# no terminal can be opened here ({error}): what it is shown is not tested")
        return
    path = folder / "terminal.json"
    hostile = "Dear Jane Doe, \x1b[2Jgone \x1b]0;title\x07 \x9b31m \rover \u20ac\n".encode()
    out = run("redact", "--map", str(path), text=hostile)[1].encode()
    ok(b"Jane" not in out and b"\x1b[2J" in out, "in a pipe control characters stay as they are", out)
    ok(run("restore", "--map", str(path), text=out)[1].encode() == hostile, "and come back so", out)
    told = on_terminal("restore", "--map", str(path), text=out)
    ok(told == "Dear Jane Doe, ^[[2Jgone ^[]0;title^G <U+009B>31m ^Mover \u20ac\n".encode(),
       "a terminal is shown them", told)
    told = on_terminal("detect", text=hostile)
    ok(b"Jane Doe" in told and b"\x1b" not in told, "by detect, too", told)
    told = on_terminal("restore", "--jsonl", "--map", str(path), text=json.dumps({"text": "\x7f\x9b1m"}, ensure_ascii=False).encode() + b"\n")
    ok(b"^?<U+009B>1m" in told and b"\x7f" not in told and b"\xc2\x9b" not in told, "and in records", told)


def test_round_trip(folder):
    path = folder / "map.json"
    text = "Dear Jane Doe,\nPeter Müller <peter@example.org> \"wrote\".\nDr. Jane Doe\n" * 50
    status, out, err = run("redact", "--map", str(path), text=text)
    ok(status == 0 and "Jane" not in out and "peter@example.org" not in out, "values are replaced", out)
    ok(stat.S_IMODE(path.stat().st_mode) == 0o600, "the map is for its owner alone")
    ok(run("restore", "--map", str(path), text=out)[1] == text, "and restored")
    again = run("redact", "--map", str(path), text="Jane Doe met Peter Miller.")[1]
    ok(again.split()[0] == out.split()[1].rstrip(","), "a map gives a value its token again", again)
    ok(run("restore", "--map", str(path), text=out)[1] == text, "and keeps what it had")
    lines = [{"id": 1, "text": "Call \"Jane Doe\"\n", "more": [1, 2.50]}, {"text": "nothing"}]
    source = "".join(json.dumps(line) + "\n" for line in lines)
    status, out, err = run("redact", "--jsonl", "--map", str(path), text=source)
    ok(status == 0 and "Jane" not in out, "records", err)
    back = run("restore", "--jsonl", "--map", str(path), text=out)[1]
    ok(records(back) == lines, "records are restored, quotes and all", back)
    status, out, err = run("redact", "--style", "redact", text="Dr. Jane Doe")
    ok(status == 0 and "[PERSON]" in out, "the style redact", out)
    ok(run("redact", "--style", "x")[0] == 2, "an unknown style is wrong usage")
    ok(run("restore")[0] == 2, "restore needs a map")
    status, out, err = run("restore", "--map", str(folder / "none"))
    ok(status == 1 and err.count("\n") == 1, "a map that is not there", err)
    path.write_text("{}")
    ok(run("restore", "--map", str(path))[0] == 1 and run("redact", "--map", str(path))[0] == 1,
       "a file that is no map is refused")
    ok(path.read_text() == "{}", "and left as it is")
    ok(run("redact", "--map", str(folder / "no" / "map"), text="x")[0] == 1,
       "a folder that is not there")


def main():
    test_detect()
    with tempfile.TemporaryDirectory() as folder:
        test_round_trip(pathlib.Path(folder))
        test_terminal(pathlib.Path(folder))
    print(f"1..{count}")
    return failed != 0


raise SystemExit(main())
