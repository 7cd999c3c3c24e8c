/**
 * The log: one JSON object a line, or lines for people. Fields of a call win over the bindings of its
 * logger. Every text and field passes the declared redaction.
 */
import { errorCodes, isPipelineError, stringifyJson } from '../../core/index.ts'
import type { Clock, LogFields, Logger } from '../../ports/index.ts'
import { redactField, redactLine } from './redaction.ts'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export interface LoggerOptions {
  /** Lines below it are dropped. */
  readonly level: LogLevel
  /** One JSON object a line; otherwise lines for people. */
  readonly json: boolean
  readonly color: boolean
}

export interface LoggerPorts {
  readonly clock: Pick<Clock, 'now'>
  /** Takes one line, its newline included. */
  write(line: string): void
}

const ranks: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warn: 2, error: 3 }
const colors: Readonly<Record<LogLevel, string>> = {
  debug: '\x1b[2m',
  info: '\x1b[36m',
  warn: '\x1b[33m',
  error: '\x1b[31m'
}

export function createLogger(
  options: LoggerOptions,
  ports: LoggerPorts,
  bindings: LogFields = {}
): Logger {
  const log = (level: LogLevel, message: string, fields?: LogFields, error?: unknown): void => {
    if (ranks[level] < ranks[options.level]) return
    const safe: Record<string, unknown> = {}
    for (const [name, value] of Object.entries({ ...bindings, ...fields })) {
      if (value !== undefined) safe[name] = redactField(name, value)
    }
    if (error !== undefined) Object.assign(safe, errorFields(error))
    const timestamp = new Date(ports.clock.now()).toISOString()
    const text = redactLine(message)
    ports.write(
      options.json
        ? `${stringifyJson({ timestamp, level, message: text, ...safe })}\n`
        : humanLine(level, timestamp, text, safe, options.color)
    )
  }
  return {
    debug: (message, fields) => log('debug', message, fields),
    info: (message, fields) => log('info', message, fields),
    warn: (message, fields) => log('warn', message, fields),
    error: (message, fields, error) => log('error', message, fields, error),
    child: more => createLogger(options, ports, { ...bindings, ...more })
  }
}

/** Code, class and redacted text of an error and its causes; the stack when the error is a defect. */
function errorFields(error: unknown): Record<string, unknown> {
  const fields: Record<string, unknown> = { error: describeChain(error) }
  if (isPipelineError(error)) {
    fields['error_code'] = error.code
    fields['error_category'] = error.errorClass
    fields['remedy'] = errorCodes[error.code].remedy
    for (const [name, value] of Object.entries(error.details)) {
      fields[name] ??= redactField(name, value)
    }
  } else {
    fields['error_category'] = 'unknown'
  }
  const defect = !isPipelineError(error) || error.code === 'INVARIANT'
  if (defect && error instanceof Error && error.stack !== undefined) {
    fields['stack'] = redactLine(error.stack)
  }
  return fields
}

function describeChain(error: unknown): string {
  const texts: string[] = []
  let current = error
  for (let depth = 0; depth < 5 && current !== undefined && current !== null; depth += 1) {
    texts.push(current instanceof Error ? current.message : String(current))
    current = current instanceof Error ? current.cause : undefined
  }
  return redactLine([...new Set(texts)].join(': ')).slice(0, 2000)
}

function humanLine(
  level: LogLevel,
  timestamp: string,
  message: string,
  fields: Record<string, unknown>,
  color: boolean
): string {
  const { stack, ...rest } = fields
  const pairs = Object.entries(rest).map(([name, value]) => `${name}=${humanValue(value)}`)
  const head = `${timestamp.slice(11, 23)} ${level.toUpperCase().padEnd(5)}`
  const line = [color ? `${colors[level]}${head}\x1b[0m` : head, oneLine(message), ...pairs].join(
    ' '
  )
  return stack === undefined ? `${line}\n` : `${line}\n${String(stack)}\n`
}

function humanValue(value: unknown): string {
  const text = oneLine(String(value))
  return /[\s"=]/.test(text) || text === '' ? JSON.stringify(text) : text
}

/** Control characters cannot forge lines or move the cursor of a terminal. */
function oneLine(text: string): string {
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
}
