"""What people and machines do to text: case, missing signs, typing and reading errors.  Spans move along."""

import unicodedata

_OCR = {"l": "1", "O": "0", "0": "O", "1": "l", "S": "5", "B": "8", "e": "c", "rn": "m"}
_GLYPH = {"a": "а", "e": "е", "o": "о", "p": "р", "c": "с", "A": "А", "O": "О", "E": "Е"}
_PUNCT = set(".,;:!?\"'")


def _map(text, f):
    return "".join(f(c) for c in text)


def _lower(c):
    low = c.lower()
    return low if len(low) == 1 else c


def _upper(c):
    up = c.upper()
    return up if len(up) == 1 else c


def _bare(c):
    if c < "\x80":
        return c
    base = unicodedata.normalize("NFD", c)[0]
    return base if base.isalpha() else c


def _title(text):
    return "".join(_upper(c) if i == 0 or text[i - 1] in " \n-'" else c for i, c in enumerate(text))


def edit(text, spans, edits):
    """Applies [(position, deleted length, inserted text)]; of those that overlap, the first."""
    out, moved, at, length = [], [0] * (len(text) + 1), 0, 0
    clean, last = [], -1
    for e in sorted(edits):
        if e[0] >= last:
            clean.append(e)
            last = e[0] + max(e[1], 1)
    for pos, dele, ins in clean + [(len(text), 0, "")]:
        for i in range(at, pos):
            moved[i] = length + i - at
        out.append(text[at:pos] + ins)
        length += pos - at
        for i in range(pos, min(pos + dele, len(text)) + (pos == len(text))):
            moved[i] = length
        length += len(ins)
        at = pos + dele
    return "".join(out), [(moved[a], moved[b], lb) for a, b, lb in spans if moved[b] > moved[a]]


def _typo(rng, text, i):
    c = text[i]
    roll = rng.random()
    if roll < 0.3:
        return i, 1, ""
    if roll < 0.55:
        return i, 1, c + c
    if roll < 0.8 and i + 1 < len(text) and text[i + 1].isalpha():
        return i, 2, text[i + 1] + c
    return i, 1, rng.choice("abcdefghijklmnoprstuvwy")


def apply(rng, text, spans):
    roll = rng.random()
    if roll < 0.25:
        text = _map(text, _lower)
    elif roll < 0.30:
        text = _map(text, _upper)
    elif roll < 0.34:
        text = _title(text)
    if rng.random() < 0.03:
        text = _map(text, _bare)
    edits = []
    if rng.random() < 0.10 and text and text[-1] in ".!?":
        edits.append((len(text) - 1, 1, ""))
    if rng.random() < 0.05:
        inside = [False] * (len(text) + 1)
        for a, b, _ in spans:
            inside[a:b] = [True] * (b - a)
        edits = [(i, 1, "") for i, c in enumerate(text) if c in _PUNCT and not inside[i]]
    if not edits and len(text) > 12:
        for _ in range(1 + len(text) // 300):
            if rng.random() < 0.10:
                i = rng.randrange(len(text))
                if text[i].isalpha() and text[i] != "@":
                    edits.append(_typo(rng, text, i))
            if rng.random() < 0.03:
                i = text.find(" ", rng.randrange(len(text)))
                if i > 0 and not text[i - 1].isalpha():
                    edits.append((i, 1, ""))
            if rng.random() < 0.02:
                i = rng.randrange(len(text))
                if text[i] in _OCR:
                    edits.append((i, 1, _OCR[text[i]]))
            if rng.random() < 0.015:
                i = rng.randrange(len(text))
                edits.append((i, 1, _GLYPH[text[i]]) if text[i] in _GLYPH else (i, 1, text[i] + "\u200b"))
    if edits:
        text, spans = edit(text, spans, edits)
    return text, spans
