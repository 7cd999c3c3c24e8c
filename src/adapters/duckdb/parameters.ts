/** Named list parameters in the form of the binding. */
import {
  BIGINT,
  type DuckDBType,
  type DuckDBValue,
  LIST,
  listValue,
  VARCHAR
} from '@duckdb/node-api'

export interface Parameters {
  readonly values: Record<string, DuckDBValue>
  readonly types: Record<string, DuckDBType>
}

export function parametersOf(
  lists: Readonly<Record<string, readonly (string | null)[]>>
): Parameters {
  const parameters: Parameters = { values: {}, types: {} }
  for (const [name, list] of Object.entries(lists)) {
    parameters.values[name] = listValue([...list])
    parameters.types[name] = LIST(VARCHAR)
  }
  return parameters
}

export function joinedParameters(a: Parameters, b: Parameters): Parameters {
  return { values: { ...a.values, ...b.values }, types: { ...a.types, ...b.types } }
}

export interface Place {
  readonly file: number
  readonly position: number
}

/** SQL of a relation with the columns `file`, `position` and `place` (the index), from two parameters. */
export const PLACES =
  '(SELECT unnest($files) AS file, unnest($positions) AS position, unnest(range(len($files))) AS place)'

/** Adds the parameters of `PLACES`. */
export function addPlaces(parameters: Parameters, places: readonly Place[]): void {
  parameters.values['files'] = listValue(places.map(({ file }) => BigInt(file)))
  parameters.values['positions'] = listValue(places.map(({ position }) => BigInt(position)))
  parameters.types['files'] = LIST(BIGINT)
  parameters.types['positions'] = LIST(BIGINT)
}
