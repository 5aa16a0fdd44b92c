"""Word pieces and passages, exactly as src/detect/ner/piece.c and tagger.c make them (docs/wire/encoder-file.md)."""

import functools

from . import text

UNKNOWN, BEGIN, END = 1, 2, 3
MOST = 8          # pieces of a token; the rest is left out
ROOM = 126        # pieces of a passage, without the first and the last
ENOUGH = 32       # tokens from which on a passage ends with its sentence


class Vocabulary:
    """The words and continuations ("##…") of a list, one a line; its number is its line's."""

    def __init__(self, lines):
        self.size = len(lines)
        self.whole = {tuple(map(ord, w)): i for i, w in enumerate(lines) if i > END + 1 and not w.startswith("##")}
        self.part = {tuple(map(ord, w[2:])): i for i, w in enumerate(lines) if w.startswith("##") and len(w) > 2}
        self.of = functools.lru_cache(1 << 20)(self._of)

    def _of(self, points):
        out, at, table = [], 0, self.whole
        while at < len(points):
            end = len(points)
            while end > at and points[at:end] not in table:
                end -= 1
            if end == at:
                return (UNKNOWN,)
            out.append(table[points[at:end]])
            at, table = end, self.part
        return tuple(out[:MOST])

    def pieces(self, token, kind):
        if kind == text.BREAK:
            return (END,)
        if kind == text.PUNCT:
            return self.of((ord(token[0]),))
        if kind == text.NUMBER:
            points = text._IGNORED_RE.sub("", token)
            return self.of(tuple(ord(c) if ord(c) < 0x80 else ord(c) - 0xFF10 + 0x30 for c in points))
        return self.of(text.folded(token))


def _ends(source, tokens, i):
    """Whether a passage may end behind token i: a line's end, or a sentence's."""
    a, b, kind, _ = tokens[i]
    if kind == text.BREAK:
        return True
    follows = tokens[i + 1] if i + 1 < len(tokens) else None
    return kind == text.PUNCT and source[a] in ".!?" and (follows is None or follows[3] or follows[2] == text.BREAK)


def passages(source, tokens, counts):
    """(first, behind the last) of each passage; `counts`: the pieces of each token."""
    first = used = 0
    for i, n in enumerate(counts):
        if used + n > ROOM:
            yield first, i
            first, used = i, 0
        used += n
        if i + 1 - first >= ENOUGH and _ends(source, tokens, i):
            yield first, i + 1
            first, used = i + 1, 0
    if first < len(tokens):
        yield first, len(tokens)
