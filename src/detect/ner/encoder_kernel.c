/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/ner/encoder_kernel.h"

#include <string.h>

static bool usable(void)
{
    return true;
}

static void multiply(const int8_t *weights, size_t inputs, const uint8_t *rows, size_t count,
                     int32_t *products)
{
    for (size_t r = 0; r < count; r++, rows += inputs, products += SOTTO_NER_PANEL) {
        const int8_t *w = weights;
        memset(products, 0, SOTTO_NER_PANEL * sizeof(*products));
        for (size_t k = 0; k < inputs; k += 4, w += (size_t)4 * SOTTO_NER_PANEL) {
            const uint8_t *a = rows + k;
            for (size_t c = 0; c < SOTTO_NER_PANEL; c++) {
                products[c] += a[0] * w[4 * c] + a[1] * w[4 * c + 1] + a[2] * w[4 * c + 2] +
                               a[3] * w[4 * c + 3];
            }
        }
    }
}

const struct sotto_ner_encoder_kernels sotto_ner_encoder_reference = {
    .name = "reference",
    .usable = usable,
    .multiply = multiply,
    .math = &sotto_ner_math_portable,
};

const struct sotto_ner_encoder_kernels *const sotto_ner_encoder_kernels_all[] = {
    &sotto_ner_encoder_reference,
#if defined(__x86_64__)
    &sotto_ner_encoder_avx2,
    &sotto_ner_encoder_avx512,
    &sotto_ner_encoder_vnni,
#endif
    NULL,
};

const struct sotto_ner_encoder_kernels *sotto_ner_encoder_kernels_named(const char *name)
{
    const struct sotto_ner_encoder_kernels *found = NULL;

    for (size_t i = 0; sotto_ner_encoder_kernels_all[i] != NULL; i++) {
        const struct sotto_ner_encoder_kernels *k = sotto_ner_encoder_kernels_all[i];
        if ((name == NULL || strcmp(k->name, name) == 0) && k->usable()) {
            found = k;
        }
    }
    return found;
}
