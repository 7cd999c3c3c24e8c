/** Result processor: completed uploads become rows of `claimx_attachments`, the inventory of files. */
import { isPipelineError, MessageError, microsFromMillis } from '../../core/index.ts'
import {
  attachmentRow,
  claimxTables,
  decodeUploadResult,
  type UploadResult
} from '../../domains/claimx/index.ts'
import type { StageSpec } from '../../runtime/index.ts'
import { stages, topics } from '../../topology.ts'
import { envelopesOf } from '../dead-letters.ts'
import type { StageOptions, WorkerPorts } from '../stage-options.ts'

const stage = stages['result-processor']
const table = claimxTables.claimx_attachments

export function resultProcessor(
  options: StageOptions,
  ports: WorkerPorts
): StageSpec<UploadResult> {
  const undecodable = envelopesOf(
    stage,
    topics.claimx.downloadsDlq,
    options.maxRecordBytes,
    ports.clock
  )
  return {
    worker: stage.worker,
    domain: 'claimx',
    inputs: stage.inputs,
    group: stage.group,
    ...options,
    batchesInFlight: 2,
    tables: [table],
    decode: record => decodeUploadResult(record.value),
    process: async batch => {
      const now = microsFromMillis(ports.clock.now())
      const completed = batch.filter(({ message }) => message.status === 'completed')
      return {
        // Failed uploads have their dead letter already; they leave no row in the inventory.
        outcomes: batch.map(({ message }) => ({
          kind: message.status === 'completed' ? 'done' : 'skipped',
          records: []
        })),
        writes: [{ table, rows: completed.map(({ message }) => attachmentRow(message, now)) }]
      }
    },
    failed: ({ record }, cause) => {
      const error = isPipelineError(cause)
        ? cause
        : new MessageError('MESSAGE_INVALID', 'the result cannot be stored', { cause })
      const records = [undecodable(record, error)]
      return { outcomes: [{ kind: 'dead', records, error }], writes: [] }
    },
    undecodable
  }
}
