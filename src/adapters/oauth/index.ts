/** Bearer tokens for SASL/OAUTHBEARER: from a file that somebody keeps fresh, or by the client credentials flow. */
import { readFile } from 'node:fs/promises'
import { request } from 'undici'
import { BrokerError, isJsonObject, parseJson } from '../../core/index.ts'
import type { Clock } from '../../ports/index.ts'

export interface ClientCredentials {
  /** The token endpoint (RFC 6749 section 3.2), https. */
  readonly endpoint: string
  readonly clientId: string
  readonly clientSecret: string
  readonly scope?: string
}

/** A token is asked for anew when this part of its life is over. */
const USED_PART = 0.8
const TIMEOUT_MS = 10_000
const DEFAULT_LIFE_SECONDS = 300

export function fileToken(path: string): () => Promise<string> {
  return async () => {
    try {
      const token = (await readFile(path, 'utf8')).trim()
      if (token !== '') return token
    } catch (error) {
      throw new BrokerError('BROKER_ACCESS', `The token file ${path} cannot be read`, {
        cause: error
      })
    }
    throw new BrokerError('BROKER_ACCESS', `The token file ${path} is empty`)
  }
}

/** Client credentials flow (RFC 6749 section 4.4). */
export function clientCredentialsToken(
  credentials: ClientCredentials,
  clock: Clock
): () => Promise<string> {
  let kept: { readonly token: string; readonly until: number } | undefined
  return async () => {
    if (kept !== undefined && clock.monotonic() < kept.until) return kept.token
    const { token, seconds } = await askForToken(credentials)
    kept = { token, until: clock.monotonic() + seconds * 1000 * USED_PART }
    return token
  }
}

async function askForToken({
  endpoint,
  clientId,
  clientSecret,
  scope
}: ClientCredentials): Promise<{ token: string; seconds: number }> {
  const form = new URLSearchParams({ grant_type: 'client_credentials' })
  if (scope !== undefined) form.set('scope', scope)
  const basic = Buffer.from(`${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`)
  const { host } = new URL(endpoint)
  try {
    const { statusCode, body } = await request(endpoint, {
      method: 'POST',
      headers: {
        authorization: `Basic ${basic.toString('base64')}`,
        'content-type': 'application/x-www-form-urlencoded',
        accept: 'application/json'
      },
      body: form.toString(),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS
    })
    const text = await body.text()
    if (statusCode !== 200) throw refused(host, `it answered ${statusCode}`)
    const answer = parseJson(text)
    const token = isJsonObject(answer) ? answer['access_token'] : undefined
    if (typeof token !== 'string') throw refused(host, 'its answer has no access_token')
    const seconds = Number(isJsonObject(answer) ? (answer['expires_in'] ?? Number.NaN) : Number.NaN)
    return { token, seconds: Number.isFinite(seconds) ? seconds : DEFAULT_LIFE_SECONDS }
  } catch (error) {
    if (error instanceof BrokerError) throw error
    throw refused(host, 'it cannot be reached', error)
  }
}

function refused(host: string, why: string, cause?: unknown): BrokerError {
  return new BrokerError('BROKER_ACCESS', `The token endpoint ${host} gives no token: ${why}`, {
    ...(cause === undefined ? {} : { cause })
  })
}
