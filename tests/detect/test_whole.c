/* SPDX-License-Identifier: Apache-2.0 */

#include "detect/whole.h"

#include "tap/tap.h"

/* `marked` has [persons] and {places}; they are found, made whole, and marked again. */
static void check(const char *marked, const char *want)
{
    char text[128], got[160];
    struct sotto_findings list = {0};
    size_t n = 0;
    for (const char *c = marked; *c != '\0'; c++) {
        if (*c == '[' || *c == '{') {
            struct sotto_finding f = {.start = (uint32_t)n};
            f.label = *c == '[' ? SOTTO_LABEL_PERSON : SOTTO_LABEL_LOCATION;
            if (sotto_findings_add(&list, f) != SOTTO_OK) {
                abort();
            }
        } else if (*c == ']' || *c == '}') {
            list.items[list.count - 1].end = (uint32_t)n;
        } else {
            text[n++] = *c;
        }
    }
    sotto_whole_names(sotto_span_init(text, n), &list);
    size_t at = 0, k = 0;
    for (size_t i = 0; i <= n; i++) {
        if (k < list.count && list.items[k].end == i) {
            got[at++] = list.items[k++].label == SOTTO_LABEL_PERSON ? ']' : '}';
        }
        if (k < list.count && list.items[k].start == i) {
            got[at++] = list.items[k].label == SOTTO_LABEL_PERSON ? '[' : '{';
        }
        if (i < n) {
            got[at++] = text[i];
        }
    }
    IS_TEXT(got, at, want, "%s", marked);
    sotto_findings_free(&list);
}

int main(void)
{
    check("", "");
    check("[Muqtada al] - [Sadr] said", "[Muqtada al - Sadr] said");
    check("[Anne]-[Marie]-[Luise]", "[Anne-Marie-Luise]");
    check("[John] of [Gaunt] and [Edward]", "[John of Gaunt] and [Edward]");
    check("[Friedrich II.] von {Preu\xc3\x9f"
          "en}",
          "[Friedrich II. von Preu\xc3\x9f"
          "en]");
    check("[Karen] of {Leeds}", "[Karen] of {Leeds}");
    check("{York} of [Gaunt]", "{York} of [Gaunt]");
    check("[Ann], [Bob]", "[Ann], [Bob]");
    check("[Ann] and [Bob]", "[Ann] and [Bob]");
    check("[Tom Baker], Jr.", "[Tom Baker, Jr.]");
    check("[Tom Baker] Jr was", "[Tom Baker Jr] was");
    check("[Tom Baker] Jrod", "[Tom Baker] Jrod");
    check("Lord [Byron] and Lady [Anne]", "[Lord Byron] and [Lady Anne]");
    check("Overlord [Byron], lord [Byron]", "Overlord [Byron], lord [Byron]");
    check("{Lord} [Byron]", "{Lord} [Byron]");
    check("Lord Justice [Auld]", "[Lord Justice Auld]");
    check("[King Charles] II", "[King Charles II]");
    check("[Kara] S, [Hollmann] F; [Lee] K (2014)", "[Kara S], [Hollmann F]; [Lee] K (2014)");
    check("[Ann] A", "[Ann] A");
    check("[Ann] II[Bob]", "[Ann] II[Bob]");
    check("assist for Di [Lorenzo] and La [Capria]", "assist for [Di Lorenzo] and [La Capria]");
    check("[Rossi], De [Luca]", "[Rossi], [De Luca]");
    check("ma per\xc3\xb2 Di [Lorenzo]", "ma per\xc3\xb2 [Di Lorenzo]");
    check("It was. La [Merkel] came", "It was. La [Merkel] came");
    check("Le [Monde]", "Le [Monde]");
    check("\xe2\x80\xa6 Di [Lorenzo]", "\xe2\x80\xa6 Di [Lorenzo]");
    check("[An]na Van [Gogh]", "[An]na [Van Gogh]");
    check("sta con Di [Lorenzo], VanDi [Lorenzo]", "sta con [Di Lorenzo], VanDi [Lorenzo]");
    check("[S. Noor J].-[M. von der Thann]", "[S. Noor J.-M. von der Thann]");
    check("y M.\xc2\xaa [Jes\xc3\xbas Ruiz], AM.\xc2\xaa [Ruiz]",
          "y [M.\xc2\xaa Jes\xc3\xbas Ruiz], AM.\xc2\xaa [Ruiz]");
    check("au CH de {Dole}, au CHU d'{Amiens}", "au {CH de Dole}, au {CHU d'Amiens}");
    check("im Klinikum {Werl}, Poliklinikum {Werl}", "im {Klinikum Werl}, Poliklinikum {Werl}");
    check("[CH] de {Dole}, CH, {Dole}", "[CH] de {Dole}, CH, {Dole}");
    return done_testing();
}
