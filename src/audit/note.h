/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_AUDIT_NOTE_H
#define SOTTO_AUDIT_NOTE_H

/*
 * Signed notes (C2SP signed-note), the checkpoints of a log (C2SP tlog-checkpoint), and cosignatures
 * of witnesses (C2SP tlog-cosignature).
 *
 *   note       = text "\n" *( "— " name " " base64(id4 signature) "\n" )        text ends in "\n"
 *   checkpoint = origin "\n" size "\n" base64(root) "\n"                        as a note's text
 *   id4        = SHA-256(name "\n" type key)[0..4]
 *
 * Signatures are Ed25519: type 0x01 over the text, or, for a witness, type 0x04: an eight-byte time
 * and a signature over "cosignature/v1\ntime T\n" text.
 */

#include "audit/tree.h"
#include "base/buf.h"
#include "crypto/ed25519.h"

/** Longest note that is read, and most signatures that are looked at. */
#define SOTTO_NOTE_MAX_BYTES  ((size_t)64 << 10)
#define SOTTO_NOTE_SIGNATURES 64
/** Longest name of a key, hence of a log's origin. */
#define SOTTO_NOTE_NAME_MAX 200

enum sotto_note_type {
    SOTTO_NOTE_ED25519 = 0x01,     /* a log */
    SOTTO_NOTE_COSIGNATURE = 0x04, /* a witness */
};

/** A verifier's key. */
struct sotto_note_key {
    char name[SOTTO_NOTE_NAME_MAX + 1];
    uint8_t id[4];
    enum sotto_note_type type;
    uint8_t public_key[SOTTO_ED25519_PUBLIC_BYTES];
};

/** Whether a text may be the name of a key: UTF-8 is not checked, white space and "+" are. */
bool sotto_note_name_valid(sotto_span name);

/**
 * Makes a key from its parts.
 *
 * @retval SOTTO_EINVAL  the name is not valid or too long
 * @retval SOTTO_ECRYPTO
 */
SOTTO_MUST_CHECK enum sotto_err sotto_note_key_make(sotto_span name, enum sotto_note_type type,
                                                    const uint8_t *public_key,
                                                    struct sotto_note_key *out);

/** Reads "name+hhhhhhhh+base64".  @retval SOTTO_EFORMAT.  @retval SOTTO_ECRYPTO, SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_note_key_parse(sotto_span text, struct sotto_note_key *out);

/** Appends the text of a key.  Errors of sotto_buf_append(). */
SOTTO_MUST_CHECK enum sotto_err sotto_note_key_write(const struct sotto_note_key *key,
                                                     struct sotto_buf *out);

/** Appends the line with which `key`, whose private key is `seed`, signs `text`. */
SOTTO_MUST_CHECK enum sotto_err sotto_note_sign(const struct sotto_note_key *key,
                                                const uint8_t *seed, sotto_span text,
                                                struct sotto_buf *out);

/** The same for a witness, at a time.  @param time_s  seconds since 1970 */
SOTTO_MUST_CHECK enum sotto_err sotto_note_cosign(const struct sotto_note_key *key,
                                                  const uint8_t *seed, uint64_t time_s,
                                                  sotto_span text, struct sotto_buf *out);

/** The two parts of a note, views into it. */
struct sotto_note {
    sotto_span text;
    sotto_span signatures; /* whole lines */
};

/** Takes a note apart.  @retval SOTTO_EFORMAT  it is none; @retval SOTTO_ELIMIT  it is too long */
SOTTO_MUST_CHECK enum sotto_err sotto_note_parse(sotto_span bytes, struct sotto_note *out);

/**
 * Whether the note bears a valid signature of `key`.
 *
 * @param[out] line  the signature's line with its newline; may be NULL
 *
 * @retval SOTTO_ENOTFOUND  no signature of this key
 * @retval SOTTO_EAUTH      there is one, and it is wrong
 * @retval SOTTO_ECRYPTO, SOTTO_ENOMEM
 */
SOTTO_MUST_CHECK enum sotto_err sotto_note_verify(const struct sotto_note *note,
                                                  const struct sotto_note_key *key,
                                                  sotto_span *line);

/** What a checkpoint says. */
struct sotto_checkpoint {
    sotto_span origin; /* a view into the text */
    uint64_t size;
    struct sotto_audit_hash root;
};

/** Appends the text of a checkpoint.  Errors of sotto_buf_append(). */
SOTTO_MUST_CHECK enum sotto_err sotto_checkpoint_write(const struct sotto_checkpoint *checkpoint,
                                                       struct sotto_buf *out);

/** Reads a checkpoint; lines behind the third are extensions.  @retval SOTTO_EFORMAT */
SOTTO_MUST_CHECK enum sotto_err sotto_checkpoint_parse(sotto_span text,
                                                       struct sotto_checkpoint *out);

#endif
