/**
 * What never reaches a log line: declared once here, applied to every field and text
 * (reference/operations.md section 4.4). A URL loses its whole query, since a presigned URL is a
 * credential.
 */
const secretFields =
  /^(.*_)?(token|secret|password|pwd|authorization|api_?key|signature|credential|connection_?string|sas)$/i

const payloadFields = /^(payload|body|raw|value|url|download_url)$/i

const urlWithQuery = /\b([a-z][a-z0-9+.-]{1,15}:\/\/[^\s"'<>?#]+)[?#][^\s"'<>]*/gi

const urlCredentials = /\b([a-z][a-z0-9+.-]{1,15}:\/\/)[^\s/@"'<>]+@/gi

const headerCredentials = /\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi

const queryPairs =
  /\b(sig|signature|sign|sv|se|st|sp|sr|spr|x-amz-signature|x-amz-credential|x-amz-security-token|token|access_token|api_key|apikey|key|secret|password|pwd|auth|authorization|sharedaccesskey|accountkey)=[^\s&;,"'<>]+/gi

/** Free text without queries of URLs and without credentials. */
export function redactText(text: string): string {
  return text
    .replaceAll(urlWithQuery, '$1?…')
    .replaceAll(urlCredentials, '$1')
    .replaceAll(headerCredentials, '$1 …')
    .replaceAll(queryPairs, '$1=…')
}

/** A field's value as it may be logged. */
export function redactField<T>(name: string, value: T): T | string {
  if (secretFields.test(name) && value !== undefined && value !== null) return '(redacted)'
  if (typeof value !== 'string') return value
  return payloadFields.test(name) && !isAddress(value) ? '(not logged)' : redactText(value)
}

function isAddress(value: string): boolean {
  return value.length < 2000 && URL.canParse(value)
}
