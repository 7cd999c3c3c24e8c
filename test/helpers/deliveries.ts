/** Records as a stage gets them, decoded by the stage itself. */
import type { LogRecord, ProducerRecord } from '../../src/ports/index.ts'
import type { BatchResult, Delivery, Outcome, StageSpec } from '../../src/runtime/index.ts'

export function recordOf(
  topic: string,
  value: string | Uint8Array | null,
  parts: Partial<LogRecord> = {}
): LogRecord {
  return {
    topic,
    partition: 0,
    offset: 0n,
    timestamp: Date.UTC(2026, 0, 15),
    key: null,
    headers: {},
    ...parts,
    value: typeof value === 'string' ? new TextEncoder().encode(value) : value
  }
}

export function deliver<M>(stage: StageSpec<M>, ...values: string[]): Delivery<M>[] {
  return values.map((value, index) => {
    const record = recordOf(stage.inputs[0] ?? '', value, { offset: BigInt(index) })
    return { record, message: stage.decode(record) }
  })
}

export function process<M>(
  stage: StageSpec<M>,
  values: readonly string[],
  signal = new AbortController().signal
): Promise<BatchResult> {
  return stage.process(deliver(stage, ...values), signal)
}

export function rowsOf(result: BatchResult, table: string) {
  return result.writes.filter(write => write.table.name === table).flatMap(({ rows }) => rows)
}

export function kinds(outcomes: readonly Outcome[]): string[] {
  return outcomes.map(({ kind }) => kind)
}

export function produced(result: BatchResult, topic?: string): ProducerRecord[] {
  const all = result.outcomes.flatMap(({ records }) => records)
  return topic === undefined ? all : all.filter(record => record.topic === topic)
}

export function json(record: ProducerRecord | undefined): Record<string, unknown> {
  return JSON.parse(String(record?.value)) as Record<string, unknown>
}
