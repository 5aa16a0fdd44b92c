"""Runs the whole program over the tuning or the held-back split and prints the tables of docs/detection.md.

The figures are those of $SOTTO_DATA/tools/score.py: the program as it comes, no language given, the mode for health data for the
clinicians' prompts only.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

from . import corpus, paths
from .evaluate import GROUPS
from .labels import LABELS

LIMIT = 1500      # records of a group: each n-th
LONGEST = 250000  # characters of a group
MODES = {"en clinical prompts": ["--mode", "hipaa"]}
ROW_LABELS = LABELS[:8] + ("ID", "PHONE", "EMAIL")
IDENTIFYING = ("PERSON", "ADDRESS", "ID", "PHONE", "EMAIL", "URL", "SECRET")


def _records(split, prefixes):
    """Lines as they stand in the files: the spans are not mended as for training."""
    lines = []
    for path in corpus.files(paths.data()):
        source = f"{path.parent.name}/{path.stem}"
        if any(p in source for p in prefixes):
            for line in path.read_text("utf-8").splitlines():
                record = json.loads(line)
                # The sources of this kind are all "train" but for these files.
                own = "tune" if "negatives" in source and "devel" in source else corpus.split_of(source, record["id"])
                if own == split or "clinical-queries" in source or "negatives" in source and own == "tune":
                    lines.append(json.dumps({**record, "id": f"{source}:{record['id']}"}))
    lines = lines[::max(1, len(lines) // LIMIT)][:LIMIT]
    size = sum(map(len, lines))
    return lines[::max(1, size // LONGEST)]


def _score(gold, found, *options):
    tool = pathlib.Path(paths.data()).parent / "tools" / "score.py"
    out = subprocess.run([sys.executable, tool, gold, found, "--json", *options], check=True, capture_output=True, text=True)
    return json.loads(out.stdout)


def _identifying(found):
    return sum(s[2] in IDENTIFYING for line in found.read_text("utf-8").splitlines() for s in json.loads(line)["spans"])


def _group(program, name, lines, tagger):
    with tempfile.TemporaryDirectory() as folder:
        gold, found = pathlib.Path(folder, "gold"), pathlib.Path(folder, "found")
        gold.write_text("\n".join(lines) + "\n", "utf-8")
        with gold.open("rb") as source, found.open("wb") as target:
            subprocess.run([program, "detect", "--tagger", tagger, "--jsonl", *MODES.get(name, [])], stdin=source, stdout=target, check=True)
        words = sum(len(json.loads(line)["text"].split()) for line in lines)
        return _score(gold, found), _score(gold, found, "--labels", "PERSON"), 1000 * _identifying(found) / words


def _cell(x):
    return "–" if x is None else f"{x:.2f}"


def run(program, split, tagger):
    rows = []
    print("| kind of text | spans | strict | clean | precision | F2_all | names: recall | names: precision | untouched | words marked | per 1,000 words |\n"
          + "|---" * 11 + "|")
    for name, prefixes in GROUPS:
        lines = _records(split, prefixes)
        if not lines:
            continue
        every, people, identifying = _group(program, name, lines, tagger)
        rows.append((name, every))
        cells = [every["strict"], every["clean"], every["prec"], every["F2_all"], people["strict"], people["prec"], every["untouched"], every["marked"]]
        print(f"| {name} | {every['gold']} | " + " | ".join(map(_cell, cells)) + f" | {identifying:.1f} |", flush=True)
    print("\n| kind of text | " + " | ".join(ROW_LABELS) + " |\n|---" + "|---" * len(ROW_LABELS) + "|")
    for name, every in rows:
        if every["gold"]:
            by = every["by_label"]
            print(f"| {name} | " + " | ".join(f"{by[k][0]:.2f} of {by[k][1]}" if k in by else "–" for k in ROW_LABELS) + " |")
