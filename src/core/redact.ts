/**
 * Takes secrets out of URLs and texts before they reach a log, an error or a dead letter
 * (reference/operations.md section 4.4). Presigned URLs are bearer secrets.
 */
const SECRET_PARAMETERS = new Set(
  [
    'sig',
    'signature',
    'sign',
    'sv',
    'se',
    'st',
    'sp',
    'sr',
    'spr',
    'x-amz-signature',
    'x-amz-credential',
    'x-amz-security-token',
    'awsaccesskeyid',
    'token',
    'access_token',
    'api_key',
    'apikey',
    'key',
    'secret',
    'password',
    'pwd',
    'auth',
    'authorization',
    'accountkey',
    'sharedaccesskey',
    'sharedaccesssignature',
    'client_secret',
    'refresh_token'
  ].map(canonical)
)

const MASK = '***'
const URL_IN_TEXT = /\bhttps?:\/\/[^\s"'<>\\^`{|}]+/gi
const USERINFO = /^(https?:\/\/)[^/?#]*@/i
const CREDENTIAL = /\b(basic|bearer)\s+[A-Za-z0-9+/=._~-]{4,}/gi
const PAIR = /([A-Za-z0-9_.%-]+)(=|%3D)("[^"]*"|[^\s&;,"'<>]*)/gi
const MAX_CAUSES = 5

/** The URL with secret parameter values and any user information masked. Never throws. */
export function redactUrl(url: string): string {
  return maskPairs(url.replace(USERINFO, `$1${MASK}@`))
}

/** Scheme, host and path only, for errors about presigned URLs. */
export function urlWithoutQuery(url: string): string {
  return url.replace(USERINFO, `$1${MASK}@`).replace(/[?#].*$/s, '')
}

/** Any text: URLs lose secret values, credentials of headers and `name=value` secrets are masked. */
export function redactText(text: string): string {
  return maskPairs(
    text
      .replace(URL_IN_TEXT, url => url.replace(USERINFO, `$1${MASK}@`))
      .replace(CREDENTIAL, `$1 ${MASK}`)
  )
}

/**
 * A copy of an error that is safe as a `cause`: name, code and redacted message, causes included; no
 * stack and no other property, because libraries hang requests and headers on their errors.
 */
export function redactError(error: unknown, depth = 0): Error {
  const source = error instanceof Error ? error : new Error(String(error))
  const cause =
    source.cause !== undefined && depth < MAX_CAUSES
      ? { cause: redactError(source.cause, depth + 1) }
      : undefined
  const copy = new Error(redactText(source.message), cause)
  copy.name = source.name
  copy.stack = `${copy.name}: ${copy.message}`
  const code = (source as { code?: unknown }).code
  return typeof code === 'string' ? Object.assign(copy, { code: redactText(code) }) : copy
}

function maskPairs(text: string): string {
  return text.replace(PAIR, (whole, name: string, equals: string, value: string) =>
    value !== '' && SECRET_PARAMETERS.has(canonical(name)) ? `${name}${equals}${MASK}` : whole
  )
}

/** `X-Amz-Signature`, `x_amz_signature`, `x%2Damz%2Dsignature` and `s%69gn`, `sign` are one name each. */
function canonical(name: string): string {
  return decoded(name).toLowerCase().replace(/[-_.]/g, '')
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}
