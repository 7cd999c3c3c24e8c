/** The handlers, as a plain map; `route` in event-types.ts says which one an event belongs to. */
import type { HandlerName } from '../event-types.ts'
import { mediaHandler } from './media.ts'
import { policyholderHandler } from './policyholder.ts'
import { projectHandler } from './project.ts'
import { taskHandler } from './task.ts'
import type { Handler } from './types.ts'
import { videoHandler } from './video.ts'

export const handlers: Readonly<Record<HandlerName, Handler>> = {
  project: projectHandler,
  media: mediaHandler,
  task: taskHandler,
  policyholder: policyholderHandler,
  video: videoHandler
}

export { oneByOneCalls } from './one-by-one.ts'
export type * from './types.ts'
