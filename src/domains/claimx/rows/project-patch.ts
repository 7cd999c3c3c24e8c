/**
 * Patches of `claimx_projects`: they name exactly the columns they set, so that they never erase what
 * a full row stored (reference/claimx-tables.md section 12.2). `created_at` counts only on insert.
 */
import type { Micros, Row } from '../../../core/index.ts'

function patch(projectId: string, columns: Row, now: Micros): Row {
  return { project_id: projectId, ...columns, created_at: now, updated_at: now }
}

/** The event is authoritative over the API, which may still answer with the old name. */
export function masterFileNamePatch(projectId: string, name: string | null, now: Micros): Row {
  return patch(projectId, name === null ? {} : { master_file_name: name }, now)
}

export function invitedPatch(projectId: string, eventTime: Micros, now: Micros): Row {
  return patch(projectId, { policyholder_invited_at: eventTime }, now)
}

export function joinedPatch(projectId: string, eventTime: Micros, now: Micros): Row {
  return patch(projectId, { policyholder_joined_at: eventTime }, now)
}

export function autolinkFailedPatch(projectId: string, eventTime: Micros, now: Micros): Row {
  return patch(projectId, { xa_autolink_fail: true, xa_autolink_fail_at: eventTime }, now)
}
