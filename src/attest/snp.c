/* SPDX-License-Identifier: Apache-2.0 */

#include "attest/kind.h"

/*
 * Reports of SEV-SNP (AMD publication 56860, SEV-SNP firmware ABI, table "ATTESTATION_REPORT"),
 * versions 2 to 5, and the host's certificate table (56421, GHCB, "SNP Extended Guest Request").
 */

#define SNP_REPORT_BYTES 1184
#define SNP_SIGNED_BYTES 0x2a0

#define SNP_VERSION     0x00
#define SNP_POLICY      0x08
#define SNP_ALGORITHM   0x34
#define SNP_KEY_INFO    0x48
#define SNP_REPORT_DATA 0x50
#define SNP_MEASUREMENT 0x90
#define SNP_TCB         0x180
#define SNP_CHIP_ID     0x1a0

#define SNP_TCB_BYTES     8
#define SNP_CHIP_ID_BYTES 64

#define SNP_POLICY_ONE   (1U << 17) /* reserved, must be one */
#define SNP_POLICY_DEBUG (1U << 19)

#define SNP_ECDSA_P384_SHA384 1

/* In SNP_KEY_INFO, bits 2 to 4: which key signed. */
#define SNP_KEY_VCEK 0 /* of this chip */
#define SNP_KEY_VLEK 1 /* of the cloud's operator */

/* r and s, each little-endian in this many bytes. */
#define SNP_NUMBER_BYTES 72
#define SNP_CURVE_BYTES  48

#define SNP_TABLE_ENTRY_BYTES 24

static enum sotto_err snp_read(sotto_span evidence, struct sotto_claims *claims)
{
    const uint8_t *r = evidence.base;
    if (evidence.len < SNP_REPORT_BYTES) {
        return SOTTO_EFORMAT;
    }
    uint32_t version = attest_u32(r + SNP_VERSION), policy = attest_u32(r + SNP_POLICY);
    uint32_t key = attest_u32(r + SNP_KEY_INFO) >> 2 & 7;
    if (version < 2 || version > 5 || (policy & SNP_POLICY_ONE) == 0 || key > SNP_KEY_VLEK ||
        attest_u32(r + SNP_ALGORITHM) != SNP_ECDSA_P384_SHA384) {
        return SOTTO_EFORMAT;
    }
    claims->debug = (policy & SNP_POLICY_DEBUG) != 0;
    memcpy(claims->report_data, r + SNP_REPORT_DATA, sizeof(claims->report_data));
    memcpy(claims->measurement, r + SNP_MEASUREMENT, sizeof(claims->measurement));
    memcpy(claims->tcb, r + SNP_TCB, SNP_TCB_BYTES);
    return SOTTO_OK;
}

/* --- certificates ----------------------------------------------------------------------------- */

static const char snp_guid_vcek[] =
    "\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd";
static const char snp_guid_vlek[] =
    "\xa8\x07\x4b\xc2\xa2\x5a\x48\x3e\xaa\xe6\x39\xc0\x45\xa0\xb8\xa1";

/* GUIDs are met with their first three numbers in either byte order. */
static bool is_guid(const uint8_t at[16], const char guid[16])
{
    const uint8_t mixed[16] = {at[3], at[2], at[1],  at[0],  at[5],  at[4],  at[7],  at[6],
                               at[8], at[9], at[10], at[11], at[12], at[13], at[14], at[15]};
    return memcmp(at, guid, 16) == 0 || memcmp(mixed, guid, 16) == 0;
}

/* Goes over the table twice: the chip's or operator's certificate is the leaf and comes first. */
static enum sotto_err read_table(sotto_span table, const char *leaf, struct sotto_chain *chain)
{
    static const uint8_t end[16];
    for (int others = 0; others < 2; others++) {
        size_t found = 0;
        for (size_t at = 0;; at += SNP_TABLE_ENTRY_BYTES) {
            if (table.len - at < SNP_TABLE_ENTRY_BYTES) {
                return SOTTO_EFORMAT;
            }
            const uint8_t *entry = table.base + at;
            if (memcmp(entry, end, sizeof(end)) == 0) {
                break;
            }
            bool is_leaf = is_guid(entry, leaf);
            if (is_leaf == (others != 0)) {
                continue;
            }
            size_t from = attest_u32(entry + 16), len = attest_u32(entry + 20);
            if (from > table.len || len > table.len - from || (is_leaf && ++found > 1)) {
                return SOTTO_EFORMAT;
            }
            enum sotto_err err = sotto_chain_add(chain, sotto_span_init(table.base + from, len));
            if (err != SOTTO_OK) {
                return err;
            }
        }
        if (others == 0 && found != 1) {
            return SOTTO_EFORMAT;
        }
    }
    return SOTTO_OK;
}

/* Which byte of REPORTED_TCB each extension 1.3.6.1.4.1.3704.1.3.N certifies. */
struct snp_version {
    const char *oid;
    size_t at;
};

static const struct snp_version snp_milan_genoa[] = {
    {"1.3.6.1.4.1.3704.1.3.1", 0}, /* boot loader */
    {"1.3.6.1.4.1.3704.1.3.2", 1}, /* TEE */
    {"1.3.6.1.4.1.3704.1.3.3", 6}, /* SNP */
    {"1.3.6.1.4.1.3704.1.3.8", 7}, /* microcode */
};

/* Family 1Ah puts its FMC first. */
static const struct snp_version snp_turin[] = {
    {"1.3.6.1.4.1.3704.1.3.9", 0}, {"1.3.6.1.4.1.3704.1.3.1", 1}, {"1.3.6.1.4.1.3704.1.3.2", 2},
    {"1.3.6.1.4.1.3704.1.3.3", 3}, {"1.3.6.1.4.1.3704.1.3.8", 7},
};

/* The value of an INTEGER of up to 255 in DER; -1: something else. */
static int small_integer(sotto_span der)
{
    if (der.len == 3 && der.base[0] == 2 && der.base[1] == 1 && der.base[2] < 0x80) {
        return der.base[2];
    }
    if (der.len == 4 && der.base[0] == 2 && der.base[1] == 2 && der.base[2] == 0 &&
        der.base[3] >= 0x80) {
        return der.base[3];
    }
    return -1;
}

static bool certifies_versions(const struct sotto_chain *chain, const uint8_t *tcb)
{
    sotto_span value;
    bool turin = sotto_chain_extension(chain, snp_turin[0].oid, &value) == SOTTO_OK;
    const struct snp_version *list = turin ? snp_turin : snp_milan_genoa;
    size_t count = turin ? SOTTO_COUNT(snp_turin) : SOTTO_COUNT(snp_milan_genoa);
    for (size_t i = 0; i < count; i++) {
        if (sotto_chain_extension(chain, list[i].oid, &value) != SOTTO_OK ||
            small_integer(value) != tcb[list[i].at]) {
            return false;
        }
    }
    return true;
}

/* The chip's number, of which Turin has 8 bytes; some certificates wrap it as an OCTET STRING. */
static bool certifies_chip(const struct sotto_chain *chain, const uint8_t *chip_id)
{
    sotto_span value;
    if (sotto_chain_extension(chain, "1.3.6.1.4.1.3704.1.4", &value) != SOTTO_OK) {
        return false;
    }
    if (value.len > 2 && value.base[0] == 4 && value.base[1] == value.len - 2) {
        value = sotto_span_skip(value, 2);
    }
    return (value.len == 8 || value.len == SNP_CHIP_ID_BYTES) &&
           memcmp(value.base, chip_id, value.len) == 0;
}

/* --- proof ------------------------------------------------------------------------------------ */

/* Most significant byte first, as everybody else writes them.  False: too large. */
static bool turn_number(const uint8_t *little, uint8_t big[SNP_CURVE_BYTES])
{
    uint8_t above = 0;
    for (size_t i = 0; i < SNP_NUMBER_BYTES; i++) {
        if (i < SNP_CURVE_BYTES) {
            big[SNP_CURVE_BYTES - 1 - i] = little[i];
        } else {
            above |= little[i];
        }
    }
    return above == 0;
}

static enum sotto_err check_signature(const struct sotto_chain *chain, const uint8_t *report)
{
    uint8_t raw[2 * SNP_CURVE_BYTES];
    const uint8_t *signature = report + SNP_SIGNED_BYTES;
    if (!turn_number(signature, raw) ||
        !turn_number(signature + SNP_NUMBER_BYTES, raw + SNP_CURVE_BYTES)) {
        return SOTTO_EAUTH;
    }
    return sotto_chain_signed(chain, SOTTO_ECDSA_P384, sotto_span_init(report, SNP_SIGNED_BYTES),
                              sotto_span_init(raw, sizeof(raw)));
}

static enum sotto_err snp_prove(sotto_span evidence, const struct attest_trust *trust,
                                const char **why)
{
    const uint8_t *report = evidence.base;
    bool chip_key = (attest_u32(report + SNP_KEY_INFO) >> 2 & 7) == SNP_KEY_VCEK;
    struct sotto_chain *chain = NULL;
    enum sotto_err err = sotto_chain_new(&chain);
    if (err != SOTTO_OK) {
        return attest_fail(why, "out of memory", err);
    }
    if ((err = read_table(sotto_span_skip(evidence, SNP_REPORT_BYTES),
                          chip_key ? snp_guid_vcek : snp_guid_vlek, chain)) != SOTTO_OK) {
        err = attest_fail(why, "the table of certificates cannot be read", err);
    } else if ((err = sotto_chain_verify(chain, trust->roots, trust->root_count, trust->now_s)) !=
               SOTTO_OK) {
        err = attest_fail(why, "the certificates do not lead to a root of the maker", err);
    } else if ((err = check_signature(chain, report)) != SOTTO_OK) {
        err = attest_fail(why, "the report's signature is wrong", err);
    } else if (!certifies_versions(chain, report + SNP_TCB)) {
        err = attest_fail(why, "the certificate is for other firmware", SOTTO_EAUTH);
    } else if (chip_key && !certifies_chip(chain, report + SNP_CHIP_ID)) {
        err = attest_fail(why, "the certificate is for another chip", SOTTO_EAUTH);
    }
    sotto_chain_free(chain);
    return err;
}

const struct attest_kind attest_snp = {
    .name = "sev-snp",
    .read = snp_read,
    .prove = snp_prove,
};
