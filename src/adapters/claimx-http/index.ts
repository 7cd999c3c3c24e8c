/** The ClaimX REST API over HTTP (reference/claimx-api.md). */
export { openClaimxHttp } from './client.ts'
export type { ClaimxHttpPorts } from './exchange.ts'
export type { ClaimxHttpOptions } from './options.ts'
