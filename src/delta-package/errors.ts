/** Errors of the engine, and how to tell them apart. */
import { DeltaError, type ErrorCode, isPipelineError } from '../core/index.ts'

/** Codes of the engine (`DELTA_…`), of the stores below it (`STORAGE_…`), and of wrong options. */
export type DeltaErrorCode =
  | Extract<ErrorCode, `DELTA_${string}` | `STORAGE_${string}`>
  | 'CONFIG_INVALID'

/** Codes that a store of your own rejects with (`new DeltaError('STORAGE_NOT_FOUND', …)`). */
export type StorageErrorCode = Extract<ErrorCode, `STORAGE_${string}`>

/** True for errors of the engine, of this copy of the package or another; with codes, for those only. */
export function isDeltaError(
  error: unknown,
  ...codes: readonly DeltaErrorCode[]
): error is DeltaError {
  if (!isPipelineError(error)) return false
  const known: readonly string[] = codes
  return known.length === 0 ? error.name === DeltaError.name : known.includes(error.code)
}
