"""Reads the labelled texts and decides what each token may be.

A source that does not annotate a label says nothing about it: such a token is *unknown* for that label.
`allowed` below turns that into a set of permitted tags for the loss; a lexical condition keeps a label that
no source annotates from soaking up everything that is outside.
"""

import collections
import functools
import hashlib
import json
import re

from . import text
from .flags import FLAG
from .labels import LABELS, encode

Record = collections.namedtuple("Record", "id source lang text spans annotated")

NEVER = ("clinical-queries",)          # for tuning thresholds only
UNMARKED = ("recall-only", "unlabelled")
SLOTS_ONLY = ("slurp", "snips", "sgd")  # mentions outside the slots are not marked
HELD_FILES = ("-dev", "-test", "-devel", "/btc-a", "/europeana-onb")

TITLE = re.compile(r"(?:(?:dr|mr|mrs|ms|miss|prof|professor|doctor|sir|herr|herrn|frau|hr|fr|mme|mlle|madame|monsieur|mm?|sr|sra"
                   r"|srta|dra|señora?|dott|dott\.?ssa|sig|signora?|don|doña|lord|lady|me|maître)\b\.?\s*)+(?=\w)", re.I)
# "tomorrow", "next week", a lone weekday: neither taught as a date nor as its absence.
_ABSOLUTE = re.compile(r"\d|\b(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|okt|dez|mai|avr|juil|août|ene|abr|ago|dic"
                       r"|gen|mag|giu|lug|set|ott)[a-zûéä]*\b|(?:first|second|third|[a-z]+th) of", re.I)
_FR_SMALL = set("le la les l un une des mon ma mes ton ta son sa ses notre votre leur ce cette ces il elle on je tu nous "
                "vous ils elles moi toi lui eux qui que monsieur madame mademoiselle m mme mlle de du d et à au".split())


def _key(record_id):
    """Records of one document share the key, so that a split never cuts a document."""
    return record_id.rsplit("-", 1)[0] if record_id.count("-") >= 2 or "GUM" in record_id else record_id


def split_of(source, record_id):
    """train, tune (thresholds, choices) or held (looked at once, at the end)."""
    if any(n in source for n in NEVER):
        return "tune"
    digest = hashlib.sha256(_key(record_id).encode()).digest()
    if any(source.endswith(h) or h + "-" in source or h in source and h.startswith("/") for h in HELD_FILES):
        return "tune" if digest[0] & 1 else "held"
    if any(u in source for u in UNMARKED) or "negatives" in source:
        return "train"
    return "tune" if digest[0] < 10 else "held" if digest[0] < 20 else "train"


def _fix(source, t, spans):
    """Known defects of single sources."""
    out = []
    for a, b, label in spans:
        while a < b and t[a].isspace():
            a += 1
        while b > a and t[b - 1].isspace():
            b -= 1
        if label == "PERSON":
            m = TITLE.match(t, a, b)
            if m and m.end() < b:
                a = m.end()
            if "fr/litbank" in source:
                words = [m for m in re.finditer(r"[^\W_]+(?:[-’'][^\W_]+)*", t[a:b])
                         if m.group()[0].isupper() and m.group().lower() not in _FR_SMALL]
                if not words:
                    out.append((a, b, None))
                    continue
                a, b = a + words[0].start(), a + words[-1].end()
            if "en/litbank" in source and not any(w[0].isupper() for w in t[a:b].split()):
                out.append((a, b, None))
                continue
        if label == "DATE" and not _ABSOLUTE.search(t, a, b):
            label = None
        if label == "LOCATION" and "meddocan" in source and t[a:b].isdigit():
            label = "ADDRESS"
        if a < b:
            out.append((a, b, label if label in LABELS else None))
    return sorted(out, key=lambda s: (s[0], s[1]))


def files(root):
    for folder in ("en", "de", "fr", "es", "it"):
        yield from sorted((root / folder).glob("*.jsonl"))


def records(root, split, only=None):
    for path in files(root):
        source = f"{path.parent.name}/{path.stem}"
        if only and not any(o in source for o in only):
            continue
        with open(path, encoding="utf-8") as f:
            for line in f:
                d = json.loads(line)
                if split_of(source, d["id"]) != split:
                    continue
                yield Record(d["id"], source, d["lang"], d["text"], _fix(source, d["text"], d["spans"]),
                             frozenset(d["annotated"]))


# --- permitted tags ------------------------------------------------------------------------------

ALL = frozenset(LABELS)
NAMES = frozenset(("PERSON", "LOCATION", "ORG"))


@functools.lru_cache(None)
def possible(unknown, number, near, flags):
    """The labels of `unknown` that an unmarked token could bear.

    `near`: 2 beside "@" or "/", 1 beside a number, else 0; `flags`: its lexicon flags.
    """
    out = set(unknown & NAMES)
    if number or near:
        out |= unknown & {"PHONE", "ID", "AGE", "ADDRESS", "DATE"}
    if flags & FLAG["CALENDAR"]:
        out |= unknown & {"DATE"}
    if near == 2:
        out |= unknown & {"EMAIL", "URL"}
    if flags & FLAG["NRP"]:
        out |= unknown & {"NRP"}
    if flags & FLAG["JOB"]:
        out |= unknown & {"OCCUPATION"}
    return frozenset(out)


def _neighbourhood(source, tokens):
    near = [0] * len(tokens)
    for i, (a, b, kind, _) in enumerate(tokens):
        if kind == text.NUMBER:
            for j in range(max(0, i - 2), min(len(tokens), i + 3)):
                near[j] = near[j] or 1
        elif kind == text.PUNCT and source[a] in "@/":
            for j in range(max(0, i - 4), min(len(tokens), i + 5)):
                near[j] = 2
    return near


def allowed(record, tokens, lexicon):
    """Per token: the tag's number, or a frozenset of labels that it may be besides "outside", or None (anything)."""
    n = len(tokens)
    slots = any(s in record.source for s in SLOTS_ONLY)
    unmarked = any(u in record.source for u in UNMARKED)
    unknown = ALL - record.annotated
    goal = [frozenset()] * n
    if unknown or slots:
        near = _neighbourhood(record.text, tokens)
        listed = FLAG["CALENDAR"] | FLAG["NRP"] | FLAG["JOB"]
        plain = FLAG["COMMON"] | FLAG["CITY_PART"]
        for i, (a, b, kind, flag) in enumerate(tokens):
            if kind != text.WORD:
                goal[i] = possible(unknown - NAMES, kind == text.NUMBER, near[i], 0)
                continue
            flags = lexicon.get(text.features(record.text[a:b], kind, flag)[0])[0]
            names = unknown & NAMES
            if slots or unmarked:
                hint = record.text[a].isupper() and i > 0 or flags & ~plain and not flags & FLAG["COMMON"]
                names = NAMES if hint else frozenset()
            goal[i] = possible(unknown - NAMES | names, False, near[i], flags & listed)
    i = 0
    for a, b, label in record.spans:
        while i < n and tokens[i][1] <= a:
            i += 1
        j = i
        while j < n and tokens[j][0] < b:
            j += 1
        if label is None:
            goal[i:j] = [None] * (j - i)
        elif j > i:
            goal[i:j] = encode(label, j - i)
        i = j
    return goal
