/* SPDX-License-Identifier: Apache-2.0 */

#include "crypto/random.h"

#include <limits.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "crypto/crypto.h"

static struct sotto_fault fault;

size_t sotto_crypto_random_set_fault(size_t countdown)
{
    return sotto_fault_set(&fault, countdown);
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
 * What is handed out is wiped from the stock.  A child that is forked starts without one: OpenSSL
 * seeds its own generator anew there, but the stock would be the parent's. */
#define RANDOM_STOCK_BYTES 1024
#define RANDOM_SHORT       64

static _Thread_local uint8_t stock[RANDOM_STOCK_BYTES];
static _Thread_local size_t stock_left;

static pthread_once_t stock_once = PTHREAD_ONCE_INIT;
static bool stock_allowed;

/* Of the parent's threads only the one that forked goes on in the child, with its stock. */
static void drop_stock(void)
{
    sotto_wipe(stock, sizeof(stock));
    stock_left = 0;
}

static void watch_forks(void)
{
    stock_allowed = pthread_atfork(NULL, NULL, drop_stock) == 0;
}

static bool take(uint8_t *out, size_t n)
{
    pthread_once(&stock_once, watch_forks);
    if (!stock_allowed) {
        return fill(out, n);
    }
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
    if (!sotto_fault_hits(&fault) && sotto_crypto_init() == SOTTO_OK &&
        (n <= RANDOM_SHORT ? take(out, n) : fill(out, n))) {
        return SOTTO_OK;
    }
    sotto_wipe(out, n);
    return SOTTO_ECRYPTO;
}
