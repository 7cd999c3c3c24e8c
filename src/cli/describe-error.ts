/** Errors as people read them: what is wrong, why, what to do. */
import { errorCodes, isPipelineError } from '../core/index.ts'

export function describeError(error: unknown): string {
  if (!isPipelineError(error)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `claims-pipeline: unexpected error; please report it.\n${text}`
  }
  const lines = [`claims-pipeline: ${error.message}`]
  const cause = causeText(error.cause)
  if (cause !== undefined && !error.message.includes(cause)) lines.push(`  Cause: ${cause}`)
  if (error.code !== 'USAGE')
    lines.push(`  To do: ${errorCodes[error.code].remedy} [${error.code}]`)
  return lines.join('\n')
}

function causeText(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  const inner = causeText(cause.cause)
  const text = cause.message.split('\n', 1)[0] ?? ''
  return inner === undefined ? text : `${text}: ${inner}`
}
