/**
 * What never reaches a log line: declared once here, applied to every field and text
 * (reference/operations.md section 4.4). A URL loses its whole query, since a presigned URL is a
 * credential.
 */
import { redactText } from '../../core/index.ts'

const secretFields =
  /^(.*_)?(token|secret|password|pwd|authorization|api_?key|signature|credential|connection_?string|sas)$/i

const payloadFields = /^(payload|body|raw|value|url|download_url)$/i

const urlWithQuery = /\b([a-z][a-z0-9+.-]{1,15}:\/\/[^\s"'<>?#]+)[?#][^\s"'<>]*/gi

/** Free text without queries of URLs and without credentials. */
export function redactLine(text: string): string {
  return redactText(text.replaceAll(urlWithQuery, '$1?…'))
}

/** A field's value as it may be logged. */
export function redactField<T>(name: string, value: T): T | string {
  if (secretFields.test(name) && value !== undefined && value !== null) return '(redacted)'
  if (typeof value !== 'string') return value
  return payloadFields.test(name) && !isAddress(value) ? '(not logged)' : redactLine(value)
}

function isAddress(value: string): boolean {
  return value.length < 2000 && URL.canParse(value)
}
