/**
 * Deletion vectors: which rows of a file no longer count. To delete rows without rewriting files:
 *
 *   const before = await log.vectors.load(add)                     // positions deleted already
 *   const after = unionOf(before ?? none, positionsOf(rows))
 *   const { descriptors } = await log.vectors.write(new Map([[add, after]]))
 *   actions.push(...vectorActions(add, descriptors.get(add), now)) // remove and add
 *
 * A file whose last row goes gets a `removeOf` alone. Only where `writesVectors` says so.
 */

export { vectorId, vectorPath } from './descriptors.ts'
export { addWithVector, removeOf, vectorActions, writesVectors } from './file-actions.ts'
export { type Mark, type Marked, Marks } from './marks.ts'
export {
  countsBelow,
  differenceOf,
  hasPosition,
  isWithin,
  positionsOf,
  unionOf
} from './positions.ts'
export { DeletionVectors, type WrittenVectors } from './vectors.ts'
