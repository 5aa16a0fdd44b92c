/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_GATEWAY_DOOR_CODEC_H
#define SOTTO_GATEWAY_DOOR_CODEC_H

/*
 * The messages of a door as bytes, for rooms that are processes of one machine.
 *
 *   offset  0  kind      uint32, enum sotto_door_kind
 *           4  flags     uint32
 *           8  stream    uint64
 *          16  arg       int64
 *          24  head_len  uint32
 *          28  body_len  uint32
 *          32  head, body
 *
 * Integers are in the machine's order.  What a room writes is checked against what that room may
 * say, whole and before anything of it is used: a room that breaks a rule is taken for one that
 * somebody else has got hold of.
 */

#include "base/buf.h"
#include "gateway/door.h"

#define SOTTO_DOOR_HEAD_BYTES ((size_t)32)

/** Streams of one door at a time: the low half of a stream's number is below this. */
#define SOTTO_DOOR_STREAMS_MAX ((uint32_t)1 << 20)

/** What may come through a door from one side. */
struct sotto_door_rules {
    uint32_t kinds;  /* bit 1 << kind for each that is allowed */
    uint32_t flags;  /* of messages with a stream, but FETCH, whose flags are a number */
    size_t head_max; /* longest head */
    size_t body_max; /* longest body */
};

/** What front, vault (to either) and back may say. */
struct sotto_door_rules sotto_door_rules_front(size_t body_max);
struct sotto_door_rules sotto_door_rules_vault(void);
struct sotto_door_rules sotto_door_rules_back(void);

/** Appends a message.  @retval SOTTO_ELIMIT  a part has 4 GiB  @retval SOTTO_ENOMEM */
SOTTO_MUST_CHECK enum sotto_err sotto_door_encode(struct sotto_buf *out,
                                                  const struct sotto_door_msg *msg);

/**
 * Reads the message at the start of `in`.
 *
 * @param[out] msg   its spans point into `in`; set only when `*len` bytes are there
 * @param[out] need  bytes that the message has, or SOTTO_DOOR_HEAD_BYTES where not even these are
 *                   there.  `need` <= in.len: the message is complete and `msg` is set
 *
 * @retval SOTTO_EFORMAT  no message that these rules allow; outputs unchanged
 */
SOTTO_MUST_CHECK enum sotto_err sotto_door_decode(sotto_span in,
                                                  const struct sotto_door_rules *rules,
                                                  struct sotto_door_msg *msg, size_t *need);

#endif
