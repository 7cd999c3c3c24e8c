/** What actions are about (PROTOCOL.md "Action Reconciliation"). */
import type { Action } from '../actions.ts'
import { fileKey } from '../log-state.ts'

/**
 * Whether each file, application and domain occurs once, as the protocol has it. Databricks has written
 * files that repeat what later commits undo, in no order that tells which of them holds.
 */
export function isReconciled(actions: readonly Action[]): boolean {
  const keys = actions.map(keyOf).filter(key => key !== undefined)
  return new Set(keys).size === keys.length
}

/** The file, application, domain or part of the table that an action is about; undefined when of none. */
export function keyOf({
  add,
  remove,
  metaData,
  protocol,
  txn,
  domainMetadata
}: Action): string | undefined {
  if (add != null) return `file ${fileKey(add)}`
  if (remove != null) return `file ${fileKey(remove)}`
  if (metaData != null) return 'metaData'
  if (protocol != null) return 'protocol'
  if (txn != null) return `txn ${txn.appId}`
  return domainMetadata == null ? undefined : `domain ${domainMetadata.domain}`
}
