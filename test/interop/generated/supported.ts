/** Which types and features our engine writes today, found out by trying each on a table of its own. */
import { DeltaTable } from '../../../src/delta/index.ts'
import type { TestDelta } from '../../helpers/delta.ts'
import { FEATURES, type Feature } from './features.ts'
import { Random } from './random.ts'
import { typeText } from './table.ts'
import { COLUMN_KINDS, type ColumnKind } from './types.ts'

export interface Supported {
  readonly kinds: readonly ColumnKind[]
  readonly features: readonly Feature[]
  /** Names of what is left out. */
  readonly missing: readonly string[]
}

export async function whatIsSupported(delta: TestDelta): Promise<Supported> {
  const missing: string[] = []
  const kinds: ColumnKind[] = []
  for (const [index, kind] of COLUMN_KINDS.entries()) {
    const works = await tries(delta, `probe-type-${index}`, kind, {})
    if (works) kinds.push(kind)
    else missing.push(typeText(kind.type))
  }
  const features: Feature[] = []
  for (const [index, feature] of FEATURES.entries()) {
    const kind = COLUMN_KINDS[0] as ColumnKind
    const works = await tries(delta, `probe-feature-${index}`, kind, feature.properties)
    if (works) features.push(feature)
    else missing.push(feature.name)
  }
  return { kinds, features, missing }
}

/** False when it is refused as unsupported or of an unknown type; other errors are errors. */
async function tries(
  delta: TestDelta,
  path: string,
  kind: ColumnKind,
  properties: Readonly<Record<string, string>>
): Promise<boolean> {
  const column = { name: 'c', type: kind.type, nullable: true }
  try {
    const spec = { columns: [column], properties }
    const table = await DeltaTable.openOrCreate(path, spec, delta.ports, delta.options)
    await table.append([{ c: kind.value(new Random(1)) }])
    await table.close()
    return true
  } catch (error) {
    const code = (error as { code?: string }).code ?? ''
    if (['DELTA_UNSUPPORTED', 'DELTA_SCHEMA_MISMATCH', 'DELTA_PROPERTY_INVALID'].includes(code)) {
      return false
    }
    throw error
  }
}
