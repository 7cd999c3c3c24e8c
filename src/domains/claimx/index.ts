/** The ClaimX domain: what a claim event means. Pure; no I/O, no clock, no randomness. */
export * from './blob-path.ts'
export * from './event-types.ts'
export * from './events.ts'
export type * from './handlers/types.ts'
export * from './messages/index.ts'
export * from './table-names.ts'
export * from './url-expiry.ts'
