/* SPDX-License-Identifier: Apache-2.0 */

#include "attest/kind.h"

#include "base/reader.h"
#include "crypto/hash.h"

/*
 * Quotes of TDX, versions 4 and 5 (Intel, "TDX DCAP Quoting Library API", appendix A.3 and A.4).
 * The guest's module is vouched for by an attestation key, that by Intel's quoting enclave, that by
 * the platform's certificate, and that by Intel's root.
 */

#define TDX_HEADER_BYTES    48
#define TDX_BODY_BYTES      584 /* a longer body of version 5 begins with the same fields */
#define TDX_BODY_LONG_BYTES 648
#define TDX_BODY_TDX10      2
#define TDX_BODY_TDX15      3

#define TDX_KEY_ECDSA_P256 2
#define TDX_TEE            0x81U

#define TDX_TCB_SVN     0
#define TDX_ATTRIBUTES  120
#define TDX_MRTD        136
#define TDX_REPORT_DATA 520

#define TDX_ATTRIBUTES_DEBUG 0xffU /* TUD: any of these bits */

#define TDX_CERT_QE_REPORT 6
#define TDX_CERT_PCK_CHAIN 5

#define QE_REPORT_BYTES      384
#define QE_ATTRIBUTES        48
#define QE_ATTRIBUTES_DEBUG  2U
#define QE_MRSIGNER          128
#define QE_PRODUCT           256
#define QE_REPORT_DATA       320
#define QE_PRODUCT_TD        2
#define TDX_SIGNATURE_BYTES  64
#define TDX_PUBLIC_KEY_BYTES 64

/* Who signs Intel's quoting enclaves (MRSIGNER in Intel's QE identity). */
static const uint8_t qe_signer[SOTTO_SHA256_BYTES] = {
    0xdc, 0x9e, 0x2a, 0x7c, 0x6f, 0x94, 0x8f, 0x17, 0x47, 0x4e, 0x34, 0xa7, 0xfc, 0x43, 0xed, 0x03,
    0x0f, 0x7c, 0x15, 0x63, 0xf1, 0xba, 0xbd, 0xdf, 0x63, 0x40, 0xc8, 0x2e, 0x0e, 0x54, 0xa8, 0xc5};

/* The parts of a quote, borrowed from it. */
struct tdx_quote {
    sotto_span signed_part; /* header and body */
    sotto_span body;
    sotto_span signature;
    sotto_span key; /* the attestation key */
    sotto_span qe_report;
    sotto_span qe_signature;
    sotto_span qe_auth;
    sotto_span certs;
};

static size_t take_u16(struct sotto_reader *rd)
{
    sotto_span b = sotto_read_bytes(rd, 2);
    return b.len == 2 ? attest_u16(b.base) : 0;
}

static size_t take_u32(struct sotto_reader *rd)
{
    sotto_span b = sotto_read_bytes(rd, 4);
    return b.len == 4 ? attest_u32(b.base) : 0;
}

/* Header and body.  False: not a quote that is understood. */
static bool take_signed(struct sotto_reader *rd, struct tdx_quote *q)
{
    sotto_span header = sotto_read_bytes(rd, TDX_HEADER_BYTES);
    size_t body_len = TDX_BODY_BYTES;
    if (rd->failed || attest_u16(header.base + 2) != TDX_KEY_ECDSA_P256 ||
        attest_u32(header.base + 4) != TDX_TEE) {
        return false;
    }
    if (attest_u16(header.base) == 5) {
        size_t type = take_u16(rd);
        body_len = take_u32(rd);
        if (!(type == TDX_BODY_TDX10 && body_len == TDX_BODY_BYTES) &&
            !(type == TDX_BODY_TDX15 && body_len == TDX_BODY_LONG_BYTES)) {
            return false;
        }
    } else if (attest_u16(header.base) != 4) {
        return false;
    }
    q->body = sotto_read_bytes(rd, body_len);
    if (rd->failed) {
        return false;
    }
    q->signed_part =
        sotto_span_init(header.base, (size_t)(q->body.base + q->body.len - header.base));
    return true;
}

static bool take_parts(sotto_span evidence, struct tdx_quote *q)
{
    struct sotto_reader rd = sotto_reader_init(evidence);
    if (!take_signed(&rd, q)) {
        return false;
    }
    struct sotto_reader sig = sotto_reader_init(sotto_read_bytes(&rd, take_u32(&rd)));
    q->signature = sotto_read_bytes(&sig, TDX_SIGNATURE_BYTES);
    q->key = sotto_read_bytes(&sig, TDX_PUBLIC_KEY_BYTES);
    size_t kind = take_u16(&sig);
    struct sotto_reader qe = sotto_reader_init(sotto_read_bytes(&sig, take_u32(&sig)));
    q->qe_report = sotto_read_bytes(&qe, QE_REPORT_BYTES);
    q->qe_signature = sotto_read_bytes(&qe, TDX_SIGNATURE_BYTES);
    q->qe_auth = sotto_read_bytes(&qe, take_u16(&qe));
    size_t cert_kind = take_u16(&qe);
    q->certs = sotto_read_bytes(&qe, take_u32(&qe));
    return !rd.failed && !sig.failed && !qe.failed && sig.rest.len == 0 && qe.rest.len == 0 &&
           kind == TDX_CERT_QE_REPORT && cert_kind == TDX_CERT_PCK_CHAIN;
}

static enum sotto_err tdx_read(sotto_span evidence, struct sotto_claims *claims)
{
    struct tdx_quote q;
    if (!take_parts(evidence, &q)) {
        return SOTTO_EFORMAT;
    }
    claims->debug = (q.body.base[TDX_ATTRIBUTES] & TDX_ATTRIBUTES_DEBUG) != 0;
    memcpy(claims->report_data, q.body.base + TDX_REPORT_DATA, sizeof(claims->report_data));
    memcpy(claims->measurement, q.body.base + TDX_MRTD, sizeof(claims->measurement));
    memcpy(claims->tcb, q.body.base + TDX_TCB_SVN, sizeof(claims->tcb));
    return SOTTO_OK;
}

/* Whether the report is one of Intel's quoting enclave for TDX and vouches for the key. */
static enum sotto_err check_enclave(const struct tdx_quote *q, const char **why)
{
    const uint8_t *report = q->qe_report.base;
    const sotto_span parts[] = {q->key, q->qe_auth};
    uint8_t hash[SOTTO_SHA256_BYTES];
    enum sotto_err err = sotto_sha256_parts(parts, SOTTO_COUNT(parts), hash);
    if (err != SOTTO_OK) {
        return attest_fail(why, "the cryptographic library failed", err);
    }
    if (memcmp(report + QE_REPORT_DATA, hash, sizeof(hash)) != 0) {
        return attest_fail(why, "the quoting enclave vouches for another key", SOTTO_EAUTH);
    }
    if (memcmp(report + QE_MRSIGNER, qe_signer, sizeof(qe_signer)) != 0 ||
        attest_u16(report + QE_PRODUCT) != QE_PRODUCT_TD ||
        (report[QE_ATTRIBUTES] & QE_ATTRIBUTES_DEBUG) != 0) {
        return attest_fail(why, "the quoting enclave is not the maker's", SOTTO_EAUTH);
    }
    return SOTTO_OK;
}

static enum sotto_err tdx_prove(sotto_span evidence, const struct attest_trust *trust,
                                const char **why)
{
    struct tdx_quote q;
    struct sotto_chain *chain = NULL;
    if (!take_parts(evidence, &q)) {
        return attest_fail(why, "the quote cannot be read", SOTTO_EFORMAT);
    }
    enum sotto_err err = sotto_chain_new(&chain);
    if (err != SOTTO_OK) {
        return attest_fail(why, "out of memory", err);
    }
    if ((err = sotto_chain_add(chain, q.certs)) != SOTTO_OK) {
        err = attest_fail(why, "the certificates cannot be read", err);
    } else if ((err = sotto_chain_verify(chain, trust->roots, trust->root_count, trust->now_s)) !=
               SOTTO_OK) {
        err = attest_fail(why, "the certificates do not lead to a root of the maker", err);
    } else if ((err = sotto_chain_signed(chain, SOTTO_ECDSA_P256, q.qe_report, q.qe_signature)) !=
               SOTTO_OK) {
        err = attest_fail(why, "the signature of the quoting enclave's report is wrong", err);
    } else if ((err = check_enclave(&q, why)) == SOTTO_OK &&
               (err = sotto_ecdsa_signed(q.key.base, q.signed_part, q.signature)) != SOTTO_OK) {
        err = attest_fail(why, "the quote's signature is wrong", err);
    }
    sotto_chain_free(chain);
    return err;
}

const struct attest_kind attest_tdx = {
    .name = "tdx",
    .read = tdx_read,
    .prove = tdx_prove,
};
