/** The rows of one file of the Parquet engine for tests (memory-parquet.ts). */
import type { CellValue } from '../../src/core/index.ts'
import { type DataFile, type EngineColumn, hasPosition, isNested } from '../../src/delta/index.ts'
import { nestedCell, partitionCell, storedCell } from './memory-parquet-values.ts'

export interface Content {
  /** By physical name. */
  readonly columns: readonly { readonly name: string; readonly id?: number }[]
  readonly rows: readonly (readonly CellValue[])[]
}

/** The rows of one file that are not deleted. */
export class FileReader {
  readonly positions: readonly number[]
  readonly count: number
  readonly #content: Content
  readonly #file: DataFile
  readonly #columns: readonly EngineColumn[]
  readonly #indexes: ReadonlyMap<EngineColumn, number>

  constructor(content: Content, file: DataFile, columns: readonly EngineColumn[]) {
    this.#content = content
    this.#file = file
    this.#columns = columns
    this.count = content.rows.length
    const { only, deleted } = file
    this.positions = [...content.rows.keys()].filter(at =>
      only === undefined ? !hasPosition(deleted, at) : hasPosition(only, at)
    )
    this.#indexes = new Map(
      columns.map(column => [
        column,
        content.columns.findIndex(({ name, id }) =>
          column.foundById === true ? id === column.fieldId : name === column.physicalName
        )
      ])
    )
  }

  cell(position: number, column: EngineColumn): CellValue {
    if (column.partition) {
      return partitionCell(this.#file.partitionValues[column.physicalName] ?? null, column)
    }
    const stored = this.#content.rows[position]?.[this.#indexes.get(column) ?? -1]
    if (stored != null && isNested(column.type)) return nestedCell(String(stored), column.type)
    return storedCell(stored ?? this.#default(position, column), column)
  }

  #default(position: number, { generated }: EngineColumn): CellValue | undefined {
    const { baseRowId, commitVersion } = this.#file
    if (generated === 'commitVersion') return commitVersion
    if (generated === undefined || baseRowId === undefined) return undefined
    return BigInt(baseRowId) + BigInt(position)
  }

  row(position: number): Record<string, CellValue> {
    const values: Record<string, CellValue> = {}
    for (const column of this.#columns) values[column.name] = this.cell(position, column)
    return values
  }
}
