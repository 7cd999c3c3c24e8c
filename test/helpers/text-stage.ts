/** A stage whose messages are the text of their records, for tests of the loop; parts can be replaced. */
import { MessageError, type TableDef } from '../../src/core/index.ts'
import type { ProducerRecord } from '../../src/ports/index.ts'
import type { BatchResult, Delivery, StageSpec } from '../../src/runtime/index.ts'

export const itemTable: TableDef = {
  name: 'items',
  doc: 'one row a message',
  mergeKey: ['id'],
  columns: [{ name: 'id', type: 'string', nullable: false, policy: 'key', doc: 'the message' }]
}

/** Each message becomes one row and one record on `out`. */
export function textStage(parts: Partial<StageSpec<string>> = {}): StageSpec<string> {
  return {
    worker: 'texts',
    domain: 'claimx',
    inputs: ['in'],
    group: 'group',
    batchRecords: 2,
    batchBytes: 1_000_000,
    batchesInFlight: 2,
    lingerMs: 0,
    tables: [itemTable],
    decode: record => {
      const text = new TextDecoder().decode(record.value ?? undefined)
      if (text.startsWith('bad')) throw new MessageError('MESSAGE_INVALID', 'not a text')
      return text
    },
    process: async batch => done(batch),
    failed: ({ message }, error) => ({
      outcomes: [{ kind: 'dead', records: [deadLetter(`failed ${message}: ${text(error)}`)] }],
      writes: []
    }),
    undecodable: record =>
      deadLetter(`undecodable ${new TextDecoder().decode(record.value ?? undefined)}`),
    ...parts
  }
}

export function done(batch: readonly Delivery<string>[]): BatchResult {
  return {
    outcomes: batch.map(({ message }) => ({
      kind: 'done',
      records: [{ topic: 'out', value: message }]
    })),
    writes: [{ table: itemTable, rows: batch.map(({ message }) => ({ id: message })) }]
  }
}

function deadLetter(value: string): ProducerRecord {
  return { topic: 'dlq', value }
}

function text(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
