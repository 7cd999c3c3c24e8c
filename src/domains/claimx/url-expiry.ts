/**
 * Presigned URLs: when they expire (reference/operations.md section 4.3) and how to mention them
 * without their secret (section 4.4).
 */
import { type Micros, microsFromMillis, parseInstant } from '../../core/index.ts'

/** A link this close to its end is renewed before the first byte (section 2.4). */
export const EXPIRY_MARGIN_MS = 60_000

/** When the URL expires; undefined: unknown, to be treated as not expired. */
export function expiresAtOf(url: string): Micros | undefined {
  const parsed = URL.parse(url)
  if (parsed === null) return undefined
  const query = new Map(
    [...parsed.searchParams].map(([name, value]) => [name.toLowerCase(), value] as const)
  )
  if (query.has('x-amz-date') || query.has('x-amz-expires')) return s3v4(query)
  if (query.has('awsaccesskeyid') && query.has('expires')) return millis(query, 'expires', 1000)
  if (isClaimx(parsed)) return claimx(query)
  if (query.has('sig') && query.has('se')) return parseInstant(query.get('se') ?? '')
  return undefined
}

/** True when the expiry is known and not more than `marginMs` away. */
export function isExpired(
  expiresAt: Micros | null | undefined,
  now: Micros,
  marginMs: number = EXPIRY_MARGIN_MS
): boolean {
  if (expiresAt === null || expiresAt === undefined) return false
  return now + microsFromMillis(marginMs) >= expiresAt
}

/** The URL without query, fragment and user information: fit for tables and messages. */
export function withoutQuery(url: string): string {
  const end = url.search(/[?#]/)
  const bare = end < 0 ? url : url.slice(0, end)
  return bare.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1')
}

function s3v4(query: ReadonlyMap<string, string>): Micros | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(query.get('x-amz-date') ?? '')
  const seconds = digits(query.get('x-amz-expires'))
  if (match === null || seconds === undefined) return undefined
  const [, year, month, day, hour, minute, second] = match
  const signedAt = parseInstant(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return signedAt === undefined ? undefined : signedAt + microsFromMillis(seconds * 1000)
}

/** `expires` is a duration, not a point in time. */
function claimx(query: ReadonlyMap<string, string>): Micros | undefined {
  const signedAt = digits(query.get('systemdate'))
  const validFor = digits(query.get('expires'))
  if (signedAt === undefined || validFor === undefined) return undefined
  return bounded(signedAt + validFor)
}

function millis(query: ReadonlyMap<string, string>, name: string, factor: number) {
  const value = digits(query.get(name))
  return value === undefined ? undefined : bounded(value * factor)
}

/** Points in time beyond what a date can hold are as good as unknown. */
function bounded(ms: number): Micros | undefined {
  return ms <= 8_000_000_000_000_000 && Number.isSafeInteger(ms) ? microsFromMillis(ms) : undefined
}

function digits(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** By host, or by the path of its file service: links keep their form behind a gateway or simulator. */
function isClaimx({ hostname, pathname }: URL): boolean {
  const name = hostname.toLowerCase().replace(/\.$/, '')
  if (name === 'claimxperience.com' || name.endsWith('.claimxperience.com')) return true
  return pathname.includes('/cxfileservice/get/')
}
