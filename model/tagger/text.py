"""Tokens and their features, exactly as src/detect/ner/token.c computes them.

A token is a run of letters, a run of digits, a run of one punctuation sign, or a line break (white
space that holds at least one).  Invisible code points and combining marks belong to the token they
stand in and do not count; letters are folded to lower case without accents, and letters of other
scripts that look Latin to Latin, so that a homoglyph, NFC and NFD read alike.
"""

import functools
import re
import unicodedata

WORD, NUMBER, PUNCT, BREAK = range(4)
TOKEN_MAX = 64  # code points
FOLD_MAX = 24   # letters of a word that enter its n-grams

# --- code points -------------------------------------------------------------------------------

IGNORED = [(0xAD, 0xAD), (0x300, 0x36F), (0x61C, 0x61C), (0x180E, 0x180E), (0x200B, 0x200F), (0x202A, 0x202E),
           (0x2060, 0x206F), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF)]
SPACES = [(0x09, 0x09), (0x0D, 0x0D), (0x20, 0x20), (0xA0, 0xA0), (0x1680, 0x1680), (0x2000, 0x200A),
          (0x202F, 0x202F), (0x205F, 0x205F), (0x3000, 0x3000)]
BREAKS = [(0x0A, 0x0C), (0x85, 0x85), (0x2028, 0x2029)]
DIGITS = [(0x30, 0x39), (0xFF10, 0xFF19)]
PUNCTS = [(0x00, 0x08), (0x0E, 0x1F), (0x21, 0x2F), (0x3A, 0x40), (0x5B, 0x60), (0x7B, 0x84), (0x86, 0x9F),
          (0xA1, 0xA9), (0xAB, 0xAC), (0xAE, 0xB4), (0xB6, 0xB9), (0xBB, 0xBF), (0xD7, 0xD7), (0xF7, 0xF7),
          (0x2010, 0x2027), (0x2030, 0x205E), (0x20A0, 0x20CF), (0x2100, 0x2BFF), (0x3001, 0x303F),
          (0xE000, 0xF8FF), (0xFE10, 0xFE6F), (0xFF01, 0xFF0F), (0xFF1A, 0xFF20), (0xFF3B, 0xFF40),
          (0xFF5B, 0xFF65), (0x1F000, 0x1FAFF)]

# Where the letters come from that are folded by table: Latin, Greek and Cyrillic, Latin Extended Additional.
FOLD_RANGES = ((0xC0, 0x24F), (0x370, 0x52F), (0x1E00, 0x1EFF))
_ODD = {"ß": "s", "æ": "a", "œ": "o", "ø": "o", "ð": "d", "þ": "t", "ł": "l", "đ": "d", "ı": "i", "ħ": "h", "ŋ": "n",
        "ſ": "s", "ƒ": "f"}
_LOOKALIKE = dict(zip("абвгдезийклмнопрстуфхцчшщыэюяѕіјһԁԛԝ", "абвгдезийклмнопрстуфхцчшщыэюяsijhdqw"))
_LOOKALIKE.update({"а": "a", "в": "b", "е": "e", "к": "k", "м": "m", "н": "h", "о": "o", "р": "p", "с": "c",
                   "т": "t", "у": "y", "х": "x", "α": "a", "β": "b", "ε": "e", "ι": "i", "κ": "k", "ν": "v",
                   "ο": "o", "ρ": "p", "τ": "t", "υ": "u", "χ": "x"})


def _base(ch):
    low = ch.lower()[0]
    low = _ODD.get(low, low)
    low = unicodedata.normalize("NFD", low)[0]
    low = _ODD.get(low, low)
    return _LOOKALIKE.get(low, low)


def fold_entry(cp):
    """(folded code point, is upper case) of a code point in FOLD_RANGES."""
    ch = chr(cp)
    folded = ord(_base(ch))
    if unicodedata.category(ch) not in ("Lu", "Lt", "Ll", "Lo", "Lm"):
        return cp, False
    return folded, unicodedata.category(ch) in ("Lu", "Lt")


_FOLD = {}
for _lo, _hi in FOLD_RANGES:
    for _cp in range(_lo, _hi + 1):
        _FOLD[_cp] = fold_entry(_cp)


def fold(cp):
    """(folded code point, is upper case) of a letter."""
    if cp < 0x80:
        return (cp | 0x20, cp < 0x60)
    if cp in _FOLD:
        return _FOLD[cp]
    if 0xFF21 <= cp <= 0xFF3A:
        return cp - 0xFF21 + 0x61, True
    if 0xFF41 <= cp <= 0xFF5A:
        return cp - 0xFF41 + 0x61, False
    return cp, False


def fold_punct(cp):
    if cp in (0x2018, 0x2019, 0x201A, 0x201B, 0x60, 0xB4, 0x2032):
        return 0x27
    if cp in (0x201C, 0x201D, 0x201E, 0x201F, 0xAB, 0xBB, 0x2033):
        return 0x22
    if 0x2010 <= cp <= 0x2015 or cp == 0x2212:
        return 0x2D
    if cp == 0x2026:
        return 0x2E
    return cp


def _cls(ranges):
    return "".join(f"\\U{a:08x}-\\U{b:08x}" for a, b in ranges)


_I, _S, _N, _D = _cls(IGNORED), _cls(SPACES), _cls(BREAKS), _cls(DIGITS)
_P = _cls(PUNCTS)
_TOKEN = re.compile(
    f"(?P<gap>[{_S}{_N}{_I}]+)|(?P<num>[{_D}][{_D}{_I}]{{0,{TOKEN_MAX - 1}}})"
    f"|(?P<pun>(?P<one>[{_P}])(?P=one){{0,{TOKEN_MAX - 1}}})"
    f"|(?P<word>[^{_S}{_N}{_I}{_D}{_P}][^{_S}{_N}{_D}{_P}]{{0,{TOKEN_MAX - 1}}})")
_BREAK_RE = re.compile(f"[{_N}]")
_SPACE_RE = re.compile(f"[{_S}{_N}]")
_IGNORED_RE = re.compile(f"[{_I}]")


def tokenize(text):
    """List of (start, end, kind, space_before); a BREAK's flag says whether it holds two or more."""
    out = []
    space = True
    for m in _TOKEN.finditer(text):
        kind = m.lastgroup if m.lastgroup != "one" else "pun"
        if kind == "gap":
            gap = m.group()
            n = len(_BREAK_RE.findall(gap))
            if n:
                out.append((m.start(), m.end(), BREAK, n > 1))
                space = True
            elif _SPACE_RE.search(gap):
                space = True
            continue
        out.append((m.start(), m.end(), WORD if kind == "word" else NUMBER if kind == "num" else PUNCT, space))
        space = False
    return out


# --- hashes ------------------------------------------------------------------------------------

M32 = 0xFFFFFFFF


def mix(h):
    h ^= h >> 16
    h = h * 0x85EBCA6B & M32
    h ^= h >> 13
    h = h * 0xC2B2AE35 & M32
    return h ^ (h >> 16)


def hash_points(seed, points):
    h = 0x811C9DC5 ^ seed
    for cp in points:
        h = (h ^ cp) * 0x01000193 & M32
    return mix(h)


SEED_WORD, SEED_NUMBER, SEED_PUNCT, SEED_BREAK, SEED_GRAM3, SEED_GRAM4 = 1, 2, 3, 4, 5, 6

WORD_BITS = 15    # rows of the word table
GRAM_BITS = 16    # rows of the n-gram table; an index of 16 bits in the shards
SHAPE_ROWS = 256
FLAG_ROWS = 16    # lexicon flags
CLUSTER_ROWS = 1024


def folded(word):
    return tuple(fold(ord(c))[0] for c in _IGNORED_RE.sub("", word))


def word_hash(word):
    return hash_points(SEED_WORD, folded(word))


def _length_bucket(n):
    return 0 if n <= 1 else 1 if n == 2 else 2 if n == 3 else 3 if n <= 5 else 4 if n <= 8 else 5 if n <= 12 else 6


def _case_class(upper):
    """lower, Title, UPPER, single upper, MiXed, mIxed"""
    ups = sum(upper)
    if ups == 0:
        return 0
    if len(upper) == 1:
        return 3
    if ups == len(upper):
        return 2
    if upper[0]:
        return 1 if ups == 1 else 4
    return 5


@functools.lru_cache(maxsize=1 << 20)
def features(token, kind, flag):
    """(hash, word rows, n-gram rows, shape row) of a token."""
    if kind == BREAK:
        h = hash_points(SEED_BREAK, (int(flag),))
        return h, _rows(h), (), 206 + int(flag)
    if kind == PUNCT:
        h = hash_points(SEED_PUNCT, (fold_punct(ord(token[0])),))
        return h, _rows(h), (), 200 + 2 * (min(len(token), 3) - 1) + int(flag)
    points = _IGNORED_RE.sub("", token)
    if kind == NUMBER:
        digits = [ord(c) if ord(c) < 0x80 else ord(c) - 0xFF10 + 0x30 for c in points]
        n = min(len(digits), 8)
        h = hash_points(SEED_NUMBER, digits if len(digits) <= 4 else (n,))
        return h, _rows(h), (), 168 + ((n - 1) * 2 + (digits[0] == 0x30)) * 2 + int(flag)
    pairs = [fold(ord(c)) for c in points]
    letters = [p[0] for p in pairs]
    h = hash_points(SEED_WORD, letters)
    framed = [0x3C] + letters[:FOLD_MAX] + [0x3E]
    grams = [hash_points(SEED_GRAM3, framed[i:i + 3]) & ((1 << GRAM_BITS) - 1) for i in range(len(framed) - 2)]
    grams += [hash_points(SEED_GRAM4, framed[i:i + 4]) & ((1 << GRAM_BITS) - 1) for i in range(len(framed) - 3)]
    plain = all(ord(c) < 0x80 for c in token)
    shape = ((_case_class([p[1] for p in pairs]) * 7 + _length_bucket(len(letters))) * 2 + (not plain)) * 2 + int(flag)
    return h, _rows(h), tuple(grams), shape


def _rows(h):
    return h & ((1 << WORD_BITS) - 1), mix(h ^ 0x9E3779B9) & ((1 << WORD_BITS) - 1)
