/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_DETECT_PATTERN_RECOGNIZERS_H
#define SOTTO_DETECT_PATTERN_RECOGNIZERS_H

/*
 * The families of recognizers.  Each is called where something of its kind may begin, looks at the
 * text around, and notes what it finds with scan_add().  None remembers anything.
 */

#include "detect/pattern/cluster.h"

/** The pass over bytes [from, to), character boundaries: asks the recognizers below. */
void pattern_pass(struct scan *s, size_t from, size_t to);

/* email.c */
void recognize_email(struct scan *s, size_t at); /* at the '@' */

/* url.c */
void recognize_url(struct scan *s, size_t colon); /* at the "://" */
void recognize_host(struct scan *s, size_t part); /* at the letters before a full stop */

/* net.c */
void recognize_hex(struct scan *s, size_t start, size_t end);
bool recognize_ipv4(struct scan *s, const struct cluster *c);

/* number.c: everything that begins with a digit or with a short code before one */
void recognize_number(struct scan *s, size_t start);

/* date.c */
bool recognize_date(struct scan *s, const struct cluster *c);
void recognize_month(struct scan *s, const struct token *month);
void recognize_year(struct scan *s, const struct cluster *c);

/* age.c */
bool recognize_age(struct scan *s, const struct cluster *c);
void recognize_age_words(struct scan *s, const struct token *tens);

/* phone.c */
bool recognize_phone(struct scan *s, const struct cluster *c, struct context *ctx);

/* card.c */
bool recognize_card(struct scan *s, const struct cluster *c, struct context *ctx);

/* bank.c */
bool recognize_iban(struct scan *s, const struct cluster *c, struct context *ctx);

/* shapes.c */
bool recognize_shapes(struct scan *s, const struct cluster *c, struct context *ctx);

/* labelled.c */
bool recognize_labelled(struct scan *s, const struct cluster *c, struct context *ctx);

/* address.c */
void recognize_street_number(struct scan *s, const struct cluster *c);
void recognize_street(struct scan *s, const struct token *kind);
void recognize_address_label(struct scan *s, const struct token *label);
void recognize_box(struct scan *s, const struct token *box);

/* secret.c */
void recognize_secret_label(struct scan *s, const struct token *label);
void recognize_secret_head(struct scan *s, size_t start);
void recognize_long(struct scan *s, size_t start, size_t end);
void recognize_pem(struct scan *s, const struct token *begin);

/* gs1.c */
bool recognize_gs1(struct scan *s, size_t start); /* behind a '(' */

/* mrz.c */
void recognize_mrz(struct scan *s, size_t start);

/* user.c */
void recognize_user(struct scan *s, const struct token *label);

#endif
