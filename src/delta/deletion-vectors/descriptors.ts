/** Where a deletion vector lies: the paths and ids of its descriptor (PROTOCOL.md "Derived Fields"). */
import type { DeletionVectorDescriptor } from '../actions.ts'
import { decodePath } from '../paths.ts'
import { corrupt } from './codec.ts'
import { decodeUuid, encodeUuid } from './z85.ts'

const UUID_CHARACTERS = 20

/** Identifies a vector for ever: what it names never changes. */
export function vectorId(vector: DeletionVectorDescriptor): string {
  const { storageType, pathOrInlineDv, offset } = vector
  return `${storageType}${pathOrInlineDv}${offset == null ? '' : `@${offset}`}`
}

/**
 * Path in the store of the file that holds the vector, or one that begins with `/` and is outside of the
 * store; undefined for inline ones.
 */
export function vectorPath(table: string, vector: DeletionVectorDescriptor): string | undefined {
  const { storageType, pathOrInlineDv } = vector
  const inTable = (path: string): string => (table === '' ? path : `${table}/${path}`)
  if (storageType === 'i') return undefined
  if (storageType === 'p') {
    const path = decodePath(pathOrInlineDv, table)
    return path.startsWith('/') ? path : inTable(path)
  }
  const prefix = pathOrInlineDv.slice(0, -UUID_CHARACTERS)
  const uuid = decodeUuid(pathOrInlineDv.slice(-UUID_CHARACTERS))
  if (storageType !== 'u' || uuid === undefined) {
    throw corrupt(`${vectorId(vector)} of ${table}`, 'its descriptor names no file')
  }
  const name = vectorFileName(uuid)
  return inTable(prefix === '' ? name : `${prefix}/${name}`)
}

export function vectorFileName(uuid: string): string {
  return `deletion_vector_${uuid}.bin`
}

export function relativeDescriptor(
  uuid: string,
  offset: number,
  sizeInBytes: number,
  cardinality: number
): DeletionVectorDescriptor {
  return { storageType: 'u', pathOrInlineDv: encodeUuid(uuid), offset, sizeInBytes, cardinality }
}
