/** Door of the simulator: a ClaimX API with media, an event stream, and the truth about both. */
export type * from './types.ts'
