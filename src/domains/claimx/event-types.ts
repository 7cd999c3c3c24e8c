/**
 * The ten event types and the handler of each (reference/claimx-events.md section 3.1). The set is
 * open: an event of any other type is stored and logged as `skipped`, never retried or dead-lettered.
 */
const routes = {
  PROJECT_CREATED: 'project',
  PROJECT_FILE_ADDED: 'media',
  // Routed as the contract says; the media handler delegates it to the project logic (section 3.4).
  PROJECT_MFN_ADDED: 'media',
  CUSTOM_TASK_ASSIGNED: 'task',
  CUSTOM_TASK_COMPLETED: 'task',
  POLICYHOLDER_INVITED: 'policyholder',
  POLICYHOLDER_JOINED: 'policyholder',
  VIDEO_COLLABORATION_INVITE_SENT: 'video',
  VIDEO_COLLABORATION_COMPLETED: 'video',
  PROJECT_AUTO_XA_LINKING_UNSUCCESSFUL: 'project'
} as const

export type EventType = keyof typeof routes
export type HandlerName = (typeof routes)[EventType]

export const eventTypes = Object.keys(routes) as readonly EventType[]

export const handlerNames = ['project', 'media', 'task', 'policyholder', 'video'] as const

export function isKnown(eventType: string): eventType is EventType {
  return Object.hasOwn(routes, eventType)
}

/** Which handler an event type belongs to; undefined: the event is skipped. */
export function route(eventType: string): HandlerName | undefined {
  return isKnown(eventType) ? routes[eventType] : undefined
}
