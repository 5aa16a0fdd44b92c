// SPDX-License-Identifier: Apache-2.0
/** What can go wrong between a client and its gateway. */

/** What came does not open, or is no sealed answer where one was asked for. */
export class SealError extends Error {
  name = 'SealError'
}

/** A sealed stream ended before its last record: somebody may have cut it. */
export class CutStream extends SealError {
  name = 'CutStream'
}

/** The gateway has another signing key than the one that is trusted: trying again does not help. */
export class UntrustedGateway extends Error {
  name = 'UntrustedGateway'
}
