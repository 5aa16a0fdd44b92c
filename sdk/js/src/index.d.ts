// SPDX-License-Identifier: Apache-2.0

/** What came does not open, or is no sealed answer where one was asked for. */
export class SealError extends Error {}

/** A sealed stream ended before its last record. */
export class CutStream extends SealError {}

/** The gateway has another signing key than the one that is trusted. */
export class UntrustedGateway extends Error {}

/** Where the first signing key of each gateway is kept, by its address. */
export interface KeyStore {
  get(address: string): string | null | undefined | Promise<string | null | undefined>
  set(address: string, key: string): void | Promise<void>
}

export interface SealedFetchOptions {
  /** The suite; a member `encryption` of a request chooses another one for it. Default: auto (X-Wing). */
  encryption?: 'auto' | 'x-wing' | 'kyber512' | 'rsa4096'
  /** Signing keys in base64, as `GET /v1/seal/keys` shows them: only these are believed. */
  pinned?: readonly string[]
  /** Without `pinned`: keeps the first key of an address. Default: for the life of the program. */
  store?: KeyStore
  /** What sends. Default: the global fetch. */
  fetch?: typeof globalThis.fetch
}

/** A fetch that seals requests to a Sotto gateway and opens its answers. */
export function sealedFetch(options?: SealedFetchOptions): typeof globalThis.fetch
