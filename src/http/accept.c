/* SPDX-License-Identifier: Apache-2.0 */

#include "http/accept.h"

sotto_span sotto_http_next_element(sotto_span *list)
{
    size_t end = 0;
    while (end < list->len && list->base[end] != ',') {
        end++;
    }
    size_t word = 0;
    while (word < end && list->base[word] != ';') {
        word++;
    }
    sotto_span element = sotto_span_trim(sotto_span_sub(*list, 0, word));
    *list = sotto_span_skip(*list, end < list->len ? end + 1 : end);
    return element;
}

bool sotto_http_accepts(const struct sotto_http_head *head, sotto_span type)
{
    sotto_span list = sotto_http_get(head, "accept");
    while (list.len != 0) {
        if (sotto_span_ieq(sotto_http_next_element(&list), type)) {
            return true;
        }
    }
    return false;
}
