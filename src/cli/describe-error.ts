/** Errors as people read them: what is wrong, why, what to do. */
import { errorCodes, isPipelineError } from '../core/index.ts'

export function describeError(error: unknown): string {
  if (isSystemError(error)) {
    return (
      `claims-pipeline: ${error.path} cannot be used: ${error.message}\n` +
      '  To do: Check the path, its permissions and the disk.'
    )
  }
  if (!isPipelineError(error)) {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    return `claims-pipeline: unexpected error; please report it.\n${text}`
  }
  // DuckDB shows the place in a statement that it was given by us, not by a person.
  const [message = ''] = error.message.split(/\s*\n\s*LINE \d+:/)
  const lines = [`claims-pipeline: ${message}`]
  // What DuckDB says of an expression is in the message already, in other words.
  const cause = error.code === 'DELTA_QUERY_INVALID' ? undefined : causeText(error.cause)
  if (cause !== undefined && !error.message.includes(cause)) lines.push(`  Cause: ${cause}`)
  if (error.code !== 'USAGE')
    lines.push(`  To do: ${errorCodes[error.code].remedy} [${error.code}]`)
  return lines.join('\n')
}

/** A path that cannot be read or written; no defect of the program. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException & { path: string } {
  const { code, syscall, path } = (error ?? {}) as Partial<NodeJS.ErrnoException>
  return (
    error instanceof Error &&
    !isPipelineError(error) &&
    typeof code === 'string' &&
    syscall !== undefined &&
    path !== undefined
  )
}

function causeText(cause: unknown): string | undefined {
  if (!(cause instanceof Error)) return undefined
  const inner = causeText(cause.cause)
  const text = cause.message.split('\n', 1)[0] ?? ''
  return inner === undefined ? text : `${text}: ${inner}`
}
