/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A note as a witness or a reader may send it, also as a key and as a checkpoint alone.  What is
 * taken is the bytes it came from: parts put together again are the whole, and a key or checkpoint
 * written again is what was read.  Nothing here bears a signature of a key whose owner signed
 * nothing, but the note of the standard itself.
 */

#include <stdlib.h>

#include "audit/note.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char vkey[] = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char signed_text[] = "If you think cryptography is the answer to your problem,\n"
                                  "then you don't know what your problem is.\n";

static void require(bool true_always)
{
    if (!true_always) {
        abort();
    }
}

static void try_key(sotto_span given)
{
    struct sotto_note_key key;
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_note_key_parse(given, &key);
    require(err == SOTTO_OK || err == SOTTO_EFORMAT);
    if (err == SOTTO_OK) {
        require(sotto_note_name_valid(sotto_span_str(key.name)));
        require(sotto_note_key_write(&key, &out) == SOTTO_OK);
        require(sotto_span_eq(sotto_buf_span(&out), given));
    }
    sotto_buf_free(&out);
}

/* Extensions stand behind the three lines, which have one form. */
static void try_checkpoint(sotto_span given)
{
    struct sotto_checkpoint checkpoint;
    struct sotto_buf out;
    sotto_buf_init(&out, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = sotto_checkpoint_parse(given, &checkpoint);
    require(err == SOTTO_OK || err == SOTTO_EFORMAT);
    if (err == SOTTO_OK) {
        require(sotto_checkpoint_write(&checkpoint, &out) == SOTTO_OK);
        require(sotto_span_starts(given, sotto_buf_span(&out)));
    }
    sotto_buf_free(&out);
}

static void try_note(sotto_span given, const struct sotto_note_key *key)
{
    struct sotto_note note;
    sotto_span line = {NULL, 0};
    enum sotto_err err = sotto_note_parse(given, &note);
    require(err == SOTTO_OK || err == SOTTO_EFORMAT || err == SOTTO_ELIMIT);
    if (err != SOTTO_OK) {
        return;
    }
    require(note.text.base == given.base && note.text.len + 1 + note.signatures.len == given.len);
    require(note.text.len != 0 && note.text.base[note.text.len - 1] == '\n');
    try_checkpoint(note.text);
    err = sotto_note_verify(&note, key, &line);
    require(err == SOTTO_OK || err == SOTTO_ENOTFOUND || err == SOTTO_EAUTH);
    require(err != SOTTO_OK || sotto_span_eq(note.text, SOTTO_LIT(signed_text)));
    require(err != SOTTO_OK || (line.base >= note.signatures.base && line.len != 0 &&
                                line.base[line.len - 1] == '\n'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sotto_note_key key;
    sotto_span given = sotto_span_init(data, size);
    require(sotto_note_key_parse(SOTTO_LIT(vkey), &key) == SOTTO_OK);
    try_note(given, &key);
    key.type = SOTTO_NOTE_COSIGNATURE;
    try_note(given, &key);
    try_key(given);
    try_checkpoint(given);
    return 0;
}
