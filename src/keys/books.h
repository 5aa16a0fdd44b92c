/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_KEYS_BOOKS_H
#define SOTTO_KEYS_BOOKS_H

/*
 * What one key used, month by month.  The months that were asked for last are kept, so that a clock
 * that is set forward and back finds each month as it left it, and use of a month that is over waits
 * beside that of the new one until the store has it.  Zero-initialised is empty and valid.  Not
 * thread-safe.
 */

#include "keys/limit.h"

/** Months that are kept; one more takes the place of the one that was asked for longest ago. */
#define SOTTO_BOOKS_MAX 4

struct sotto_book {
    int32_t month;
    struct sotto_use booked;  /* all of the month, as far as it is known */
    struct sotto_use unsaved; /* of that, what the store was not told yet */
    uint64_t held_tokens;     /* reserved by requests that run */
    uint64_t held_cost;
};

struct sotto_books {
    struct sotto_book list[SOTTO_BOOKS_MAX]; /* the one that was asked for last is the first */
    size_t count;
};

/**
 * The book of a month, made when there is none; valid until the next call.  Where another one has to
 * give way and the store was not told all of it, the one before it gets what is untold: what was used
 * is never forgotten.
 */
struct sotto_book *sotto_books_open(struct sotto_books *books, int32_t month);

/** The same, without making one; NULL: it is not kept. */
struct sotto_book *sotto_books_find(struct sotto_books *books, int32_t month);

/** Books use of a month. */
void sotto_books_add(struct sotto_books *books, int32_t month, const struct sotto_use *used);

/**
 * Takes what the store was not told yet of one month.
 *
 * @param[out] month  set where true is returned
 * @param[out] used   the same
 * @return  whether there was any
 */
bool sotto_books_take_unsaved(struct sotto_books *books, int32_t *month, struct sotto_use *used);

/** Puts back what was taken and could not be saved. */
void sotto_books_put_unsaved(struct sotto_books *books, int32_t month,
                             const struct sotto_use *used);

#endif
