// SPDX-License-Identifier: Apache-2.0

/** What came does not open, or is no sealed answer where one was asked for. */
export class SealError extends Error {}

/** A sealed stream ended before its last record. */
export class CutStream extends SealError {}

/** The gateway has another signing key than the one that is trusted. */
export class UntrustedGateway extends Error {}

/** An entry of the audit log does not hold. */
export class AuditError extends Error {
  /** What of it: another request's entry, another record, not in the log, not signed by the log. */
  readonly step: 'form' | 'entry' | 'record' | 'inclusion' | 'signature'
}

/** An entry is not under a checkpoint yet: ask again in a second. */
export class AuditPending extends Error {}

/** The gateway's audit log has another key than the one that is trusted. */
export class UntrustedLog extends Error {}

/** Where the first signing key of each gateway is kept, by its address. */
export interface KeyStore {
  get(address: string): string | null | undefined | Promise<string | null | undefined>
  set(address: string, key: string): void | Promise<void>
}

export interface SealedFetchOptions {
  /** The suite; a member `encryption` of a request chooses another one for it. Default: auto (X-Wing). */
  encryption?: 'auto' | 'x-wing' | 'kyber512' | 'rsa4096'
  /** How it is sealed; privatemode, the protocol of Privatemode's clients, has X-Wing only. Default: native. */
  profile?: 'native' | 'privatemode'
  /** For privatemode: the mesh CA as PEM text, as `sotto keys mesh` prints it: only its gateways are believed. */
  meshCa?: string
  /** For native: signing keys in base64, as `GET /v1/seal/keys` shows them: only these are believed. */
  pinned?: readonly string[]
  /** Without `pinned` or `meshCa`: keeps the first key or CA of an address. Default: for the life of the program. */
  store?: KeyStore
  /** What sends. Default: the global fetch. */
  fetch?: typeof globalThis.fetch
}

/** A fetch that seals requests to a Sotto gateway and opens its answers. */
export function sealedFetch(options?: SealedFetchOptions): typeof globalThis.fetch

/** For pages that bring the module `@noble/post-quantum/ml-kem.js` along: `load` gives it where WebCrypto lacks ML-KEM. */
export function useMlKem(load: () => Promise<object>): void

/** An entry of the audit log that holds. */
export interface AuditEntry {
  id: string
  /** What the gateway wrote down of the request; null where that was erased. */
  record: Record<string, unknown> | null
  erased: boolean
  /** Place of the entry in the log, and entries under the checkpoint. */
  index: number
  size: number
  /** Name of the log. */
  origin: string
}

export interface AuditOptions {
  /** The log's key as `sotto audit vkey` prints it: only this log is believed. */
  logKey?: string
  /** Without `logKey`: keeps the first key of an address. Default: for the life of the program. */
  store?: KeyStore
  /** What sends. Default: the global fetch. */
  fetch?: typeof globalThis.fetch
  /** Milliseconds to wait until the entry is under a checkpoint. Default: 10,000. */
  timeout?: number
  signal?: AbortSignal
}

/** Reads the log's entry of a request and checks it; a client of the `openai` package will do. */
export function audit(client: { baseURL: string; apiKey: string | null }, id: string, options?: AuditOptions): Promise<AuditEntry>

/** Checks the body of `GET /v1/audit/{id}`, as it came. */
export function verifyAudit(id: string, answer: string, logKey: string): Promise<AuditEntry>

/** The same step by step, for showing; `good` is null where it was not checked. */
export function auditSteps(id: string, answer: string, logKey: string | null): Promise<{
  steps: { good: boolean | null; what: string }[]
  record: string | null
}>
