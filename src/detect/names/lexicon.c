/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/lexicon.h"

#include "text/fold.h"
#include "text/utf8.h"

struct lexicon_slot {
    uint32_t tag; /* upper half of the hash */
    uint32_t flags;
};

#include "lexicon.inc"

uint32_t sotto_lexicon_find(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0x9e3779b97f4a7c15U;
    hash ^= hash >> 29;
    size_t at = (size_t)hash & (LEXICON_SIZE - 1);
    uint32_t tag = (uint32_t)(hash >> 32);
    while (lexicon_slots[at].flags != 0) {
        if (lexicon_slots[at].tag == tag) {
            return lexicon_slots[at].flags;
        }
        at = (at + 1) & (LEXICON_SIZE - 1);
    }
    return 0;
}

uint32_t sotto_lexicon_word(sotto_span word)
{
    uint64_t hash = SOTTO_LEXICON_EMPTY;
    for (size_t at = 0; at < word.len;) {
        uint32_t c = sotto_utf8_next(word, &at);
        if ((sotto_char_classes(c) & (SOTTO_CHAR_HIDDEN | SOTTO_CHAR_MARK)) == 0) {
            hash = sotto_lexicon_add(hash, sotto_fold(c));
        }
    }
    return sotto_lexicon_find(hash);
}
