/* SPDX-License-Identifier: Apache-2.0 */

#ifndef SOTTO_BASE_COMPILER_H
#define SOTTO_BASE_COMPILER_H

/*
 * The only place where compiler extensions are named.  gcc 12 and clang 14 accept all of them
 * with -std=c17; C23 spellings ([[nodiscard]]) are not used because gcc 12 accepts them only
 * with -std=c2x.
 */

/** The caller must look at the result.  A deliberate ignore goes through sotto_ignore(). */
#define SOTTO_MUST_CHECK __attribute__((warn_unused_result))

/** Argument number `fmt` is a printf format for the arguments from number `first`. */
#define SOTTO_PRINTF(fmt, first) __attribute__((format(printf, fmt, first)))

/** Symbol of the C library: visible outside the shared object. */
#define SOTTO_EXPORT __attribute__((visibility("default")))

/** Number of zero bits below the lowest one of a 64-bit value that is not 0. */
#define SOTTO_CTZ64(x) ((unsigned)__builtin_ctzll(x))

/** A large local array that is written before it is read: not zeroed at every call. */
#define SOTTO_UNINIT __attribute__((uninitialized))

/** Number of elements of an array (not of a pointer). */
#define SOTTO_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
