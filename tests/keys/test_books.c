/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/books.h"

#include "tap/tap.h"

static void add(struct sotto_books *books, int32_t month, int64_t requests)
{
    const struct sotto_use used = {.requests = requests, .cost_nano = 10 * requests};
    sotto_books_add(books, month, &used);
}

static int64_t booked(struct sotto_books *books, int32_t month)
{
    const struct sotto_book *book = sotto_books_find(books, month);
    return book != NULL ? book->booked.requests : -1;
}

/* Takes all that is unsaved; returns how many parts there were, and adds their requests up. */
static int take_all(struct sotto_books *books, int64_t *requests)
{
    int parts = 0;
    int32_t month;
    struct sotto_use used;
    while (sotto_books_take_unsaved(books, &month, &used)) {
        *requests += used.requests;
        parts++;
    }
    return parts;
}

static void test_months(void)
{
    struct sotto_books books = {.count = 0};
    OK(sotto_books_find(&books, 7) == NULL, "nothing is known of a month at first");
    add(&books, 7, 3);
    add(&books, 8, 5);
    add(&books, 7, 1);
    IS_INT(booked(&books, 7), 4, "a month that is come back to goes on");
    IS_INT(booked(&books, 8), 5, "and the other one stays");
    IS_INT(sotto_books_open(&books, 8)->month, 8, "the one that was asked for last");
    IS_INT(books.list[0].month, 8, "is the first");
    IS_SIZE(books.count, 2, "each is there once");
    sotto_books_open(&books, -5)->held_tokens = 9;
    IS_INT(booked(&books, -5), 0, "before 1970, too");
    IS_INT(sotto_books_find(&books, -5)->held_tokens, 9, "with what is held of it");
}

static void test_room(void)
{
    struct sotto_books books = {.count = 0};
    int64_t requests = 0;
    for (int32_t month = 1; month <= SOTTO_BOOKS_MAX; month++) {
        add(&books, month, month);
    }
    IS_INT(take_all(&books, &requests), SOTTO_BOOKS_MAX, "each month is told");
    IS_INT(requests, 10, "all of it");
    add(&books, 2, 1);
    add(&books, 9, 1);
    IS_INT(booked(&books, 1), -1,
           "one more month takes the place of the one asked for longest ago");
    IS_INT(booked(&books, 2), 3, "not of one that was asked for since");
    add(&books, 3, 1);
    add(&books, 10, 1);
    IS_INT(booked(&books, 4), -1, "nor of one that the store does not know whole");
    IS_INT(booked(&books, 2), 3, "although that was asked for longer ago");
    IS_SIZE(books.count, SOTTO_BOOKS_MAX, "no more are kept than may");
    requests = 0;
    IS_INT(take_all(&books, &requests), 4, "all of it is untold");
    IS_INT(requests, 4, "and is told");
}

/* All months are untold, whatever else comes: nothing is forgotten. */
static void test_untold(void)
{
    struct sotto_books books = {.count = 0};
    int64_t requests = 0, cost = 0;
    for (int32_t month = 0; month < 40; month++) {
        add(&books, month, 1);
    }
    IS_SIZE(books.count, SOTTO_BOOKS_MAX, "40 months are untold");
    IS_INT(booked(&books, 39), 1, "the present one has its own use alone");
    for (size_t i = 0; i < books.count; i++) {
        cost += books.list[i].unsaved.cost_nano;
        OK(memcmp(&books.list[i].unsaved, &books.list[i].booked, sizeof(struct sotto_use)) == 0,
           "what a month will be in the store counts in it");
    }
    IS_INT(cost, 400, "of no figure anything is lost");
    take_all(&books, &requests);
    IS_INT(requests, 40, "the store is told of all requests");
}

static void test_put_back(void)
{
    struct sotto_books books = {.count = 0};
    int32_t month = 0;
    int64_t requests = 0;
    struct sotto_use used, none;
    add(&books, 5, 2);
    OK(sotto_books_take_unsaved(&books, &month, &used), "two requests are taken");
    IS_INT(month, 5, "of their month");
    OK(!sotto_books_take_unsaved(&books, &month, &none), "and no more");
    add(&books, 5, 1);
    sotto_books_put_unsaved(&books, month, &used);
    IS_INT(booked(&books, 5), 3, "put back, they count once");
    OK(sotto_books_take_unsaved(&books, &month, &used), "with what came meanwhile");
    IS_INT(used.requests, 3, "they are told again");
    for (int32_t other = 10; other < 10 + SOTTO_BOOKS_MAX; other++) {
        sotto_books_open(&books, other);
    }
    IS_INT(booked(&books, 5), -1, "the month gives way");
    sotto_books_put_unsaved(&books, month, &used);
    IS_INT(take_all(&books, &requests), 1, "what is put back then is untold");
    IS_INT(requests, 3, "all of it");
}

int main(void)
{
    test_months();
    test_room();
    test_untold();
    test_put_back();
    return done_testing();
}
