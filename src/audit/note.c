/* SPDX-License-Identifier: Apache-2.0 */

#include "audit/note.h"

#include <inttypes.h>

#include "audit/line.h"
#include "base/ct.h"
#include "crypto/base64.h"
#include "crypto/hash.h"

/* U+2014 and a space, with which each signature begins. */
#define NOTE_DASH       SOTTO_LIT("\xe2\x80\x94 ")
#define NOTE_ID_BYTES   4
#define NOTE_TIME_BYTES 8

bool sotto_note_name_valid(sotto_span name)
{
    if (name.len == 0 || name.len > SOTTO_NOTE_NAME_MAX) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        if (name.base[i] <= ' ' || name.base[i] == '+' || name.base[i] == 0x7f) {
            return false;
        }
    }
    return true;
}

enum sotto_err sotto_note_key_make(sotto_span name, enum sotto_note_type type,
                                   const uint8_t *public_key, struct sotto_note_key *out)
{
    uint8_t digest[SOTTO_SHA256_BYTES], kind[2] = {'\n', (uint8_t)type};
    if (!sotto_note_name_valid(name)) {
        return SOTTO_EINVAL;
    }
    const sotto_span parts[] = {name, sotto_span_init(kind, 2),
                                sotto_span_init(public_key, SOTTO_ED25519_PUBLIC_BYTES)};
    enum sotto_err err = sotto_sha256_parts(parts, 3, digest);
    if (err != SOTTO_OK) {
        return err;
    }
    *out = (struct sotto_note_key){.type = type};
    memcpy(out->name, name.base, name.len);
    memcpy(out->id, digest, NOTE_ID_BYTES);
    memcpy(out->public_key, public_key, SOTTO_ED25519_PUBLIC_BYTES);
    return SOTTO_OK;
}

static int hex_value(uint8_t c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool hex_is(sotto_span text, const uint8_t *bytes)
{
    bool same = text.len == 2 * NOTE_ID_BYTES;
    for (size_t i = 0; same && i < NOTE_ID_BYTES; i++) {
        same = hex_value(text.base[2 * i]) == bytes[i] >> 4 &&
               hex_value(text.base[2 * i + 1]) == (bytes[i] & 15);
    }
    return same;
}

enum sotto_err sotto_note_key_parse(sotto_span text, struct sotto_note_key *out)
{
    uint8_t blob[1 + SOTTO_ED25519_PUBLIC_BYTES];
    struct sotto_note_key key = {.type = SOTTO_NOTE_ED25519};
    sotto_span name, id, rest = text;
    if (!audit_cut(&rest, '+', &name) || !audit_cut(&rest, '+', &id)) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = sotto_base64_read_exact(rest, blob, sizeof(blob));
    if (err == SOTTO_OK && blob[0] != SOTTO_NOTE_ED25519 && blob[0] != SOTTO_NOTE_COSIGNATURE) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK) {
        err = sotto_note_key_make(name, (enum sotto_note_type)blob[0], blob + 1, &key);
    }
    if (err == SOTTO_OK && !hex_is(id, key.id)) {
        err = SOTTO_EFORMAT;
    }
    if (err == SOTTO_OK) {
        *out = key;
    }
    return err == SOTTO_EINVAL ? SOTTO_EFORMAT : err;
}

enum sotto_err sotto_note_key_write(const struct sotto_note_key *key, struct sotto_buf *out)
{
    uint8_t blob[1 + SOTTO_ED25519_PUBLIC_BYTES] = {(uint8_t)key->type};
    size_t mark = out->len;
    memcpy(blob + 1, key->public_key, SOTTO_ED25519_PUBLIC_BYTES);
    enum sotto_err err = sotto_buf_printf(out, "%s+%02x%02x%02x%02x+", key->name, key->id[0],
                                          key->id[1], key->id[2], key->id[3]);
    if (err == SOTTO_OK) {
        err = sotto_base64_write(sotto_span_init(blob, sizeof(blob)), out);
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

/* --- signing ----------------------------------------------------------------------------------- */

static enum sotto_err write_line(const struct sotto_note_key *key, sotto_span blob,
                                 struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = sotto_buf_append(out, NOTE_DASH);
    if (err == SOTTO_OK) {
        err = sotto_buf_printf(out, "%s ", key->name);
    }
    if (err == SOTTO_OK) {
        err = sotto_base64_write(blob, out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, '\n');
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

enum sotto_err sotto_note_sign(const struct sotto_note_key *key, const uint8_t *seed,
                               sotto_span text, struct sotto_buf *out)
{
    uint8_t blob[NOTE_ID_BYTES + SOTTO_ED25519_SIG_BYTES];
    memcpy(blob, key->id, NOTE_ID_BYTES);
    enum sotto_err err = sotto_ed25519_sign(seed, text, blob + NOTE_ID_BYTES);
    return err == SOTTO_OK ? write_line(key, sotto_span_init(blob, sizeof(blob)), out) : err;
}

/* What a witness signs. */
static enum sotto_err cosigned_text(uint64_t time_s, sotto_span text, struct sotto_buf *out)
{
    enum sotto_err err = sotto_buf_printf(out, "cosignature/v1\ntime %" PRIu64 "\n", time_s);
    return err == SOTTO_OK ? sotto_buf_append(out, text) : err;
}

enum sotto_err sotto_note_cosign(const struct sotto_note_key *key, const uint8_t *seed,
                                 uint64_t time_s, sotto_span text, struct sotto_buf *out)
{
    uint8_t blob[NOTE_ID_BYTES + NOTE_TIME_BYTES + SOTTO_ED25519_SIG_BYTES];
    struct sotto_buf signed_text;
    sotto_buf_init(&signed_text, SOTTO_BUF_UNBOUNDED);
    memcpy(blob, key->id, NOTE_ID_BYTES);
    for (size_t i = 0; i < NOTE_TIME_BYTES; i++) {
        blob[NOTE_ID_BYTES + i] = (uint8_t)(time_s >> (56 - 8 * i));
    }
    enum sotto_err err = cosigned_text(time_s, text, &signed_text);
    if (err == SOTTO_OK) {
        err = sotto_ed25519_sign(seed, sotto_buf_span(&signed_text),
                                 blob + NOTE_ID_BYTES + NOTE_TIME_BYTES);
    }
    sotto_buf_free(&signed_text);
    return err == SOTTO_OK ? write_line(key, sotto_span_init(blob, sizeof(blob)), out) : err;
}

/* --- reading ----------------------------------------------------------------------------------- */

/* Each line of signatures has a dash, a name and a base64 text; what the latter says is not known
 * here, since notes may bear signatures of kinds that nobody knew when this was written. */
static bool lines_valid(sotto_span lines)
{
    sotto_span line, name;
    size_t count = 0;
    while (lines.len != 0) {
        if (++count > SOTTO_NOTE_SIGNATURES || !audit_cut(&lines, '\n', &line) ||
            !sotto_span_starts(line, NOTE_DASH)) {
            return false;
        }
        line = sotto_span_skip(line, NOTE_DASH.len);
        if (!audit_cut(&line, ' ', &name) || !sotto_note_name_valid(name) || line.len == 0) {
            return false;
        }
    }
    return count != 0;
}

enum sotto_err sotto_note_parse(sotto_span bytes, struct sotto_note *out)
{
    if (bytes.len > SOTTO_NOTE_MAX_BYTES) {
        return SOTTO_ELIMIT;
    }
    size_t end = 0; /* behind the text: the last empty line is what parts it from the signatures */
    for (size_t i = 0; i < bytes.len; i++) {
        if (bytes.base[i] < ' ' && bytes.base[i] != '\n') {
            return SOTTO_EFORMAT;
        }
        if (bytes.base[i] == '\n' && i + 1 < bytes.len && bytes.base[i + 1] == '\n') {
            end = i + 1;
        }
    }
    if (end == 0 || !lines_valid(sotto_span_skip(bytes, end + 1))) {
        return SOTTO_EFORMAT;
    }
    out->text = sotto_span_sub(bytes, 0, end);
    out->signatures = sotto_span_skip(bytes, end + 1);
    return SOTTO_OK;
}

static enum sotto_err check_signature(const struct sotto_note *note,
                                      const struct sotto_note_key *key, sotto_span blob)
{
    struct sotto_buf text;
    uint64_t time_s = 0;
    if (key->type == SOTTO_NOTE_ED25519) {
        return blob.len == SOTTO_ED25519_SIG_BYTES
                   ? sotto_ed25519_verify(key->public_key, note->text, blob.base)
                   : SOTTO_EAUTH;
    }
    if (blob.len != NOTE_TIME_BYTES + SOTTO_ED25519_SIG_BYTES) {
        return SOTTO_EAUTH;
    }
    for (size_t i = 0; i < NOTE_TIME_BYTES; i++) {
        time_s = time_s << 8 | blob.base[i];
    }
    sotto_buf_init(&text, SOTTO_BUF_UNBOUNDED);
    enum sotto_err err = cosigned_text(time_s, note->text, &text);
    if (err == SOTTO_OK) {
        err = sotto_ed25519_verify(key->public_key, sotto_buf_span(&text),
                                   blob.base + NOTE_TIME_BYTES);
    }
    sotto_buf_free(&text);
    return err;
}

/* Whether the line is of this key; then what it says is checked. */
static enum sotto_err verify_line(const struct sotto_note *note, const struct sotto_note_key *key,
                                  sotto_span line)
{
    struct sotto_buf blob;
    sotto_span name = {0}, rest = sotto_span_skip(line, NOTE_DASH.len);
    if (!audit_cut(&rest, ' ', &name) || !sotto_span_eq(name, sotto_span_str(key->name))) {
        return SOTTO_ENOTFOUND;
    }
    sotto_buf_init(&blob, SOTTO_NOTE_MAX_BYTES);
    enum sotto_err err = sotto_base64_read(rest, &blob);
    if (err == SOTTO_EFORMAT) {
        err = SOTTO_EAUTH;
    } else if (err == SOTTO_OK &&
               (blob.len < NOTE_ID_BYTES || !sotto_ct_equal(blob.base, key->id, NOTE_ID_BYTES))) {
        err = SOTTO_ENOTFOUND; /* another key of the same name */
    } else if (err == SOTTO_OK) {
        err = check_signature(note, key, sotto_span_skip(sotto_buf_span(&blob), NOTE_ID_BYTES));
    }
    sotto_buf_free(&blob);
    return err;
}

enum sotto_err sotto_note_verify(const struct sotto_note *note, const struct sotto_note_key *key,
                                 sotto_span *line)
{
    sotto_span rest = note->signatures, one;
    while (audit_cut(&rest, '\n', &one)) {
        enum sotto_err err = verify_line(note, key, one);
        if (err != SOTTO_ENOTFOUND) {
            if (err == SOTTO_OK && line != NULL) {
                *line = sotto_span_init(one.base, one.len + 1);
            }
            return err;
        }
    }
    return SOTTO_ENOTFOUND;
}

/* --- checkpoints ------------------------------------------------------------------------------- */

enum sotto_err sotto_checkpoint_write(const struct sotto_checkpoint *c, struct sotto_buf *out)
{
    size_t mark = out->len;
    enum sotto_err err = sotto_buf_append(out, c->origin);
    if (err == SOTTO_OK) {
        err = sotto_buf_printf(out, "\n%" PRIu64 "\n", c->size);
    }
    if (err == SOTTO_OK) {
        err = sotto_base64_write(sotto_span_init(c->root.bytes, SOTTO_AUDIT_HASH_BYTES), out);
    }
    if (err == SOTTO_OK) {
        err = sotto_buf_push(out, '\n');
    }
    if (err != SOTTO_OK) {
        sotto_buf_truncate(out, mark);
    }
    return err;
}

enum sotto_err sotto_checkpoint_parse(sotto_span text, struct sotto_checkpoint *out)
{
    struct sotto_checkpoint c = {0};
    sotto_span size, root;
    if (!audit_cut(&text, '\n', &c.origin) || !audit_cut(&text, '\n', &size) ||
        !audit_cut(&text, '\n', &root) || c.origin.len == 0 || !audit_read_number(size, &c.size)) {
        return SOTTO_EFORMAT;
    }
    enum sotto_err err = sotto_base64_read_exact(root, c.root.bytes, SOTTO_AUDIT_HASH_BYTES);
    if (err == SOTTO_OK) {
        *out = c;
    }
    return err;
}
