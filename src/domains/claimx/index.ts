/** The ClaimX domain: what a claim event means. Pure; no I/O, no clock, no randomness. */
export * from './event-types.ts'
export type * from './handlers/types.ts'
export type * from './messages/types.ts'
export * from './table-names.ts'
