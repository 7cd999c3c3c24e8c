/** The ClaimX REST API over HTTP (reference/claimx-api.md). */
export { type ClaimxHttpPorts, openClaimxHttp } from './client.ts'
export type { ClaimxHttpOptions } from './options.ts'
