"""Other names in texts that people labelled: what stands around a name stays, the name has never been seen.

A word of a person's name becomes the same other word throughout a record; so does a town.
"""

import re

from . import text
from .flags import FLAG
from .generate import words
from .generate.identity import Person
from .noise import edit

SHARE = 0.45  # of the records
_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*")
_NUMERAL = re.compile(r"[IVX]+$")
_PARTICLES = frozenset("de del della delle dei degli di da du des la le les los las lo van von der den ten ter zu zur vom und et y e i al el bin ibn".split())
_FIRST = FLAG["FIRST"] | FLAG["FIRST_TOP"]
_LAST = FLAG["LAST"] | FLAG["LAST_TOP"]
_TOWN = FLAG["CITY"] | FLAG["CITY_BIG"]


class _Names:
    """What each word of one record becomes."""

    def __init__(self, rng, lang, lexicon):
        self.rng, self.lang, self.lexicon, self.known = rng, lang, lexicon, {}

    def flags(self, word):
        return self.lexicon.get(text.word_hash(word))[0]

    def _made(self, word, last):
        key = word.lower()
        if key not in self.known:
            person = Person(self.rng, self.lang)
            self.known[key] = person.last if last else person.first
        return self.known[key]

    def person(self, word, last):
        """None: the word stays."""
        flags = self.flags(word)
        if len(word) < 2 or _NUMERAL.match(word) or word.lower() in _PARTICLES or flags & FLAG["NRP"]:
            return None
        if flags & (FLAG["COMMON"] | FLAG["TITLE"]) and not flags & (_FIRST | _LAST):
            return None
        end = "s" if self.lang == "de" and word[-1] == "s" and not flags & _LAST and self.flags(word[:-1]) & _LAST else ""
        return _as(word, self._made(word[:-1] if end else word, last) + end)

    def place(self, word):
        flags = self.flags(word)
        if not flags & _TOWN or flags & FLAG["COUNTRY"] or len(word) < 3:
            return None
        key = word.lower()
        if key not in self.known:
            made = words.babbler("city", self.lang).word(self.rng) if self.rng.random() < 0.25 else words.city(self.rng, self.lang)
            self.known[key] = made
        return _as(word, self.known[key])


def _as(word, made):
    return made.upper() if word.isupper() else made.lower() if word.islower() else made


def _person(names, source, a, b):
    found = list(_WORD.finditer(source, a, b))
    cased = any(not m.group().islower() for m in found)
    for m in found:
        if cased and m.group().islower():
            continue
        flags = names.flags(m.group())
        last = m is found[-1] and (len(found) > 1 or not flags & _FIRST)
        yield m, names.person(m.group(), last)


def _place(names, source, a, b):
    m = _WORD.fullmatch(source, a, b)
    if m:
        yield m, names.place(m.group())


def apply(rng, source, spans, lang, lexicon):
    """(text, spans) with other names, or the same: only some records change."""
    if rng.random() >= SHARE:
        return source, spans
    names, edits = _Names(rng, lang, lexicon), []
    for a, b, label in spans:
        if label in ("PERSON", "LOCATION"):
            for m, made in (_person if label == "PERSON" else _place)(names, source, a, b):
                if made:
                    edits.append((m.start(), m.end() - m.start(), made))
    return edit(source, spans, edits)
