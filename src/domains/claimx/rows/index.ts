/** API objects to rows. */
export { attachmentRow } from './attachment.ts'
export { contactId } from './contact.ts'
export type { MappedRows, Provenance } from './mapping.ts'
export { downloadLinkOf, downloadTaskOf, mediaIdOf, mediaRows } from './media.ts'
export { projectRows } from './project.ts'
export {
  autolinkFailedPatch,
  invitedPatch,
  joinedPatch,
  masterFileNamePatch
} from './project-patch.ts'
export { taskProjectId, taskRows } from './task.ts'
export { collaborationIdOf, videoRows } from './video.ts'
