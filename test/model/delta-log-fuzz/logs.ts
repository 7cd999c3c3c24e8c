/** The valid logs that the fuzzing starts from, and what each of their versions holds. */
import { readFileSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DeltaPorts, DeltaTable, type Snapshot } from '../../../src/delta/index.ts'
import { openMemoryDelta } from '../../helpers/memory-delta.ts'

export interface BaseLog {
  readonly name: string
  /** Contents of `_delta_log` by the path below it. */
  readonly files: ReadonlyMap<string, Buffer>
  readonly newest: number
  /** By version, as far as they can be read. */
  readonly states: ReadonlyMap<number, string>
  /** Checkpoints are real Parquet. */
  readonly parquet: boolean
}

/**
 * All that a snapshot says, as a text that can be compared. `stats`: statistics too, which a checkpoint of another
 * engine may give otherwise than the commits.
 */
export function stateText(snapshot: Snapshot, stats: boolean): string {
  const { version, protocol, metadata, files, transactions, domains } = snapshot
  const { schemaString, partitionColumns, configuration } = metadata
  const { minReaderVersion, minWriterVersion, readerFeatures, writerFeatures } = protocol
  return JSON.stringify(
    [
      version,
      sorted({ minReaderVersion, minWriterVersion, readerFeatures, writerFeatures }),
      schemaString,
      partitionColumns,
      sorted(configuration),
      [...files]
        .map(([key, add]) => [
          key,
          add.size,
          sorted(add.partitionValues ?? {}),
          stats ? (add.stats ?? null) : null,
          add.deletionVector?.cardinality ?? null
        ])
        .sort(byText),
      [...transactions].sort(byText),
      [...domains].map(([domain, { configuration: value }]) => [domain, value]).sort(byText)
    ],
    (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)
  )
}

function byText(a: unknown, b: unknown): number {
  return JSON.stringify(a) < JSON.stringify(b) ? -1 : 1
}

function sorted(value: object): unknown {
  return Object.entries(value)
    .filter(([, inner]) => inner != null)
    .sort(byText)
}

/** What the log holds, version by version. */
export async function statesOf(
  ports: DeltaPorts,
  scratch: string,
  path: string,
  stats: boolean
): Promise<Map<number, string>> {
  const table = await DeltaTable.open(path, ports, { scratch })
  const states = new Map<number, string>()
  const { version: newest } = await table.snapshot()
  for (let version = 0; version <= newest; version++) {
    const snapshot = await table.snapshot(version).catch(() => undefined)
    if (snapshot !== undefined) states.set(version, stateText(snapshot, stats))
  }
  await table.close()
  return states
}

const SPEC = {
  columns: [
    { name: 'id', type: 'string', nullable: false },
    { name: 'place', type: 'string', nullable: true },
    { name: 'n', type: 'long', nullable: true }
  ]
} as const

/** Logs of our own operations. */
export async function ownLogs(): Promise<BaseLog[]> {
  const rare = { 'delta.checkpointInterval': '1000' }
  const features = {
    'delta.enableInCommitTimestamps': 'true',
    'delta.enableDeletionVectors': 'true'
  }
  return [
    await ownLog('commits alone', rare, false),
    await ownLog('checkpoints', { 'delta.checkpointInterval': '5' }, false),
    await ownLog('features', { ...features, 'delta.checkpointInterval': '7' }, true),
    await ownLog('features without checkpoints', { ...features, ...rare }, true)
  ]
}

async function ownLog(
  name: string,
  properties: Record<string, string>,
  compacted: boolean
): Promise<BaseLog> {
  await using delta = await openMemoryDelta()
  const spec = { ...SPEC, properties, ...(compacted ? {} : { partitionBy: ['place'] }) }
  const table = await DeltaTable.openOrCreate('t', spec, delta.ports, delta.options)
  const places = [null, 'a', 'b/c %', 'ü=']
  for (let i = 1; i <= 14; i++) {
    delta.now += 60_000
    const rows = [1, 2, 3].map(k => ({
      id: `k${(i * k) % 9}`,
      place: places[k] ?? null,
      n: 2n ** 60n + BigInt(i)
    }))
    const keys = new Map(rows.map(row => [row.id, row]))
    const transaction = { appId: `app${i % 2}`, version: i }
    await table.merge([...keys.values()], { keys: ['id'], overwrite: true }, { transaction })
    if (i === 6) await table.setProperties({ own: 'x' })
    await table.settled()
  }
  if (compacted) await table.compactLog(9, 12)
  await table.close()
  const files = new Map<string, Buffer>()
  for (const path of await delta.logNames()) {
    files.set(path, Buffer.from(await delta.ports.store.get(`t/_delta_log/${path}`)))
  }
  const states = await statesOf(delta.ports, delta.options.scratch, 't', true)
  return { name, files, newest: Math.max(...states.keys()), states, parquet: false }
}

/** The log of a table on the local disk, by any engine. Undefined when ours does not read it. */
export async function foreignLog(
  ports: DeltaPorts,
  scratch: string,
  name: string,
  directory: string
): Promise<BaseLog | undefined> {
  const files = new Map<string, Buffer>()
  const log = join(directory, '_delta_log')
  for (const path of await readdir(log, { recursive: true })) {
    if (/\.(json|parquet|crc)$|_last_checkpoint$/.test(path)) {
      files.set(path, readFileSync(join(log, path)))
    }
  }
  for (const [path, bytes] of files) await ports.store.put(`base/_delta_log/${path}`, bytes)
  try {
    const states = await statesOf(ports, scratch, 'base', false)
    const newest = Math.max(...states.keys())
    return newest < 0 ? undefined : { name, files, newest, states, parquet: true }
  } catch {
    return undefined
  } finally {
    for (const path of files.keys()) await ports.store.delete(`base/_delta_log/${path}`)
  }
}
