# SPDX-License-Identifier: Apache-2.0
"""Writes tokens as models were seen to write placeholders.

tests/vault/mangler.c has the same forms under the same names; there the header says what the
marks ($W, $C ...) stand for.
"""

import random
import re

SYMBOLS = "23456789BCDFGHJKLMNPQRSTVWXYZ"
WORDS = ("PERSON", "LOCATION", "ADDRESS", "ORG", "DATE", "AGE", "OCCUPATION", "NRP", "PHONE", "EMAIL",
         "URL", "ID", "SECRET")
CODE_LEN = 9
TOKEN = re.compile("(%s)([%s]{%d})" % ("|".join(WORDS), SYMBOLS, CODE_LEN))

# name: (form, what a restorer makes of it; None: it stays as it is)
FORMS = {
    "as issued": ("$W$C", "$V"),
    "lower case": ("$w$c", "$V"),
    "title case": ("$T$C", "$V"),
    "title case, code in lower case": ("$T$c", "$V"),
    "code in lower case": ("$W$c", "$V"),
    "space": ("$W $C", "$V"),
    "hyphen": ("$W-$C", "$V"),
    "underscore": ("$W_$C", "$V"),
    "title case and space": ("$T $C", "$V"),
    "lower case and hyphen": ("$w-$c", "$V"),
    "underscore, Markdown escape": ("$W\\_$C", "$V"),
    "hyphen, Markdown escape": ("$W\\-$C", "$V"),
    "underscore, HTML escape": ("$W&#95;$C", "$V"),
    "hyphen, HTML escape": ("$W&#45;$C", "$V"),
    "space, HTML escape": ("$W&nbsp;$C", "$V"),
    "space, URL escape": ("$W%20$C", "$V"),
    "hyphen, URL escape": ("$W%2D$C", "$V"),
    "underscore, URL escape": ("$W%5F$C", "$V"),
    "no-break space": ("$W\u00a0$C", "$V"),
    "non-breaking hyphen": ("$W\u2011$C", "$V"),
    "en dash": ("$W\u2013$C", "$V"),
    "zero-width space": ("$W\u200b$C", "$V"),
    "zero-width joiner": ("$W\u200d$C", "$V"),
    "soft hyphen": ("$W\u00ad$C", "$V"),
    "hyphen in the code": ("$W$1$2$3$4-$5$6$7$8$9", "$V"),
    "two hyphens": ("$W-$1$2$3$4-$5$6$7$8$9", "$V"),
    "groups of three": ("$W $1$2$3 $4$5$6 $7$8$9", "$V"),
    "spelled out": ("$W $1 $2 $3 $4 $5 $6 $7 $8 $9", "$V"),
    "soft hyphen in the code": ("$W$1$2$3\u00ad$4$5$6$7$8$9", "$V"),
    "bold": ("**$W$C**", "**$V**"),
    "italic": ("_$W$C_", "_$V_"),
    "bold, with a space": ("**$W $C**", "**$V**"),
    "backticks": ("`$W$C`", "`$V`"),
    "bold word": ("**$W** $C", "**$V**"),
    "bold code": ("$W **$C**", "**$V**"),
    "bold word and bold code": ("**$W** **$C**", "**$V**"),
    "word in backticks": ("`$W` $C", "`$V`"),
    "code in backticks": ("$W `$C`", "`$V`"),
    "bold word, lower case": ("**$w** $c", "**$V**"),
    "brackets": ("[$W$C]", "[$V]"),
    "double brackets": ("[[$W$C]]", "[[$V]]"),
    "braces": ("{{$W$C}}", "{{$V}}"),
    "angle brackets": ("<$W$C>", "<$V>"),
    "angle brackets, lower case, space": ("<$w $c>", "<$V>"),
    "angle brackets, HTML escape": ("&lt;$W$C&gt;", "&lt;$V&gt;"),
    "angle brackets, JSON escape": ("\\u003c$W$C\\u003e", "\\u003c$V\\u003e"),
    "quotes": ("\"$W$C\"", "\"$V\""),
    "German quotes": ("\u201e$W$C\u201c", "\u201e$V\u201c"),
    "French quotes": ("\u00ab\u00a0$W$C\u00a0\u00bb", "\u00ab\u00a0$V\u00a0\u00bb"),
    "smart quotes": ("\u2018$W$C\u2019", "\u2018$V\u2019"),
    "possessive": ("$W$C's", "$V's"),
    "possessive, smart": ("$W$C\u2019s", "$V\u2019s"),
    "German genitive": ("$W$Cs", "$Vs"),
    "plural": ("$W$Ces", "$Ves"),
    "case ending": ("$W$C-nak", "$V-nak"),
    "title case, genitive": ("$T$Cs", "$Vs"),
    "digits behind it": ("$W$C1984", "$V1984"),
    "inside a word": ("x$W$Cx", "x$Vx"),
    "Markdown link": ("[$W$C](https://example.com/$W$C)", "[$V](https://example.com/$V)"),
    "Markdown link reference": ("[$W$C][1]", "[$V][1]"),
    "in a URL": ("https://example.com/?q=$W$C&r=1", "https://example.com/?q=$V&r=1"),
    "in a URL, between escapes": ("?q=%20$W$C%20", "?q=%20$V%20"),
    "after a newline escape": ("\\n$W$C\\n", "\\n$V\\n"),
    "twice": ("$W$C$W$C", "$V$V"),
    "merged with another": ("$W$C and 2", "$V and 2"),
    "in an HTML element": ("<b>$W$C</b>", "<b>$V</b>"),
    "in an HTML attribute": ("<a title=\"$W$C\">", "<a title=\"$V\">"),
    "one wrong symbol": ("$W$X", "$V"),
    "one letter that is no symbol": ("$W$Z", "$V"),
    "one wrong symbol and a hyphen": ("$W-$X", "$V"),
    "one wrong symbol and a possessive": ("$W$X's", "$V's"),
    "one wrong symbol and a genitive": ("$W$Xs", "$Vs"),
    "one wrong symbol, bold": ("**$W$X**", "**$V**"),
    "label translated": ("PERSOON_$C", None),
    "label translated, one word": ("PERSONNE$C", None),
    "label alone": ("$W", None),
    "code alone": ("$C", None),
    "counter": ("$W_1", None),
    "counter in angle brackets": ("<$W_1>", None),
    "number": ("$W 01", None),
    "initials": ("P.1", None),
    "not issued": ("$W$N", None),
    "not issued, lower case, space": ("$w $N", None),
    "cut off": ("$W$1$2$3$4$5$6$7$8", None),
    "cut off before a word": ("$W$1$2$3$4$5$6$7$8 $9a", None),
    "cut off before a wrong symbol": ("$W$1$2$3$4$5$6$7$8 E", None),
    "two wrong symbols": ("$W$Y", None),
    "two neighbours swapped": ("$W$S", None),
    "one wrong symbol, word in lower case": ("$w$X", None),
    "one wrong symbol, word in title case": ("$T$X", None),
    "one wrong symbol and a longer code": ("$W$X7", None),
    "one wrong symbol, inside a word": ("x$W$X", None),
    "lower case, inside a word": ("x$w$c", None),
    "line break between": ("$W\n$C", None),
    "full stop between": ("$W.$C", None),
    "colon between": ("$W: $C", None),
}
RESTORES = [name for name, (_, want) in FORMS.items() if want is not None]
STAYS = [name for name, (_, want) in FORMS.items() if want is None]


def check(code):
    """The check symbol for eight symbols."""
    total = sum((i + 1) * SYMBOLS.index(c) for i, c in enumerate(code[:8]))
    return SYMBOLS[-total * pow(9, -1, 29) % 29]


def valid(token):
    """Whether `token` is well-formed, whoever issued it."""
    match = TOKEN.fullmatch(token)
    return bool(match) and match[2][8] == check(match[2])


def changed(code, kind, rng):
    symbols = list(code)
    at = rng.randrange(CODE_LEN)
    if kind in "XY":
        symbols[at] = rng.choice([c for c in SYMBOLS if c != symbols[at]])
    if kind == "Y":
        symbols[(at + rng.randrange(1, CODE_LEN)) % CODE_LEN] = "A"
    if kind == "Z":
        symbols[at] = rng.choice("AEIOU01")
    if kind == "S":
        at = next((i for i in range(CODE_LEN - 1) if symbols[i] != symbols[i + 1]), 0)
        symbols[at], symbols[at + 1] = symbols[at + 1], symbols[at]
    return "".join(symbols)


def fill(form, token, value, rng):
    match = TOKEN.fullmatch(token)
    word, code = match[1], match[2]

    def mark(found):
        kind = found[1]
        if kind == "V":
            return value
        if kind in "WwT":
            return {"W": word, "w": word.lower(), "T": word.capitalize()}[kind]
        if kind.isdigit():
            return code[int(kind) - 1]
        if kind == "N":
            other = "".join(rng.choice(SYMBOLS) for _ in range(8))
            return other + check(other)
        return code.lower() if kind == "c" else changed(code, kind, rng)

    return re.sub(r"\$(.)", mark, form)


def mangle(text, tokens, form, seed=0):
    """`text` with each of `tokens` (None: whatever is a well-formed token) written in a form."""
    rng = random.Random(seed)

    def rewrite(match):
        token = match[0]
        if token not in tokens if tokens is not None else not valid(token):
            return token
        return fill(FORMS[form][0], token, "", rng)

    return TOKEN.sub(rewrite, text)


def expected(text, values, form, seed=0):
    """What a client is to see of mangle(text, values, form, seed); `values`: token -> value."""
    rng = random.Random(seed)

    def rewrite(match):
        token = match[0]
        if token not in values:
            return token
        before, want = FORMS[form]
        mangled = fill(before, token, "", rng)
        return mangled if want is None else fill(want, token, values[token], rng)

    return TOKEN.sub(rewrite, text)


def self_test():
    token = "PERSON" + "4KQ7XM2B" + check("4KQ7XM2B")
    assert valid(token) and not valid(token[:-1] + "A")
    text = f"a {token} b"
    for form, (_, want) in FORMS.items():
        once, again = mangle(text, [token], form, 7), mangle(text, [token], form, 7)
        assert once == again, form
        seen = expected(text, {token: "Ann"}, form, 7)
        assert (seen == once) == (want is None) and ("Ann" in seen) == (want is not None), form
    assert mangle(text, [], "space") == text
    print("1..1\nok 1 - every form is made, and the same for the same seed")


if __name__ == "__main__":
    self_test()
