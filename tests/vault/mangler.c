/* SPDX-License-Identifier: Apache-2.0 */

#include "vault/mangler.h"

#include <stdlib.h>

#include "base/compiler.h"
#include "vault/token.h"

static const char symbols[] = "23456789BCDFGHJKLMNPQRSTVWXYZ";

const struct mangle_form mangle_forms[] = {
    {"as issued", MANGLE_RESTORES, "$W$C", "$V"},
    {"lower case", MANGLE_RESTORES, "$w$c", "$V"},
    {"title case", MANGLE_RESTORES, "$T$C", "$V"},
    {"title case, code in lower case", MANGLE_RESTORES, "$T$c", "$V"},
    {"code in lower case", MANGLE_RESTORES, "$W$c", "$V"},
    {"space", MANGLE_RESTORES, "$W $C", "$V"},
    {"hyphen", MANGLE_RESTORES, "$W-$C", "$V"},
    {"underscore", MANGLE_RESTORES, "$W_$C", "$V"},
    {"title case and space", MANGLE_RESTORES, "$T $C", "$V"},
    {"lower case and hyphen", MANGLE_RESTORES, "$w-$c", "$V"},
    {"underscore, Markdown escape", MANGLE_RESTORES, "$W\\_$C", "$V"},
    {"hyphen, Markdown escape", MANGLE_RESTORES, "$W\\-$C", "$V"},
    {"underscore, HTML escape", MANGLE_RESTORES, "$W&#95;$C", "$V"},
    {"hyphen, HTML escape", MANGLE_RESTORES, "$W&#45;$C", "$V"},
    {"space, HTML escape", MANGLE_RESTORES, "$W&nbsp;$C", "$V"},
    {"space, URL escape", MANGLE_RESTORES, "$W%20$C", "$V"},
    {"hyphen, URL escape", MANGLE_RESTORES, "$W%2D$C", "$V"},
    {"underscore, URL escape", MANGLE_RESTORES, "$W%5F$C", "$V"},
    {"no-break space", MANGLE_RESTORES, "$W\xc2\xa0$C", "$V"},
    {"non-breaking hyphen", MANGLE_RESTORES, "$W\xe2\x80\x91$C", "$V"},
    {"en dash", MANGLE_RESTORES, "$W\xe2\x80\x93$C", "$V"},
    {"zero-width space", MANGLE_RESTORES, "$W\xe2\x80\x8b$C", "$V"},
    {"zero-width joiner", MANGLE_RESTORES, "$W\xe2\x80\x8d$C", "$V"},
    {"soft hyphen", MANGLE_RESTORES, "$W\xc2\xad$C", "$V"},
    {"hyphen in the code", MANGLE_RESTORES, "$W$1$2$3$4-$5$6$7$8$9", "$V"},
    {"two hyphens", MANGLE_RESTORES, "$W-$1$2$3$4-$5$6$7$8$9", "$V"},
    {"groups of three", MANGLE_RESTORES, "$W $1$2$3 $4$5$6 $7$8$9", "$V"},
    {"spelled out", MANGLE_RESTORES, "$W $1 $2 $3 $4 $5 $6 $7 $8 $9", "$V"},
    {"soft hyphen in the code", MANGLE_RESTORES, "$W$1$2$3\xc2\xad$4$5$6$7$8$9", "$V"},
    {"bold", MANGLE_RESTORES, "**$W$C**", "**$V**"},
    {"italic", MANGLE_RESTORES, "_$W$C_", "_$V_"},
    {"bold, with a space", MANGLE_RESTORES, "**$W $C**", "**$V**"},
    {"backticks", MANGLE_RESTORES, "`$W$C`", "`$V`"},
    {"bold word", MANGLE_RESTORES, "**$W** $C", "**$V**"},
    {"bold code", MANGLE_RESTORES, "$W **$C**", "**$V**"},
    {"bold word and bold code", MANGLE_RESTORES, "**$W** **$C**", "**$V**"},
    {"word in backticks", MANGLE_RESTORES, "`$W` $C", "`$V`"},
    {"code in backticks", MANGLE_RESTORES, "$W `$C`", "`$V`"},
    {"bold word, lower case", MANGLE_RESTORES, "**$w** $c", "**$V**"},
    {"brackets", MANGLE_RESTORES, "[$W$C]", "[$V]"},
    {"double brackets", MANGLE_RESTORES, "[[$W$C]]", "[[$V]]"},
    {"braces", MANGLE_RESTORES, "{{$W$C}}", "{{$V}}"},
    {"angle brackets", MANGLE_RESTORES, "<$W$C>", "<$V>"},
    {"angle brackets, lower case, space", MANGLE_RESTORES, "<$w $c>", "<$V>"},
    {"angle brackets, HTML escape", MANGLE_RESTORES, "&lt;$W$C&gt;", "&lt;$V&gt;"},
    {"angle brackets, JSON escape", MANGLE_RESTORES, "\\u003c$W$C\\u003e", "\\u003c$V\\u003e"},
    {"quotes", MANGLE_RESTORES, "\"$W$C\"", "\"$V\""},
    {"German quotes", MANGLE_RESTORES, "\xe2\x80\x9e$W$C\xe2\x80\x9c",
     "\xe2\x80\x9e$V\xe2\x80\x9c"},
    {"French quotes", MANGLE_RESTORES, "\xc2\xab\xc2\xa0$W$C\xc2\xa0\xc2\xbb",
     "\xc2\xab\xc2\xa0$V\xc2\xa0\xc2\xbb"},
    {"smart quotes", MANGLE_RESTORES, "\xe2\x80\x98$W$C\xe2\x80\x99", "\xe2\x80\x98$V\xe2\x80\x99"},
    {"possessive", MANGLE_RESTORES, "$W$C's", "$V's"},
    {"possessive, smart", MANGLE_RESTORES, "$W$C\xe2\x80\x99s", "$V\xe2\x80\x99s"},
    {"German genitive", MANGLE_RESTORES, "$W$Cs", "$Vs"},
    {"plural", MANGLE_RESTORES, "$W$Ces", "$Ves"},
    {"case ending", MANGLE_RESTORES, "$W$C-nak", "$V-nak"},
    {"title case, genitive", MANGLE_RESTORES, "$T$Cs", "$Vs"},
    {"digits behind it", MANGLE_RESTORES, "$W$C1984", "$V1984"},
    {"inside a word", MANGLE_RESTORES, "x$W$Cx", "x$Vx"},
    {"Markdown link", MANGLE_RESTORES, "[$W$C](https://example.com/$W$C)",
     "[$V](https://example.com/$V)"},
    {"Markdown link reference", MANGLE_RESTORES, "[$W$C][1]", "[$V][1]"},
    {"in a URL", MANGLE_RESTORES, "https://example.com/?q=$W$C&r=1",
     "https://example.com/?q=$V&r=1"},
    {"in a URL, between escapes", MANGLE_RESTORES, "?q=%20$W$C%20", "?q=%20$V%20"},
    {"after a newline escape", MANGLE_RESTORES, "\\n$W$C\\n", "\\n$V\\n"},
    {"twice", MANGLE_RESTORES, "$W$C$W$C", "$V$V"},
    {"merged with another", MANGLE_RESTORES, "$W$C and 2", "$V and 2"},
    {"in an HTML element", MANGLE_RESTORES, "<b>$W$C</b>", "<b>$V</b>"},
    {"in an HTML attribute", MANGLE_RESTORES, "<a title=\"$W$C\">", "<a title=\"$V\">"},
    {"one wrong symbol", MANGLE_RESTORES, "$W$X", "$V"},
    {"one letter that is no symbol", MANGLE_RESTORES, "$W$Z", "$V"},
    {"one wrong symbol and a hyphen", MANGLE_RESTORES, "$W-$X", "$V"},
    {"one wrong symbol and a possessive", MANGLE_RESTORES, "$W$X's", "$V's"},
    {"one wrong symbol and a genitive", MANGLE_RESTORES, "$W$Xs", "$Vs"},
    {"one wrong symbol, bold", MANGLE_RESTORES, "**$W$X**", "**$V**"},
    {"label translated", MANGLE_STAYS, "PERSOON_$C", NULL},
    {"label translated, one word", MANGLE_STAYS, "PERSONNE$C", NULL},
    {"label alone", MANGLE_STAYS, "$W", NULL},
    {"code alone", MANGLE_STAYS, "$C", NULL},
    {"counter", MANGLE_STAYS, "$W_1", NULL},
    {"counter in angle brackets", MANGLE_STAYS, "<$W_1>", NULL},
    {"number", MANGLE_STAYS, "$W 01", NULL},
    {"initials", MANGLE_STAYS, "P.1", NULL},
    {"not issued", MANGLE_STAYS, "$W$N", NULL},
    {"not issued, lower case, space", MANGLE_STAYS, "$w $N", NULL},
    {"cut off", MANGLE_STAYS, "$W$1$2$3$4$5$6$7$8", NULL},
    {"cut off before a word", MANGLE_STAYS, "$W$1$2$3$4$5$6$7$8 $9a", NULL},
    {"cut off before a wrong symbol", MANGLE_STAYS, "$W$1$2$3$4$5$6$7$8 E", NULL},
    {"two wrong symbols", MANGLE_STAYS, "$W$Y", NULL},
    {"two neighbours swapped", MANGLE_STAYS, "$W$S", NULL},
    {"one wrong symbol, word in lower case", MANGLE_STAYS, "$w$X", NULL},
    {"one wrong symbol, word in title case", MANGLE_STAYS, "$T$X", NULL},
    {"one wrong symbol and a longer code", MANGLE_STAYS, "$W$X7", NULL},
    {"one wrong symbol, inside a word", MANGLE_STAYS, "x$W$X", NULL},
    {"lower case, inside a word", MANGLE_STAYS, "x$w$c", NULL},
    {"line break between", MANGLE_STAYS, "$W\n$C", NULL},
    {"full stop between", MANGLE_STAYS, "$W.$C", NULL},
    {"colon between", MANGLE_STAYS, "$W: $C", NULL},
};
const size_t mangle_form_count = SOTTO_COUNT(mangle_forms);

static void push(struct sotto_buf *out, int c)
{
    if (sotto_buf_push(out, (uint8_t)c) != SOTTO_OK) {
        abort();
    }
}

static void push_span(struct sotto_buf *out, sotto_span s)
{
    if (sotto_buf_append(out, s) != SOTTO_OK) {
        abort();
    }
}

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c | 0x20 : c;
}

static char other_symbol(char c, uint32_t *seed)
{
    char other;
    do {
        other = symbols[mangle_random(seed) % (sizeof(symbols) - 1)];
    } while (other == c);
    return other;
}

static void change(char *code, char kind, uint32_t *seed)
{
    size_t at = mangle_random(seed) % SOTTO_TOKEN_CODE_LEN;
    switch (kind) {
    case 'X':
        code[at] = other_symbol(code[at], seed);
        break;
    case 'Y': {
        size_t next = (at + 1 + mangle_random(seed) % 8) % SOTTO_TOKEN_CODE_LEN;
        code[at] = other_symbol(code[at], seed);
        code[next] = 'A';
        break;
    }
    case 'Z':
        code[at] = "AEIOU01"[mangle_random(seed) % 7];
        break;
    case 'S':
        for (at = 0; at < SOTTO_TOKEN_CODE_LEN - 2 && code[at] == code[at + 1];) {
            at++;
        }
        kind = code[at];
        code[at] = code[at + 1];
        code[at + 1] = kind;
        break;
    default:
        break;
    }
}

static void put_code(char kind, sotto_span token, uint32_t *seed, struct sotto_buf *out)
{
    char code[SOTTO_TOKEN_MAX];
    sotto_span old = sotto_span_skip(token, token.len - SOTTO_TOKEN_CODE_LEN);
    memcpy(code, old.base, SOTTO_TOKEN_CODE_LEN);
    if (kind == 'N') {
        uint8_t chance[8];
        for (size_t i = 0; i < sizeof(chance); i++) {
            chance[i] = (uint8_t)mangle_random(seed);
        }
        char made[SOTTO_TOKEN_MAX];
        size_t len = sotto_token_make(0, chance, made);
        memcpy(code, made + len - SOTTO_TOKEN_CODE_LEN, SOTTO_TOKEN_CODE_LEN);
    }
    change(code, kind, seed);
    for (size_t i = 0; i < SOTTO_TOKEN_CODE_LEN; i++) {
        push(out, kind == 'c' ? lower(code[i]) : code[i]);
    }
}

static void put_word(char kind, sotto_span token, struct sotto_buf *out)
{
    size_t len = token.len - SOTTO_TOKEN_CODE_LEN;
    for (size_t i = 0; i < len; i++) {
        char c = (char)token.base[i];
        push(out, kind == 'w' || (kind == 'T' && i != 0) ? lower(c) : c);
    }
}

static void put_mark(char mark, sotto_span token, sotto_span value, uint32_t *seed,
                     struct sotto_buf *out)
{
    if (mark == 'V') {
        push_span(out, value);
    } else if (mark == 'W' || mark == 'w' || mark == 'T') {
        put_word(mark, token, out);
    } else if (mark >= '1' && mark <= '9') {
        push(out, (char)token.base[token.len - SOTTO_TOKEN_CODE_LEN + (size_t)(mark - '1')]);
    } else {
        put_code(mark, token, seed, out);
    }
}

static void put_form(const char *form, sotto_span token, sotto_span value, uint32_t *seed,
                     struct sotto_buf *out)
{
    for (; *form != '\0'; form++) {
        if (*form == '$' && form[1] != '\0') {
            put_mark(*++form, token, value, seed, out);
        } else {
            push(out, *form);
        }
    }
}

void mangle(const struct mangle_form *form, sotto_span token, sotto_span value, uint32_t *seed,
            struct sotto_buf *text, struct sotto_buf *want)
{
    size_t mark = text->len;
    put_form(form->text, token, value, seed, text);
    if (form->want != NULL) {
        put_form(form->want, token, value, seed, want);
    } else {
        push_span(want, sotto_span_skip(sotto_buf_span(text), mark));
    }
}
