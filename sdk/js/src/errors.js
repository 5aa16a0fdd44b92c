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

/**
 * An entry of the audit log does not hold.  `step` says what of it: "form", "entry" (it is another
 * request's), "record" (the entry commits to another one), "inclusion" (it is not in the log) or
 * "signature" (the log did not sign the checkpoint).
 */
export class AuditError extends Error {
  name = 'AuditError'

  constructor(step, why) {
    super(`The audit entry does not hold: ${why}.`)
    this.step = step
  }
}

/** An entry is not under a checkpoint yet: ask again in a second. */
export class AuditPending extends Error {
  name = 'AuditPending'
}

/** The gateway's audit log has another key than the one that is trusted. */
export class UntrustedLog extends Error {
  name = 'UntrustedLog'
}
