/**
 * The smallest protocol that allows a set of features: a legacy version while every one of them has
 * one, so that old readers and writers keep access, else the versions with feature lists.
 */
import type { ProtocolAction } from '../actions.ts'
import {
  featureNamed,
  isUsed,
  readerFeatures,
  TABLE_FEATURES,
  type TableDefinition,
  writerFeatures
} from './features.ts'

/** Open to every reader and writer. */
export const DEFAULT_PROTOCOL: ProtocolAction = { minReaderVersion: 1, minWriterVersion: 2 }
const LISTS_READER = 3
const LISTS_WRITER = 7

/** Features that the definition makes use of. */
export function usedFeatures(table: TableDefinition): string[] {
  return TABLE_FEATURES.filter(feature => isUsed(feature, table)).map(feature => feature.name)
}

/** The protocol with the features added; the same object when it allows them already. */
export function protocolWith(current: ProtocolAction, wanted: readonly string[]): ProtocolAction {
  const present = new Set([...writerFeatures(current), ...readerFeatures(current)])
  const names = new Set(present)
  for (const name of withRequired(wanted)) names.add(name)
  if (names.size === present.size) return current
  const features = [...names].map(name => ({ name, feature: featureNamed(name) }))
  const lists = current.minWriterVersion >= LISTS_WRITER
  if (!lists && features.every(({ feature }) => feature?.legacy !== undefined)) {
    return {
      minReaderVersion: Math.max(
        current.minReaderVersion,
        ...features.map(({ feature }) => feature?.legacy?.reader ?? 1)
      ),
      minWriterVersion: Math.max(
        current.minWriterVersion,
        ...features.map(({ feature }) => feature?.legacy?.writer ?? 1)
      )
    }
  }
  return protocolWithLists(current, [...names])
}

/** The same demands spelled out as lists. */
export function protocolWithLists(
  current: ProtocolAction,
  names: readonly string[]
): ProtocolAction {
  const known = new Set(readerFeatures(current))
  const writers = [...names]
  const readers = writers.filter(name => known.has(name) || featureNamed(name)?.readers === true)
  if (readers.length === 0 && current.minReaderVersion < LISTS_READER) {
    return { minReaderVersion: 1, minWriterVersion: LISTS_WRITER, writerFeatures: writers }
  }
  return {
    minReaderVersion: LISTS_READER,
    minWriterVersion: LISTS_WRITER,
    readerFeatures: readers,
    writerFeatures: writers
  }
}

function withRequired(names: readonly string[]): string[] {
  return names.flatMap(name => [...withRequired(featureNamed(name)?.requires ?? []), name])
}
