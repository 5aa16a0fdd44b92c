/* SPDX-License-Identifier: Apache-2.0 */

#include "keys/books.h"

static bool is_nothing(const struct sotto_use *used)
{
    return used->requests == 0 && used->prompt_tokens == 0 && used->completion_tokens == 0 &&
           used->estimated_tokens == 0 && used->cost_nano == 0;
}

/* Makes room behind the others: the last book goes, or the last one that the store knows whole. */
static void drop_one(struct sotto_books *books)
{
    size_t at = books->count - 1;
    while (at > 0 && !is_nothing(&books->list[at].unsaved)) {
        at--;
    }
    if (at == 0) { /* all have something untold, but perhaps the one in use */
        at = books->count - 1;
        sotto_use_add(&books->list[at - 1].booked, &books->list[at].unsaved);
        sotto_use_add(&books->list[at - 1].unsaved, &books->list[at].unsaved);
    }
    books->count--;
    memmove(&books->list[at], &books->list[at + 1], (books->count - at) * sizeof(books->list[0]));
}

static size_t index_of(const struct sotto_books *books, int32_t month)
{
    size_t i = 0;
    while (i < books->count && books->list[i].month != month) {
        i++;
    }
    return i;
}

struct sotto_book *sotto_books_find(struct sotto_books *books, int32_t month)
{
    size_t i = index_of(books, month);
    return i < books->count ? &books->list[i] : NULL;
}

struct sotto_book *sotto_books_open(struct sotto_books *books, int32_t month)
{
    size_t i = index_of(books, month);
    if (i == 0 && books->count != 0) {
        return &books->list[0];
    }
    struct sotto_book book = {.month = month};
    if (i < books->count) {
        book = books->list[i];
    } else {
        if (books->count == SOTTO_BOOKS_MAX) {
            drop_one(books);
        }
        i = books->count++;
    }
    memmove(&books->list[1], &books->list[0], i * sizeof(books->list[0]));
    books->list[0] = book;
    return &books->list[0];
}

void sotto_books_add(struct sotto_books *books, int32_t month, const struct sotto_use *used)
{
    struct sotto_book *book = sotto_books_open(books, month);
    sotto_use_add(&book->booked, used);
    sotto_use_add(&book->unsaved, used);
}

bool sotto_books_take_unsaved(struct sotto_books *books, int32_t *month, struct sotto_use *used)
{
    for (size_t i = 0; i < books->count; i++) {
        struct sotto_book *book = &books->list[i];
        if (!is_nothing(&book->unsaved)) {
            *month = book->month;
            *used = book->unsaved;
            book->unsaved = (struct sotto_use){0};
            return true;
        }
    }
    return false;
}

void sotto_books_put_unsaved(struct sotto_books *books, int32_t month, const struct sotto_use *used)
{
    struct sotto_book *book = sotto_books_find(books, month);
    if (book == NULL) { /* it gave way meanwhile */
        sotto_books_add(books, month, used);
    } else {
        sotto_use_add(&book->unsaved, used);
    }
}
