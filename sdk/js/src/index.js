// SPDX-License-Identifier: Apache-2.0
/** Sealed, private chat through a Sotto gateway: see README.md. */

export { CutStream, SealError, UntrustedGateway } from './errors.js'
export { sealedFetch } from './fetch.js'
