/* SPDX-License-Identifier: Apache-2.0 */

/* User names behind the words that say so: "username: jdoe84", "login = anna.k". */

#include "detect/pattern/recognizers.h"

#define USER_MAX 40

void recognize_user(struct scan *s, const struct token *label)
{
    if (!scan_left_free(s, label->start) && scan_byte_before(s, label->start) != '_') {
        return;
    }
    size_t i = label->end;
    i += scan_byte_at(s, i) == '"' || scan_byte_at(s, i) == '\'' ? 1 : 0;
    i = scan_skip_spaces(s, i);
    if (scan_byte_at(s, i) != ':' && scan_byte_at(s, i) != '=') {
        return;
    }
    i = scan_skip_spaces(s, i + 1);
    i += scan_byte_at(s, i) == '"' || scan_byte_at(s, i) == '\'' || scan_byte_at(s, i) == '@' ? 1
                                                                                              : 0;
    size_t at = i;
    while (at < s->text.len && at - i < USER_MAX &&
           (is_alnum(s->text.base[at]) || is_one_of(s->text.base[at], "._-"))) {
        at++;
        s->steps++;
    }
    while (at > i && is_one_of(s->text.base[at - 1], "._-")) {
        at--;
    }
    uint8_t next = scan_byte_at(s, at);
    if (at - i < 3 || at - i >= USER_MAX || next == '(' || next == '@' || !scan_right_free(s, at)) {
        return;
    }
    scan_add(s, i, at,
             (struct verdict){SOTTO_LABEL_ID, SOTTO_FINER_USERNAME, SOTTO_RULE_LABELLED, 640});
}
