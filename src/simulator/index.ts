/** Door of the simulator: a ClaimX API with media, an event stream, and the truth about both. */
export { malformedShare } from './bad-events.ts'
export { checkEndState, expectedSummary } from './check.ts'
export { type FeedOptions, feedEvents } from './feed.ts'
export { startSimulator } from './server.ts'
export type * from './types.ts'
export { createWorld } from './world.ts'
