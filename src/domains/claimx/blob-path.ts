/**
 * Where a media file is stored, below the base of the domain: `{project_id}/media/{media_id}_{file}`
 * (reference/operations.md section 5). The media id keeps two files of one name apart. Whatever ids and
 * names an event or the API holds, the result is a safe relative path; the uploader checks it again.
 */
import { createHash } from 'node:crypto'
import { TransferError } from '../../core/index.ts'

/** Most file systems and object stores allow this many bytes in one segment. */
const SEGMENT_BYTES = 255
/** Leaves room for a temporary suffix beside the final name. */
const CACHE_NAME_BYTES = 200
/** Room for the project's directory, `media` and slashes stays far below common path limits. */
const ID_BYTES = 64
const EXTENSION_BYTES = 16

/** Separators, control characters, what Windows forbids, and marks that reverse displayed text. */
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069<>:"/\\|?*]/gu
const RESERVED = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³]|conin\$|conout\$)(\.|$)/i

/** Path of a media file; the same for the same input, always. */
export function blobPath(projectId: string, mediaId: string, fileName: string): string {
  return `${safeId(projectId)}/media/${mediaSegment(mediaId, fileName, SEGMENT_BYTES)}`
}

/** One flat file name for the download cache, unique per project and media. */
export function cacheFileName(projectId: string, mediaId: string, fileName: string): string {
  const segment = mediaSegment(mediaId, fileName, CACHE_NAME_BYTES - ID_BYTES - 1)
  return `${safeId(projectId)}_${segment}`
}

/**
 * Refuses a path that `blobPath` could not have made; for paths that arrive in messages. Throws
 * `TransferError` STORAGE_INVALID_PATH.
 */
export function checkBlobPath(path: string): void {
  const segments = path.split('/')
  if (segments.length < 3 || !segments.every(isSafeSegment) || byteLength(path) > 1024) {
    throw new TransferError(
      'STORAGE_INVALID_PATH',
      `Refused blob path ${JSON.stringify(path.slice(0, 120))}: it must be ` +
        '{project}/media/{file} of plain relative segments'
    )
  }
}

function isSafeSegment(segment: string): boolean {
  return segment !== '' && sanitise(segment) === segment && byteLength(segment) <= SEGMENT_BYTES
}

function mediaSegment(mediaId: string, fileName: string, limit: number): string {
  const name = sanitise(fileName)
  const id = safeId(mediaId)
  return name === '' ? `media_${id}` : limitBytes(`${id}_${name}`, limit)
}

/** Numeric ids stay as they are; any other gets a digest, so that sanitising joins no two ids. */
function safeId(id: string): string {
  if (/^\d{1,40}$/.test(id)) return id
  const digest = createHash('sha256').update(id, 'utf8').digest('hex').slice(0, 16)
  const name = cutBytes(sanitise(id), ID_BYTES - digest.length - 1)
  return sanitise(name) === '' ? digest : `${sanitise(name)}-${digest}`
}

/** One path segment without separators, control characters, or names that Windows reserves. */
function sanitise(text: string): string {
  const plain = text.toWellFormed().normalize('NFC').replace(UNSAFE, '_')
  const trimmed = plain.replace(/^[.\s]+|[.\s]+$/gu, '')
  return RESERVED.test(trimmed) ? `_${trimmed}` : trimmed
}

/** Cuts the stem, keeps the extension. */
function limitBytes(name: string, limit: number): string {
  if (byteLength(name) <= limit) return name
  const dot = name.lastIndexOf('.')
  const extension = dot > 0 ? name.slice(dot) : ''
  const kept = byteLength(extension) <= EXTENSION_BYTES ? extension : ''
  const stem = cutBytes(name, limit - byteLength(kept))
  return `${stem.replace(/[.\s]+$/u, '')}${kept}`
}

/** Longest prefix of at most `limit` bytes that does not split a character. */
function cutBytes(text: string, limit: number): string {
  let bytes = 0
  let end = 0
  for (const character of text) {
    bytes += byteLength(character)
    if (bytes > limit) return text.slice(0, end)
    end += character.length
  }
  return text
}

function byteLength(text: string): number {
  return Buffer.byteLength(text, 'utf8')
}
