/* SPDX-License-Identifier: Apache-2.0 */

#include "small_encoder.h"
#include "tap/tap.h"

#include "detect/ner/piece.h"
#include "detect/ner/token.h"

static struct sotto_ner_vocabulary vocabulary;

/* Pieces as text: "oka ##for"; numbers of those that are none of the vocabulary's. */
static const char *pieces(const char *text, uint8_t kind)
{
    static char out[256];
    uint16_t ids[SOTTO_NER_TOKEN_PIECES];
    size_t n = sotto_ner_pieces(&vocabulary, sotto_span_str(text), kind, ids), len = 0;

    out[0] = '\0';
    for (size_t i = 0; i < n && i < SOTTO_NER_TOKEN_PIECES; i++) {
        const char *gap = i == 0 ? "" : " ";
        if (ids[i] < 4) {
            len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%u", gap, ids[i]);
        } else {
            len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%s", gap,
                                    small_encoder_pieces[ids[i] - 4]);
        }
    }
    return out;
}

#define IS_PIECES(text, kind, want, why)                                                           \
    do {                                                                                           \
        const char *got_pieces = pieces(text, kind);                                               \
        IS_TEXT(got_pieces, strlen(got_pieces), want, why);                                        \
    } while (0)

static void test_words(void)
{
    IS_PIECES("dear", SOTTO_NER_WORD, "dear", "a word of one piece");
    IS_PIECES("Okafor", SOTTO_NER_WORD, "oka ##for", "two pieces, and lower case");
    IS_PIECES("abab", SOTTO_NER_WORD, "ab ##ab", "what continues is looked up as such");
    IS_PIECES("abcbcd", SOTTO_NER_WORD, "abc ##bcd", "the longest first");
    IS_PIECES("abcabc", SOTTO_NER_WORD, "abc ##abc", "the longest behind it, too");
    IS_PIECES("for", SOTTO_NER_WORD, "1", "a continuation begins nothing");
    IS_PIECES("dearx", SOTTO_NER_WORD, "1", "a rest that is no piece: all unknown");
    IS_PIECES("zzz", SOTTO_NER_WORD, "1", "unknown");
    IS_PIECES("\xc3\x89lod\xc3\xac\x65", SOTTO_NER_WORD, "1", "accents: the rest is none");
    IS_PIECES("\xc3\x89lod\xc3\xa8\xc3\xa9", SOTTO_NER_WORD, "elod ##e ##e", "accents are dropped");
    IS_PIECES("e\xcc\x81lod\xe2\x80\x8blie", SOTTO_NER_WORD, "elod ##lie",
              "combining marks and invisible signs are dropped");
    IS_PIECES("\xd0\xb0\xd0\xb0", SOTTO_NER_WORD, "a ##a", "letters that look Latin are Latin");
    IS_PIECES("", SOTTO_NER_WORD, "1", "nothing is unknown");
}

static void test_long(void)
{
    char text[101];

    memset(text, 'a', sizeof(text));
    text[12] = '\0';
    IS_PIECES(text, SOTTO_NER_WORD, "a ##a ##a ##a ##a ##a ##a ##a", "at most eight pieces");
    text[12] = 'z';
    text[13] = '\0';
    IS_PIECES(text, SOTTO_NER_WORD, "1", "what is left out is known all the same");
    memset(text, 'a', sizeof(text));
    text[64] = 'z';
    text[100] = '\0';
    IS_PIECES(text, SOTTO_NER_WORD, "a ##a ##a ##a ##a ##a ##a ##a",
              "what stands behind the longest token does not count");
}

static void test_others(void)
{
    IS_PIECES("1234", SOTTO_NER_NUMBER, "12 ##34", "a number");
    IS_PIECES("\xef\xbc\x91\xef\xbc\x90", SOTTO_NER_NUMBER, "1 ##0", "wide digits");
    IS_PIECES("7", SOTTO_NER_NUMBER, "1", "an unknown number");
    IS_PIECES("...", SOTTO_NER_PUNCT, ".", "of signs the first");
    IS_PIECES("\xe2\x80\x93", SOTTO_NER_PUNCT, "1", "a sign is as it stands");
    IS_PIECES("\n", SOTTO_NER_BREAK, "3", "a line break");
    IS_PIECES("\xff\xfe", SOTTO_NER_WORD, "1", "bytes that are no text");
}

int main(void)
{
    struct small_encoder e = small_encoder_new(3);
    struct sotto_ner_encoder_model m;

    if (sotto_ner_encoder_model_open(sotto_span_init(e.base, e.len), false, &m) != SOTTO_OK) {
        abort();
    }
    vocabulary = m.vocabulary;
    test_words();
    test_long();
    test_others();
    free(e.base);
    return done_testing();
}
