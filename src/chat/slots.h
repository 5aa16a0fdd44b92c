/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_CHAT_SLOTS_H
#define SOTTO_CHAT_SLOTS_H

/*
 * The text slots of a request: every string that a provider would read as text, with its place.
 *
 * Everything is a slot but a short list of structural strings: `model`, roles, types, ids, names of
 * functions and of properties, and settings with fixed words.  Strings in fields that nobody knew
 * when this was written are slots.  JSON inside a string (arguments of tool calls, results of
 * tools) is opened: its keys, strings and long numbers are slots of their own and the string is
 * written anew by sotto_slots_finish().
 */

#include "chat/call.h"
#include "json/json.h"

/** Most slots of a request; more are refused. */
#define SOTTO_SLOTS_MAX 1000000

/** A number in embedded JSON is a slot from this many digits on: it may be a phone or an account. */
#define SOTTO_SLOTS_NUMBER_DIGITS 6

enum sotto_slot_kind {
    SOTTO_SLOT_TEXT,   /* a string value */
    SOTTO_SLOT_KEY,    /* a key of embedded JSON */
    SOTTO_SLOT_NUMBER, /* a number of embedded JSON; replaced by a string */
    SOTTO_SLOT_USER,   /* an identifier of the end user: `user`, `safety_identifier` */
};

/** Content that detection cannot read; bits. */
enum sotto_unprotected {
    SOTTO_UNPROTECTED_IMAGE = 1,
    SOTTO_UNPROTECTED_AUDIO = 2,
    SOTTO_UNPROTECTED_FILE = 4,
};

#define SOTTO_SLOT_NO_MESSAGE UINT32_MAX

struct sotto_slot {
    yyjson_mut_val *val; /* what is replaced */
    sotto_span context;  /* the key over the value, which says what it is; may be empty */
    const char *field;   /* static: the field it stands in, "content", "arguments" */
    uint32_t message;    /* index in `messages`, or SOTTO_SLOT_NO_MESSAGE */
    uint32_t home;       /* document of `val`: 0 the request, i + 1 embedded document i */
    uint8_t kind;        /* enum sotto_slot_kind */
    bool from_user;      /* in a message of role user */
};

/** JSON that was opened inside a string. */
struct sotto_embedded {
    yyjson_mut_doc *doc; /* owned */
    yyjson_mut_val *val; /* the string that held it */
    uint32_t home;       /* document of `val`, as in a slot */
    bool changed;        /* a slot in it was set */
};

/** Zero-initialised is empty and valid. */
struct sotto_slots {
    yyjson_mut_doc *doc; /* borrowed: the request */
    struct sotto_slot *items;
    size_t count, cap;
    struct sotto_embedded *embedded;
    size_t embedded_count, embedded_cap;
    unsigned unprotected;         /* bits of enum sotto_unprotected */
    uint32_t unprotected_message; /* the first message with such content */
};

/**
 * Collects the slots of a request.
 *
 * @param kind       shape of the document
 * @param max_depth  greatest nesting of embedded JSON; deeper strings count as plain text
 * @param[out] out   empty before; the slots point into `doc`, which must not be freed before
 *
 * @retval SOTTO_ELIMIT  more than SOTTO_SLOTS_MAX
 * @retval SOTTO_ENOMEM  in both cases `out` is to be freed
 */
SOTTO_MUST_CHECK enum sotto_err sotto_slots_collect(yyjson_mut_doc *doc, enum sotto_call_kind kind,
                                                    size_t max_depth, struct sotto_slots *out);

/** The text of a slot, valid until it is set. */
static inline sotto_span sotto_slot_text(const struct sotto_slot *slot)
{
    return sotto_json_text(slot->val);
}

/** Replaces the text of slot `i` by a copy of `text`.  @retval SOTTO_ENOMEM  unchanged */
SOTTO_MUST_CHECK enum sotto_err sotto_slots_set(struct sotto_slots *slots, size_t i,
                                                sotto_span text);

/** Writes embedded JSON that was changed back into the strings that held it.  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_slots_finish(struct sotto_slots *slots);

/** Wipes and frees the slots, not the document. */
void sotto_slots_free(struct sotto_slots *slots);

#endif
