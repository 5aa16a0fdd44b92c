/* SPDX-License-Identifier: Apache-2.0 */

#include "gateway/sealing.h"

#include <stdatomic.h>

#include "base/alloc.h"
#include "gateway/attestor.h"
#include "seal/keyring.h"
#include "seal/signer.h"
#include "store/mesh.h"
#include "sys/clock.h"
#include "sys/log.h"

struct sotto_sealing {
    struct sotto_seal_host host;
    struct sotto_mesh *mesh;
    struct sotto_signer signer;
    struct sotto_attestor *attestor;
    struct sotto_side_work work;
    atomic_bool busy; /* the side thread has `work` */
};

/* Pairs that take no time to make are there from the start; RSA's comes with the first tick. */
static enum sotto_err make_pairs(struct sotto_sealing *sealing)
{
    enum sotto_err err = sotto_keyring_new(&sealing->host.keyring);
    for (size_t i = 0; i < SOTTO_SUITE_COUNT && err == SOTTO_OK; i++) {
        if (sotto_suites[i].ephemeral) {
            err = sotto_keyring_renew(sealing->host.keyring, &sotto_suites[i], sotto_wall_s());
        }
    }
    return err;
}

enum sotto_err sotto_sealing_new(const char *folder, sotto_span master,
                                 const struct sotto_config *config, struct sotto_sealing **out,
                                 char why[SOTTO_STORE_WHY_BYTES])
{
    struct sotto_sealing *sealing = sotto_calloc(1, sizeof(*sealing));
    why[0] = '\0';
    if (sealing == NULL) {
        return SOTTO_ENOMEM;
    }
    enum sotto_err err = sotto_mesh_open(folder, sotto_wall_s(), &sealing->mesh, why);
    if (err == SOTTO_OK) {
        err = sotto_sessions_new(&sealing->host.sessions);
    }
    if (err == SOTTO_OK) {
        err = sotto_signer_derive(master, &sealing->signer);
    }
    if (err == SOTTO_OK) {
        err = make_pairs(sealing);
    }
    if (err == SOTTO_OK) {
        err = sotto_attestor_new(config->sealing.tsm, config->sealing.needs_evidence,
                                 &sealing->attestor, why);
    }
    if (err != SOTTO_OK) {
        sotto_sealing_free(sealing);
        return err;
    }
    sealing->host.mesh = sealing->mesh;
    sealing->host.signer = &sealing->signer;
    sealing->host.attestor = sotto_attestor_row(sealing->attestor);
    sealing->host.life_s = (int64_t)(config->sealing.life_ms / 1000);
    *out = sealing;
    return SOTTO_OK;
}

void sotto_sealing_free(struct sotto_sealing *sealing)
{
    if (sealing != NULL) {
        sotto_sessions_free(sealing->host.sessions);
        sotto_keyring_free(sealing->host.keyring);
        sotto_mesh_free(sealing->mesh);
        sotto_attestor_free(sealing->attestor);
        sotto_free(sealing);
    }
}

const struct sotto_seal_host *sotto_sealing_host(const struct sotto_sealing *sealing)
{
    return &sealing->host;
}

static void renew(struct sotto_side_work *work)
{
    struct sotto_sealing *sealing = SOTTO_CONTAINER(work, struct sotto_sealing, work);
    int64_t now_s = sotto_wall_s();
    (void)sotto_sessions_sweep(sealing->host.sessions, now_s);
    sotto_keyring_sweep(sealing->host.keyring, now_s);
    for (size_t i = 0; i < SOTTO_SUITE_COUNT; i++) {
        enum sotto_err err =
            sotto_keyring_is_due(sealing->host.keyring, &sotto_suites[i], now_s)
                ? sotto_keyring_renew(sealing->host.keyring, &sotto_suites[i], now_s)
                : SOTTO_OK;
        if (err != SOTTO_OK && err != SOTTO_ECLOSED) {
            SOTTO_LOG(SOTTO_LOG_ERROR, "key_pair_not_renewed",
                      SOTTO_LOG_NOTE("suite", sotto_suites[i].name));
        }
    }
    atomic_store(&sealing->busy, false);
}

void sotto_sealing_stop(struct sotto_sealing *sealing)
{
    sotto_keyring_stop(sealing->host.keyring);
}

void sotto_sealing_tick(struct sotto_sealing *sealing, struct sotto_side *side)
{
    if (!atomic_exchange(&sealing->busy, true)) {
        sealing->work = (struct sotto_side_work){.run = renew};
        sotto_side_put(side, &sealing->work);
    }
}
