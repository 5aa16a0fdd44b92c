/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_SOTTO_H
#define SOTTO_SOTTO_H

/*
 * libsotto: finds personal data in texts, puts tokens in its place, and puts the values back.
 * The same detection, tokens and restoring as the gateway's; no network, no files, no threads.
 *
 *   engine          what is looked for: immutable, shared by all threads
 *   entities        what was found in one text
 *   conversation    a table of tokens and values; one thread at a time
 *   restorer        puts values back into a text that comes in pieces
 *
 * sotto/seal.h has the client's side of sealed conversations, sotto/proof.h the check of entries of
 * the audit log.
 *
 * Texts are UTF-8 with a length in bytes; offsets are bytes.  Whatever holds a text or a value is
 * wiped before its memory goes back.  Functions that can fail return an enum sotto_status; what
 * they put out is set only on SOTTO_STATUS_OK.  Functions that free accept NULL.
 *
 * Stable: every name is exported under a symbol version, and what this header says of one will not
 * change under it.  Structures that are passed in begin with their size.
 */

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#    define SOTTO_API         __attribute__((visibility("default")))
#    define SOTTO_API_CHECKED __attribute__((visibility("default"), warn_unused_result))
#else
#    define SOTTO_API
#    define SOTTO_API_CHECKED
#endif

/** Longest text that is taken. */
#define SOTTO_TEXT_MAX ((size_t)1 << 30)

/** Length of the key of a conversation. */
#define SOTTO_CONVERSATION_KEY_BYTES 32

enum sotto_status {
    SOTTO_STATUS_OK = 0,
    SOTTO_STATUS_MEMORY = 1, /* there is no memory */
    SOTTO_STATUS_TEXT = 2,   /* the text is not UTF-8 */
    SOTTO_STATUS_LIMIT = 3,  /* the text is too long */
    SOTTO_STATUS_OPTION = 4, /* an option is not one of those that are named here */
    SOTTO_STATUS_CRYPTO = 5, /* the cryptographic library failed */
    SOTTO_STATUS_ENDED = 6,  /* it has ended, or failed before */
    SOTTO_STATUS_FORMAT = 7, /* what came is not of the form that it should have */
    SOTTO_STATUS_REFUSED = 8 /* what came is not authentic: it must not be used */
};

/** Static text for a status; never NULL. */
SOTTO_API const char *sotto_status_text(enum sotto_status status);

/** "0.1.0"; static. */
SOTTO_API const char *sotto_library_version(void);

/* --- engine ----------------------------------------------------------------------------------- */

struct sotto_engine;

/** All members may be zero.  Lists and strings are borrowed for the call. */
struct sotto_engine_options {
    size_t size;          /* sizeof(struct sotto_engine_options) */
    const char *mode;     /* "standard", "hipaa", "gdpr", "sox": only what it replaces; NULL: all */
    const char *language; /* "en", "de", "fr", "es", "it"; NULL: guessed for each text */
    double threshold;     /* least score, 0 to 1; 0: each label's own */
    const char *const *allow; /* words that are never entities; ends with NULL; may be NULL */
    const char *const *deny;  /* words that always are (as ID); ends with NULL; may be NULL */
};

/**
 * @param options  NULL: all zero
 * @param out      freed with sotto_engine_free()
 *
 * Returns SOTTO_STATUS_OPTION, SOTTO_STATUS_MEMORY, SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_engine_new(const struct sotto_engine_options *options,
                                                     struct sotto_engine **out);

/** All entities and conversations of it must be gone. */
SOTTO_API void sotto_engine_free(struct sotto_engine *engine);

/* --- entities --------------------------------------------------------------------------------- */

struct sotto_entities;

/** One entity.  Later versions may append members. */
struct sotto_entity {
    size_t start;      /* in bytes */
    size_t end;        /* greater than start */
    const char *label; /* "PERSON", "EMAIL" ...; static */
    const char *type;  /* exact type, "US_SSN", or NULL; as long as the engine */
    const char *rule;  /* what found it; as long as the engine */
    double score;      /* 0 to 1 */
};

/**
 * Finds the entities of one text: sorted, without overlaps.
 *
 * @param text  borrowed for the call
 * @param out   freed with sotto_entities_free()
 *
 * Returns SOTTO_STATUS_TEXT, SOTTO_STATUS_LIMIT, SOTTO_STATUS_MEMORY.
 */
SOTTO_API_CHECKED enum sotto_status sotto_engine_detect(const struct sotto_engine *engine,
                                                        const char *text, size_t len,
                                                        struct sotto_entities **out);

SOTTO_API size_t sotto_entities_count(const struct sotto_entities *entities);

/** Number `i`, below the count; borrowed until the entities are freed. */
SOTTO_API const struct sotto_entity *sotto_entities_at(const struct sotto_entities *entities,
                                                       size_t i);

SOTTO_API void sotto_entities_free(struct sotto_entities *entities);

/* --- conversation ----------------------------------------------------------------------------- */

struct sotto_conversation;

/**
 * Starts a table of tokens.  The same key and name give a value the same token each time; another
 * key or name gives it another one.
 *
 * @param engine  borrowed; must outlive the conversation
 * @param key     SOTTO_CONVERSATION_KEY_BYTES secret bytes; NULL: random ones
 * @param name    what tells this conversation from others, `name_len` bytes; may be NULL with 0
 * @param out     freed with sotto_conversation_free()
 *
 * Returns SOTTO_STATUS_MEMORY, SOTTO_STATUS_CRYPTO.
 */
SOTTO_API_CHECKED enum sotto_status sotto_conversation_new(const struct sotto_engine *engine,
                                                           const unsigned char *key,
                                                           const char *name, size_t name_len,
                                                           struct sotto_conversation **out);

/** Forgets all values.  All restorers of it must be gone. */
SOTTO_API void sotto_conversation_free(struct sotto_conversation *conversation);

/**
 * Puts tokens in the place of the entities of a text.  No restorer of the conversation may be open.
 *
 * @param text     borrowed for the call
 * @param out      the new text, with a NUL behind it; freed with sotto_text_free()
 * @param out_len  its length without the NUL; may be NULL
 *
 * Returns as sotto_engine_detect(), and SOTTO_STATUS_CRYPTO.  On failure nothing is put out: the
 * text must not be sent.
 */
SOTTO_API_CHECKED enum sotto_status
sotto_conversation_redact(struct sotto_conversation *conversation, const char *text, size_t len,
                          char **out, size_t *out_len);

/** Puts the values back into a whole text; what was not issued here stays.  As for redacting. */
SOTTO_API_CHECKED enum sotto_status
sotto_conversation_restore(const struct sotto_conversation *conversation, const char *text,
                           size_t len, char **out, size_t *out_len);

/** How many tokens were issued. */
SOTTO_API size_t sotto_conversation_count(const struct sotto_conversation *conversation);

/** Wipes and frees a text that this library put out. */
SOTTO_API void sotto_text_free(char *text);

/* --- restorer --------------------------------------------------------------------------------- */

struct sotto_restorer;

/** Starts on one text; `conversation` is borrowed and must outlive it.  SOTTO_STATUS_MEMORY. */
SOTTO_API_CHECKED enum sotto_status
sotto_restorer_new(const struct sotto_conversation *conversation, struct sotto_restorer **out);

SOTTO_API void sotto_restorer_free(struct sotto_restorer *restorer);

/**
 * Feeds a piece, which may end anywhere.  What may still become a token is withheld, at most 48
 * bytes; the rest comes out at once.
 *
 * @param out      NUL-terminated; may be empty; freed with sotto_text_free()
 * @param out_len  may be NULL
 *
 * Returns SOTTO_STATUS_MEMORY, SOTTO_STATUS_ENDED.
 */
SOTTO_API_CHECKED enum sotto_status sotto_restorer_feed(struct sotto_restorer *restorer,
                                                        const char *piece, size_t len, char **out,
                                                        size_t *out_len);

/** Ends the text: puts out what was withheld.  As for feeding. */
SOTTO_API_CHECKED enum sotto_status sotto_restorer_end(struct sotto_restorer *restorer, char **out,
                                                       size_t *out_len);

#ifdef __cplusplus
}
#endif

#endif
