"""Expands the patterns of patterns/<lang>.txt into labelled text.

A pattern is one line: text with `[a|b|]` choices (nested) and `{slot}` values, `\\n` for a line break.  A line
`= genre weight` starts a section.  Slots `p`, `q`, `r` are persons, the same throughout a document.
"""

import functools
import pathlib
import random
import re

from . import fillers, medical, words
from .identity import Person

SLOT = re.compile(r"\{([a-z][a-zA-Z0-9_.:]*)\}")


class Document:
    def __init__(self, rng, lang):
        self.rng, self.lang = rng, lang
        self.text, self.spans, self.people = "", [], {}

    def put(self, s, label=None):
        if label and s:
            self.spans.append((len(self.text), len(self.text) + len(s), label))
        self.text += s

    def person(self, key):
        if key not in self.people:
            self.people[key] = Person(self.rng, self.lang)
        return self.people[key]


def _person_slot(doc, person, field):
    rng = doc.rng
    if field == "":
        return doc.put(person.mention(), "PERSON")
    names = {"full": person.full, "inv": person.inverted, "init": person.initial}
    if field in names:
        return doc.put(names[field](), "PERSON")
    if field in ("first", "last"):
        return doc.put(getattr(person, field), "PERSON")
    if field == "upper":
        return doc.put(person.full().upper(), "PERSON")
    if field == "T":
        return doc.put(person.title())
    if field == "Tname":
        doc.put(person.title() + " ")
        return doc.put(rng.choice([person.last, person.last, person.full()]), "PERSON")
    if field == "dob":
        return doc.put(fillers.date(rng, doc.lang, person.born), "DATE")
    if field == "age":
        before, inner, after = fillers.age_phrase(rng, doc.lang, person.age)
        doc.put(before)
        doc.put(inner, "AGE")
        return doc.put(after)
    if field == "n":
        return doc.put(str(person.age), "AGE")
    if field == "job":
        return doc.put(person.job, "OCCUPATION")
    if field == "email":
        return doc.put(person.email(), "EMAIL")
    if field == "user":
        return doc.put(person.user())
    if field == "he":
        return doc.put({"en": "he she", "de": "er sie", "fr": "il elle", "es": "él ella", "it": "lui lei"}[doc.lang].split()[person.gender == "f"])
    if field == "his":
        return doc.put({"en": "his her", "de": "sein ihr", "fr": "son son", "es": "su su", "it": "suo suo"}[doc.lang].split()[person.gender == "f"])
    raise ValueError(field)


def _value_slot(doc, name, arg):
    rng, lang = doc.rng, doc.lang
    labelled = {
        "city": lambda: (words.city(rng, lang), "LOCATION"),
        "country": lambda: (rng.choice(words.COUNTRIES[lang].split("|")), "LOCATION"),
        "region": lambda: (rng.choice(words.regions(lang)), "LOCATION"),
        "company": lambda: (fillers.company(rng, lang), "ORG"),
        "hospital": lambda: (fillers.templated_org(rng, lang, fillers.HOSPITAL), "ORG"),
        "school": lambda: (fillers.templated_org(rng, lang, fillers.SCHOOL), "ORG"),
        "club": lambda: (fillers.templated_org(rng, lang, fillers.CLUB), "ORG"),
        "firm": lambda: (fillers.templated_org(rng, lang, fillers.FIRM), "ORG"),
        "lawfirm": lambda: (fillers.templated_org(rng, lang, fillers.LAWFIRM), "ORG"),
        "date": lambda: (fillers.date(rng, lang), "DATE"),
        "daten": lambda: (fillers.numeric_date(rng, lang, fillers.some_day(rng)), "DATE"),
        "datew": lambda: (fillers.word_date(rng, lang, fillers.some_day(rng)), "DATE"),
        "street": lambda: (fillers.street(rng, lang), "ADDRESS"),
        "streetline": lambda: (fillers.street_line(rng, lang), "ADDRESS"),
        "addr": lambda: ("".join(fillers.address(rng, lang, words.city(rng, lang))), "ADDRESS"),
        "zip": lambda: (fillers.zipcode(rng, lang), "ADDRESS"),
        "phone": lambda: (fillers.phone(rng, lang), "PHONE"),
        "id": lambda: (fillers.identifier(rng, arg), "ID"),
        "secret": lambda: (fillers.secret(rng), "SECRET"),
        "nat": lambda: (rng.choice(words.NATIONS[lang].split()), "NRP"),
        "url": lambda: (fillers.url(rng, doc.person("p").user()), "URL"),
        "job": lambda: (rng.choice(words.JOBS[lang].split("|")), "OCCUPATION"),
        "fame": lambda: (Person(rng, lang).last, None),  # a name that names no person: of a prize, a law, a street kind
        "heading": lambda: (rng.choice(medical.HEADINGS[lang].split("|")), None),
        "finding": lambda: (rng.choice(medical.FINDINGS[lang].split("|")), None),
        "drug": lambda: (rng.choice(fillers.DRUGS), None),
        "eponym": lambda: (rng.choice(fillers.EPONYM_WORDS.get(lang, ";".join(fillers.EPONYMS)).split(";")), None),
        "tech": lambda: (rng.choice(fillers.TECH), None),
        "concept": lambda: (rng.choice(fillers.CONCEPTS[lang].split("|")), None),
        "lab": lambda: (fillers.lab(rng), None),
        "weekday": lambda: (rng.choice(fillers.WEEKDAYS[lang]), None),
        "month": lambda: (rng.choice(fillers.MONTHS[lang]), None),
        "time": lambda: (rng.choice([f"{rng.randint(1, 12)}:{rng.randint(0, 59):02}", f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"]), None),
        "money": lambda: (rng.choice(["${}", "{} €", "€{}", "£{}", "{} EUR", "CHF {}"]).format(rng.choice(
            [rng.randint(5, 999), f"{rng.randint(1, 99)},{rng.randint(100, 999)}", f"{rng.randint(5, 999)}.{rng.randint(10, 99)}"])), None),
        "int": lambda: (str(rng.randint(*[int(x) for x in (arg or "1:20").split(":")])), None),
        "version": lambda: (f"{rng.randint(0, 20)}.{rng.randint(0, 20)}" + rng.choice(["", f".{rng.randint(0, 40)}"]), None),
        "hex": lambda: ("".join(rng.choice("0123456789abcdef") for _ in range(rng.choice([7, 12, 32, 40]))), None),
        "code": lambda: (fillers.letters(rng, 1) + fillers.digits(rng, 2) + rng.choice(["", "." + fillers.digits(rng, 1)]), None),
    }
    text, label = labelled[name]()
    doc.put(text, label)


def _choices(pattern, rng):
    """Resolves [a|b] from the inside out."""
    while True:
        m = re.search(r"\[([^\[\]]*\|[^\[\]]*)\]", pattern)
        if not m:
            return pattern
        pattern = pattern[:m.start()] + rng.choice(m.group(1).split("|")) + pattern[m.end():]


def expand(doc, pattern):
    pattern = _choices(pattern, doc.rng).replace("\\n", "\n")
    at = 0
    for m in SLOT.finditer(pattern):
        doc.put(pattern[at:m.start()])
        head, _, rest = m.group(1).partition(".")
        if head in ("p", "q", "r", "s"):
            _person_slot(doc, doc.person(head), rest)
        else:
            name, _, arg = m.group(1).partition(":")
            _value_slot(doc, name, arg)
        at = m.end()
    doc.put(pattern[at:])


@functools.lru_cache(None)
def patterns(lang):
    """{genre: (weight, [pattern])}"""
    out, genre = {}, None
    path = pathlib.Path(__file__).parent / "patterns" / f"{lang}.txt"
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("= "):
            _, genre, weight = line.split()
            out[genre] = (float(weight), [])
        elif line.strip() and not line.startswith("#"):
            out[genre][1].append(line)
    return out


def document(rng, lang):
    doc = Document(rng, lang)
    table = patterns(lang)
    genre = rng.choices(list(table), [w for w, _ in table.values()])[0]
    lines = table[genre][1]
    many = 1 if genre in ("form", "mail", "data", "command") else rng.choice([1, 1, 2, 3, 4])
    for i in range(many):
        if i:
            doc.put(rng.choice([" ", " ", " ", "\n", "\n\n", "\n- "]))
        expand(doc, rng.choice(lines))
        if rng.random() < 0.5:
            doc.people = {}
    return doc.text, doc.spans


def documents(seed, lang):
    rng = random.Random(f"{seed}:{lang}")
    while True:
        yield document(rng, lang)
