/**
 * Writes a classic checkpoint and then the hint to it (PROTOCOL.md "V1 Spec"). A crash between the two
 * leaves a checkpoint that the next listing finds.
 */
import { stringifyJson } from '../core/index.ts'
import type { DataFiles } from './data-files.ts'
import { writeLastCheckpoint } from './log/last-checkpoint.ts'
import { checkpointPath } from './log-path.ts'
import type { LogState } from './log-state.ts'
import type { DeltaPorts } from './ports.ts'
import { deletedFileRetentionMs } from './table-properties.ts'

/** Checkpoints the state as it is when called; later commits to it do not matter. */
export async function writeCheckpoint(
  ports: DeltaPorts,
  data: DataFiles,
  table: string,
  state: LogState
): Promise<number> {
  const { version, metadata } = state.snapshot()
  const keepSince = ports.clock.now() - deletedFileRetentionMs(metadata)
  const actions = state.checkpointActions(keepSince)
  const numOfAddFiles = actions.filter(action => action.add !== undefined).length
  const sizeInBytes = await data.replace(checkpointPath(table, version), local =>
    ports.engine.writeCheckpoint(
      local,
      actions.map(action => stringifyJson(action))
    )
  )
  const size = actions.length
  await writeLastCheckpoint(ports.store, table, { version, size, sizeInBytes, numOfAddFiles })
  state.checkpointed = Math.max(state.checkpointed, version)
  return version
}
