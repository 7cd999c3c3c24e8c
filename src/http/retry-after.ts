/** `Retry-After` (reference/claimx-api.md section 5.3): seconds or an HTTP date; anything else is ignored. */
const HTTP_DATE = /^(Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /

/**
 * Milliseconds to wait, or undefined for a missing, negative or unreadable value. A date in the past
 * means 0. `nowMs` is the wall clock. The value is not capped here.
 */
export function parseRetryAfter(
  value: string | readonly string[] | undefined,
  nowMs: number
): number | undefined {
  const text = (typeof value === 'string' ? value : value?.[0])?.trim()
  if (text === undefined || text === '') return undefined
  if (/^\d+(\.\d+)?$/.test(text)) {
    const ms = Number(text) * 1000
    return Number.isFinite(ms) ? ms : undefined
  }
  if (!HTTP_DATE.test(text)) return undefined
  const at = Date.parse(text)
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs)
}
