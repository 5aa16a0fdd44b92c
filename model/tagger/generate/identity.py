"""One invented person: everything that a document says about them is consistent."""

import datetime
import unicodedata

from . import words

MAIL_HOSTS = {"en": "gmail.com yahoo.com outlook.com example.com mail.com company.com acme.co.uk", "de": "gmx.de web.de t-online.de firma.de",
              "fr": "orange.fr free.fr laposte.net wanadoo.fr", "es": "hotmail.com telefonica.net empresa.es correo.es",
              "it": "libero.it alice.it tiscali.it azienda.it"}


def plain(s):
    return "".join(c for c in unicodedata.normalize("NFD", s).lower() if c.isalnum() and c.isascii())


class Person:
    def __init__(self, rng, lang):
        self.rng, self.lang = rng, lang
        self.gender = rng.choice("mf")
        self.first, self.last, self.middle = self._names()
        self.age = rng.randint(18, 97) if rng.random() < 0.9 else rng.randint(1, 17)
        self.born = datetime.date(2025 - self.age, rng.randint(1, 12), rng.randint(1, 28))
        self.job = rng.choice(words.JOBS[lang].split("|"))

    def _names(self):
        rng, lang = self.rng, self.lang
        roll = rng.random()
        if roll < 0.18:
            firsts, lasts = rng.choice(words.foreign())
            first, last = rng.choice(firsts), rng.choice(lasts)
        else:
            first, last = rng.choice(words.first_names(lang, self.gender)), rng.choice(words.last_names(lang))
            if roll < 0.28:
                first = words.babbler("first", lang).word(rng)
            if 0.23 < roll < 0.42:
                last = words.babbler("last", lang).word(rng)
            if roll > 0.94:
                last = rng.choice(words.COMMON_NAMES[lang].split())
        if first.isupper():
            first = first.title()
        last = self._dress(last)
        middle = ""
        if rng.random() < 0.12:
            middle = rng.choice([rng.choice("ABCDEFGHJKLMNPRST") + rng.choice([".", ""]),
                                 rng.choice(words.first_names(lang, self.gender))])
        return first, last, middle

    def _dress(self, last):
        rng, lang = self.rng, self.lang
        if lang == "es" and rng.random() < 0.6:
            return last + rng.choice([" ", " ", " ", " y ", "-"]) + rng.choice(words.last_names(lang))
        if words.PARTICLES[lang] and rng.random() < 0.06:
            p = rng.choice(words.PARTICLES[lang])
            return p + ("" if p.endswith("'") else " ") + last
        if rng.random() < 0.05:
            return last + "-" + rng.choice(words.last_names(lang))
        return last

    def full(self):
        rng, parts = self.rng, [self.first]
        if rng.random() < 0.07:  # T. S. Last, C. Raymond Last
            one, two = (rng.choice("ABCDEFGHJKLMNPRSTW") for _ in range(2))
            return rng.choice([f"{one}. {two}. {self.last}", f"{one}.{two}. {self.last}", f"{one}. {self.first} {self.last}",
                               f"{self.first} {one}. {two}. {self.last}", f"{one}. {self.last}", f"{one} {two} {self.last}"])
        if self.middle and rng.random() < 0.8:
            parts.append(self.middle)
        parts.append(self.last)
        if self.lang == "en" and rng.random() < 0.02:
            parts.append(rng.choice(["Jr.", "Sr.", "III", "II"]))
        return " ".join(parts)

    def initial(self):
        return self.first[0] + self.rng.choice([". ", ". ", "."]) + self.last

    def inverted(self):
        last = self.last.upper() if self.rng.random() < 0.35 else self.last
        first = self.first + (" " + self.middle if self.middle and self.rng.random() < 0.6 else "")
        return last + self.rng.choice([", ", ", ", ",", " "]) + first

    def mention(self):
        roll = self.rng.random()
        return (self.full() if roll < 0.55 else self.first if roll < 0.72 else self.last if roll < 0.8
                else self.initial() if roll < 0.88 else self.inverted() if roll < 0.91
                else self.full().upper() if roll < 0.94 else self.first + " " + self.last[0] + ".")

    def title(self):
        return self.rng.choice(words.TITLES[self.lang][self.gender].split())

    def user(self):
        rng, f, l = self.rng, plain(self.first), plain(self.last)
        n = rng.choice(["", "", str(rng.randint(1, 99)), str(self.born.year), str(self.born.year % 100)])
        return rng.choice([f + "." + l, f[:1] + l, f + l[:1], f + "_" + l, l + "." + f, f]) + n

    def email(self):
        rng = self.rng
        host = rng.choice((MAIL_HOSTS[self.lang] + " gmail.com outlook.com").split())
        if rng.random() < 0.3:
            host = plain(rng.choice(words.last_names(self.lang))) + rng.choice(
                [".com", ".org", ".net", "." + {"en": "co.uk"}.get(self.lang, self.lang), ".eu"])
        return self.user() + "@" + host
