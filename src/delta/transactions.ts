/**
 * `txn` actions (PROTOCOL.md "Transaction Identifiers") with compare-and-set: an application that says
 * which version it started from is refused when another run of it got there first, on the first attempt
 * and on every one after a conflict, so that no batch is committed twice.
 */
import { DeltaError } from '../core/index.ts'
import type { Action } from './actions.ts'
import type { Snapshot } from './log-state.ts'

/** A version of the application, committed with the rows: exactly once. */
export interface TransactionOptions {
  /** Names the application, or its share of the work, for ever. */
  readonly appId: string
  /** The new version, as the application counts. */
  readonly version: number
  /** The version that must be stored before; null: none. Without it nothing is compared. */
  readonly expected?: number | null
}

/** Rejects with `DELTA_TRANSACTION_CONFLICT` when the snapshot has another version than expected. */
export function transactionActions(
  snapshot: Snapshot,
  transaction: TransactionOptions | undefined,
  where: string,
  now: number
): Action[] {
  if (transaction === undefined) return []
  const { appId, version, expected } = transaction
  const stored = snapshot.transactions.get(appId) ?? null
  if (expected !== undefined && stored !== expected) {
    throw new DeltaError(
      'DELTA_TRANSACTION_CONFLICT',
      `${where}: the transaction version of ${appId} is ${stored ?? 'absent'}, not ${expected ?? 'absent'} as expected`,
      { details: { appId, stored: String(stored), expected: String(expected) } }
    )
  }
  return [{ txn: { appId, version, lastUpdated: now } }]
}
