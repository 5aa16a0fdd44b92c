"""From logits to spans: the best well-formed path, trimmed; as src/detect/ner/decode.c does it."""

import numpy as np

from . import text
from .labels import LABELS

L = len(LABELS)


def viterbi(logits):
    """Best path under BIOES.  logits [n, tags]; returns [(first token, last token, label index)]."""
    n = len(logits)
    outside, lab = logits[:, 0], logits[:, 1:].reshape(n, L, 4)
    begin, inside, end, single = lab[:, :, 0], lab[:, :, 1], lab[:, :, 2], lab[:, :, 3]
    closed, open_ = 0.0, np.full(L, -1e9)
    how = np.zeros(n, np.int32)       # 0 outside, 1 + l single, 1 + L + l end
    came = np.zeros((n, L), bool)     # the open state came from inside, not from begin
    for i in range(n):
        stay = open_ + inside[i]
        fresh = closed + begin[i]
        e = open_ + end[i]
        s = closed + single[i]
        best, what = closed + outside[i], 0
        k = int(s.argmax())
        if s[k] > best:
            best, what = s[k], 1 + k
        k = int(e.argmax())
        if e[k] > best:
            best, what = e[k], 1 + L + k
        came[i] = stay > fresh
        open_ = np.where(came[i], stay, fresh)
        closed = best
        how[i] = what
    spans, i = [], n - 1
    while i >= 0:
        w = how[i]
        if w == 0:
            i -= 1
        elif w <= L:
            spans.append((i, i, w - 1))
            i -= 1
        else:
            k, last = w - 1 - L, i
            i -= 1
            while i >= 0 and came[i, k]:
                i -= 1
            spans.append((i, last, k))
            i -= 1
    return spans[::-1]


def trim(source, tokens, first, last):
    """Drops breaks and punctuation at both ends; None when nothing is left."""
    while first <= last and tokens[first][2] in (text.PUNCT, text.BREAK) and source[tokens[first][0]] not in "+(":
        first += 1
    while last >= first and tokens[last][2] in (text.PUNCT, text.BREAK) and source[tokens[last][0]] not in ").":
        last -= 1
    return (first, last) if first <= last else None


def with_initials(source, tokens, first, floor):
    """The first token of a name, initials before it included: "T. S. Eliot" is one name."""
    while first - floor >= 2:
        (a, b, kind, _), (c, d, _, _) = tokens[first - 2], tokens[first - 1]
        if not (kind == text.WORD and b - a == 1 and "A" <= source[a] <= "Z" and source[c:d] == "." and c == b
                and len(source[d:tokens[first][0]].encode()) <= 1):
            break
        first -= 2
    return first
