/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/random.h"

#include <limits.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "crypto/crypto.h"

/* Off in normal operation, so that a call reads one shared flag and writes nothing. */
static atomic_bool fault_armed;
static atomic_size_t fault_seen;
static atomic_size_t fault_at;

static bool fault_hits(void)
{
    if (!atomic_load_explicit(&fault_armed, memory_order_relaxed)) {
        return false;
    }
    return atomic_fetch_add(&fault_seen, 1) + 1 == atomic_load(&fault_at);
}

size_t sotto_crypto_random_set_fault(size_t countdown)
{
    size_t seen = atomic_exchange(&fault_seen, 0);
    atomic_store(&fault_at, countdown);
    atomic_store(&fault_armed, countdown != 0);
    return seen;
}

static bool fill(uint8_t *out, size_t n)
{
    while (n != 0) {
        int part = n < INT_MAX ? (int)n : INT_MAX;
        if (RAND_bytes(out, part) != 1) {
            return false;
        }
        out += part;
        n -= (size_t)part;
    }
    return true;
}

/* Ids and nonces are short and many; the generator's fixed cost is paid once for a stock of them.
 * What is handed out is wiped from the stock.  The process does not fork after its start. */
#define RANDOM_STOCK_BYTES 1024
#define RANDOM_SHORT       64

static _Thread_local uint8_t stock[RANDOM_STOCK_BYTES];
static _Thread_local size_t stock_left;

static bool take(uint8_t *out, size_t n)
{
    if (stock_left < n) {
        if (!fill(stock, sizeof(stock))) {
            return false;
        }
        stock_left = sizeof(stock);
    }
    uint8_t *from = stock + stock_left - n;
    memcpy(out, from, n);
    sotto_wipe(from, n);
    stock_left -= n;
    return true;
}

enum sotto_err sotto_crypto_random(void *out, size_t n)
{
    if (!fault_hits() && sotto_crypto_init() == SOTTO_OK &&
        (n <= RANDOM_SHORT ? take(out, n) : fill(out, n))) {
        return SOTTO_OK;
    }
    sotto_wipe(out, n);
    return SOTTO_ECRYPTO;
}
