/* SPDX-License-Identifier: Apache-2.0 */

#include "policy/violation.h"

#include "chat/slots.h"
#include "tap/tap.h"

/* All that was said, one sentence a line with its code in front. */
static char said[2000];

static void say(void *ctx, const struct sotto_violation *violation)
{
    size_t len = strlen(said);
    (void)ctx;
    snprintf(said + len, sizeof(said) - len, "%s: %s\n", violation->code, violation->sentence);
}

static void judge(const struct sotto_policy_facts *facts, size_t count, const char *want,
                  const char *what)
{
    said[0] = '\0';
    IS_SIZE(sotto_policy_violations(facts, say, NULL), count, "%s: how many", what);
    IS_TEXT(said, strlen(said), want, "%s", what);
    IS_SIZE(sotto_policy_violations(facts, NULL, NULL), count, "%s: counted alone", what);
}

int main(void)
{
    static const sotto_span agreements[] = {SOTTO_LIT_INIT("baa"), SOTTO_LIT_INIT("dpa")};
    static const sotto_span regions[] = {SOTTO_LIT_INIT("ch"), SOTTO_LIT_INIT("eu")};
    const struct sotto_mode_def def = {.name = SOTTO_LIT("swiss"),
                                       .inherits = SOTTO_LIT("gdpr"),
                                       .agreements = agreements,
                                       .agreement_count = 2,
                                       .regions = regions,
                                       .region_count = 2};
    struct sotto_modes *modes = NULL;
    if (sotto_modes_new(&def, 1, NULL, 0, &modes, NULL) != SOTTO_OK) {
        abort();
    }
    uint32_t blocked[SOTTO_LABEL_COUNT] = {0};
    blocked[SOTTO_LABEL_ID] = 2;
    blocked[SOTTO_LABEL_SECRET] = 1;
    struct sotto_policy_facts facts = {.mode = sotto_modes_find(modes, SOTTO_LIT("swiss")),
                                       .has_upstream = true,
                                       .upstream = SOTTO_LIT("openai"),
                                       .region = SOTTO_LIT("us"),
                                       .agreements = {agreements, 1}};
    judge(&facts, 2,
          "provider_not_permitted: The mode swiss asks for the agreement dpa, which the upstream "
          "openai does not have.\n"
          "provider_not_permitted: The mode swiss lets data go to ch or eu only, and the upstream "
          "openai is in us.\n",
          "a provider abroad");
    facts.region = SOTTO_LIT("");
    facts.agreements.count = 2;
    judge(&facts, 1,
          "provider_not_permitted: The mode swiss lets data go to ch or eu only, and the upstream "
          "openai says no region.\n",
          "a provider nowhere");
    facts.region = SOTTO_LIT("eu");
    judge(&facts, 0, "", "a provider that may be used");
    facts.region = SOTTO_LIT("us");
    facts.trusted = true;
    judge(&facts, 0, "", "an upstream of our own");
    facts.unprotected = SOTTO_UNPROTECTED_IMAGE | SOTTO_UNPROTECTED_FILE;
    facts.blocked = blocked;
    judge(&facts, 4,
          "content_not_protected: Images cannot be protected, and the mode swiss does not let them "
          "pass.\n"
          "content_not_protected: Files cannot be protected, and the mode swiss does not let them "
          "pass.\n"
          "content_blocked: The mode swiss lets no such ID out of the house, and the request has "
          "2.\n"
          "content_blocked: The mode swiss lets no such SECRET out of the house, and the request "
          "has 1.\n",
          "all that is wrong with a request at once");
    facts = (struct sotto_policy_facts){.mode = sotto_modes_find(modes, SOTTO_LIT("hipaa")),
                                        .has_upstream = true,
                                        .upstream = SOTTO_LIT("openai")};
    judge(&facts, 0, "", "a built-in mode asks for no agreement by itself");
    facts.require_agreements = true;
    judge(&facts, 1,
          "provider_not_permitted: The mode hipaa asks for the agreement baa, which the upstream "
          "openai does not have.\n",
          "but where agreements are required");
    sotto_modes_free(modes);
    return done_testing();
}
