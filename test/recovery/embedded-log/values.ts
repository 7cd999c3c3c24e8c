import { createHash } from 'node:crypto'

/** About 8 KB (so that checkpoints run, too) that tells whether it is whole: the id, then filling derived from it. */
export function checkedValue(id: string): string {
  return `${id}:${createHash('sha512').update(id).digest('hex').repeat(64)}`
}

export function isWhole(value: string): boolean {
  return value === checkedValue(value.slice(0, value.indexOf(':')))
}
