/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/names/lexicon.h"

#include "text/fold.h"
#include "text/utf8.h"

/* A slot is the upper bits of the hash, then languages, then flags. */
#define LEXICON_TAG_SHIFT 40

#include "detect/lexicon.inc"

uint64_t sotto_lexicon_find(uint64_t hash)
{
    hash ^= hash >> 32;
    hash *= 0x9e3779b97f4a7c15U;
    hash ^= hash >> 29;
    size_t at = (size_t)hash & (LEXICON_SIZE - 1);
    uint64_t slot;
    while ((slot = lexicon_slots[at]) != 0) {
        if (slot >> LEXICON_TAG_SHIFT == hash >> LEXICON_TAG_SHIFT) {
            return slot & (((uint64_t)1 << LEXICON_TAG_SHIFT) - 1);
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
    return (uint32_t)sotto_lexicon_find(hash);
}
