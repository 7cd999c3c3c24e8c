/**
 * The table properties with a meaning to Delta, and what each may be set to. A property that starts
 * with `delta.` and is not here is refused: it would be kept and do nothing. Others are the user's own.
 */
import { DeltaError } from '../../core/index.ts'
import { columnPaths } from '../table-properties.ts'
import { featureNamed } from './features.ts'

export const FEATURE_PREFIX = 'delta.feature.'
export const CONSTRAINT_PREFIX = 'delta.constraints.'

interface Rule {
  /** What is allowed, for people. */
  readonly allowed: string
  accepts(value: string): boolean
}

const INTERVAL =
  /^\s*(?:interval\s+)?(?:\d+\s+(?:nanosecond|microsecond|millisecond|second|minute|hour|day|week)s?\s*)+$/i
const BYTES = /^\s*\d+\s*(?:[kmgt]?b?)?\s*$/i

const boolean = oneOf('true', 'false')
const interval = rule('an interval such as `interval 7 days`', value => INTERVAL.test(value))
const bytes = rule(
  'a size such as `128mb`',
  value => BYTES.test(value) && Number.parseInt(value, 10) > 0
)
const internal = rule('nothing: it is set by the engine itself', () => false)

const RULES: Readonly<Record<string, Rule>> = {
  'delta.appendOnly': boolean,
  'delta.autoOptimize': boolean,
  'delta.autoOptimize.autoCompact': oneOf('true', 'false', 'auto', 'legacy'),
  'delta.autoOptimize.optimizeWrite': boolean,
  'delta.checkpoint.writeStatsAsJson': boolean,
  'delta.checkpoint.writeStatsAsStruct': boolean,
  'delta.checkpointInterval': integer(1),
  'delta.checkpointPolicy': oneOf('classic', 'v2'),
  'delta.checkpointRetentionDuration': interval,
  'delta.columnMapping.maxColumnId': internal,
  'delta.columnMapping.mode': oneOf('none', 'name', 'id'),
  'delta.compatibility.symlinkFormatManifest.enabled': oneOf('false'),
  'delta.dataSkippingNumIndexedCols': integer(-1),
  'delta.dataSkippingStatsColumns': rule(
    'column names with commas between them',
    value => columnPaths(value) !== undefined
  ),
  'delta.deletedFileRetentionDuration': interval,
  'delta.enableChangeDataFeed': boolean,
  'delta.enableDeletionVectors': boolean,
  'delta.enableExpiredLogCleanup': boolean,
  'delta.enableFullRetentionRollback': boolean,
  'delta.enableIcebergCompatV1': boolean,
  'delta.enableIcebergCompatV2': boolean,
  'delta.enableIcebergCompatV3': boolean,
  'delta.enableInCommitTimestamps': boolean,
  'delta.enableRowTracking': boolean,
  'delta.enableTypeWidening': boolean,
  'delta.enableVariantShredding': boolean,
  'delta.inCommitTimestampEnablementTimestamp': internal,
  'delta.inCommitTimestampEnablementVersion': internal,
  'delta.isolationLevel': oneOf('Serializable', 'WriteSerializable', 'SnapshotIsolation'),
  'delta.logRetentionDuration': interval,
  'delta.minReaderVersion': oneOf('1', '2', '3'),
  'delta.minWriterVersion': oneOf('2', '3', '4', '5', '6', '7'),
  // `lz4` is Hadoop's own framing, which is deprecated and cannot be written here.
  'delta.parquet.compression.codec': oneOf(
    'snappy',
    'zstd',
    'gzip',
    'lz4_raw',
    'uncompressed',
    'none'
  ),
  'delta.parquet.format.version': oneOf('1.0.0'),
  'delta.parquet.vorder.enabled': boolean,
  'delta.randomPrefixLength': integer(1),
  'delta.randomizeFilePrefixes': boolean,
  'delta.rowTracking.materializedRowCommitVersionColumnName': internal,
  'delta.rowTracking.materializedRowIdColumnName': internal,
  'delta.rowTrackingSuspended': boolean,
  'delta.setTransactionRetentionDuration': interval,
  'delta.targetFileSize': bytes,
  'delta.tuneFileSizesForRewrites': boolean
}

const BY_LOWER_CASE = new Map(Object.keys(RULES).map(key => [key.toLowerCase(), key]))

/** The key in its own spelling. Rejects unknown ones and values that are not allowed. */
export function checkedProperty(key: string, value: string): string {
  if (!key.toLowerCase().startsWith('delta.')) return key
  if (key.startsWith(FEATURE_PREFIX)) return checkedFeature(key, value)
  if (key.toLowerCase().startsWith(CONSTRAINT_PREFIX)) return key.toLowerCase()
  const name = BY_LOWER_CASE.get(key.toLowerCase())
  const known = name === undefined ? undefined : RULES[name]
  if (name === undefined || known === undefined) {
    throw new DeltaError('DELTA_PROPERTY_INVALID', `There is no table property ${key}`)
  }
  if (known.accepts(value)) return name
  throw new DeltaError(
    'DELTA_PROPERTY_INVALID',
    `The table property ${key} cannot be ${JSON.stringify(value)}; allowed is ${known.allowed}`
  )
}

function checkedFeature(key: string, value: string): string {
  const name = key.slice(FEATURE_PREFIX.length)
  if (featureNamed(name) === undefined) {
    throw new DeltaError('DELTA_PROPERTY_INVALID', `There is no table feature ${name} (${key})`)
  }
  if (value === 'supported' || value === 'enabled') return key
  throw new DeltaError(
    'DELTA_PROPERTY_INVALID',
    `The table property ${key} cannot be ${JSON.stringify(value)}; allowed is supported`
  )
}

function rule(allowed: string, accepts: (value: string) => boolean): Rule {
  return { allowed, accepts }
}

function oneOf(...values: readonly string[]): Rule {
  const known = new Set(values.map(value => value.toLowerCase()))
  return rule(values.join(', '), value => known.has(value.toLowerCase()))
}

function integer(from: number): Rule {
  return rule(
    `a whole number from ${from}`,
    value => /^-?\d{1,9}$/.test(value) && Number(value) >= from
  )
}
