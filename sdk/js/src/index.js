// SPDX-License-Identifier: Apache-2.0
/** Sealed, private chat through a Sotto gateway: see README.md. */

export { audit, auditSteps, verifyAudit } from './audit.js'
export { AuditError, AuditPending, CutStream, SealError, UntrustedGateway, UntrustedLog } from './errors.js'
export { sealedFetch } from './fetch.js'
export { useMlKem } from './kem.js'
