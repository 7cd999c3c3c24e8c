/** Signed, expiring links to media (claimx-api.md section 4) and their check. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { MediaFile } from './types.ts'

export const bucket = 'xactware-claimx-us-prod'

export type LinkVerdict = 'good' | 'expired' | 'tampered'

/** Signatures depend on the seed only, so that links survive a restart of the server. */
export class LinkSigner {
  readonly #secret: string

  constructor(seed: number) {
    this.#secret = `claimx-simulator-${seed}`
  }

  /** File service link, valid from `signedMs` on for `lifetimeMs`. */
  fileService(base: string, file: MediaFile, signedMs: number, lifetimeMs: number): string {
    const name = file.name ?? `media_${file.mediaId}.${file.extension}`
    const sign = this.#sign('get', file.uuid, signedMs, lifetimeMs)
    return (
      `${base}/service/cxfileservice/get/${file.uuid}?filename=${encodeURIComponent(name)}` +
      `&systemDate=${signedMs}&expires=${lifetimeMs}&sign=${sign}`
    )
  }

  /** S3 link; S3 counts in whole seconds. */
  s3(base: string, file: MediaFile, signedMs: number, lifetimeMs: number): string {
    const seconds = Math.max(1, Math.floor(lifetimeMs / 1000))
    const date = amzDate(signedMs)
    const sign = this.#sign('s3', file.uuid, date, seconds)
    return (
      `${base}/s3/${bucket}/${file.projectId}/${file.uuid}.${file.extension}` +
      `?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=SIMULATOR%2F${date.slice(0, 8)}%2Fus-west-1%2Fs3%2Faws4_request` +
      `&X-Amz-Date=${date}&X-Amz-Expires=${seconds}&X-Amz-SignedHeaders=host&X-Amz-Signature=${sign}`
    )
  }

  checkFileService(uuid: string, query: URLSearchParams, nowMs: number): LinkVerdict {
    const signed = query.get('systemDate') ?? ''
    const lifetime = query.get('expires') ?? ''
    const sign = this.#sign('get', uuid, signed, lifetime)
    if (!equal(sign, query.get('sign') ?? '')) return 'tampered'
    return nowMs >= Number(signed) + Number(lifetime) ? 'expired' : 'good'
  }

  checkS3(uuid: string, query: URLSearchParams, nowMs: number): LinkVerdict {
    const date = query.get('X-Amz-Date') ?? ''
    const seconds = query.get('X-Amz-Expires') ?? ''
    const sign = this.#sign('s3', uuid, date, seconds)
    if (!equal(sign, query.get('X-Amz-Signature') ?? '')) return 'tampered'
    return nowMs >= amzMillis(date) + Number(seconds) * 1000 ? 'expired' : 'good'
  }

  #sign(...parts: (string | number)[]): string {
    return createHmac('sha256', this.#secret).update(parts.join('|')).digest('hex')
  }
}

/** `YYYYMMDDTHHMMSSZ`. */
export function amzDate(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}

function amzMillis(date: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date)
  if (match === null) return 0
  const [, year, month, day, hour, minute, second] = match.map(Number)
  return Date.UTC(year ?? 0, (month ?? 1) - 1, day, hour, minute, second)
}

function equal(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
