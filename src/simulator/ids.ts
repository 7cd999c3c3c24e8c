/** Numbers of entities to the ids of the API and back. */
import { hash32 } from './rng.ts'

interface Range {
  readonly base: number
  readonly step: number
}

/** Project and assignment ids have 7 digits, media ids 8 (claimx-api.md section 2). */
const ranges = {
  project: { base: 4_100_013, step: 3 },
  media: { base: 40_210_007, step: 7 },
  task: { base: 5_200_031, step: 3 },
  link: { base: 810_005, step: 2 },
  video: { base: 300_017, step: 2 }
} as const satisfies Record<string, Range>
export type IdKind = keyof typeof ranges

export function toId(kind: IdKind, number: number): number {
  return ranges[kind].base + number * ranges[kind].step
}

/** Undefined: no entity has this id. */
export function fromId(kind: IdKind, id: number, count: number): number | undefined {
  const { base, step } = ranges[kind]
  const number = (id - base) / step
  return Number.isInteger(number) && number >= 0 && number < count ? number : undefined
}

/** True for every n-th number, so that a small share is met exactly rather than by luck. */
export function inShare(share: number, seed: number, salt: number, number: number): boolean {
  if (share <= 0) return false
  const period = Math.max(1, Math.round(1 / share))
  return number % period === hash32(seed, salt) % period
}

/** A version 4 UUID that carries the number, so that a link leads back to its media. */
export function uuidOf(seed: number, number: number): string {
  const head = (number ^ hash32(seed, 0x0dd1)) >>> 0
  const a = hash32(seed, 1, number)
  const b = hash32(seed, 2, number)
  const c = hash32(seed, 3, number)
  const hex = (value: number, digits: number): string =>
    value.toString(16).padStart(8, '0').slice(-digits)
  return `${hex(head, 8)}-${hex(a, 4)}-4${hex(a >>> 16, 3)}-a${hex(b, 3)}-${hex(b >>> 16, 4)}${hex(c, 8)}`
}

export function numberOfUuid(seed: number, uuid: string): number | undefined {
  if (!/^[0-9a-f]{8}-/.test(uuid)) return undefined
  const number = (Number.parseInt(uuid.slice(0, 8), 16) ^ hash32(seed, 0x0dd1)) >>> 0
  return uuidOf(seed, number) === uuid ? number : undefined
}
