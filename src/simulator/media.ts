/** Media: names as phones and adjusters give them, sizes, links, metadata (E3 items). */
import type { JsonObject } from '../core/index.ts'
import { inShare, toId, uuidOf } from './ids.ts'
import { rooms } from './names.ts'
import { epochMs, gap } from './people.ts'
import { Rng } from './rng.ts'
import type { MediaFile } from './types.ts'

export type Format = 'jpg' | 'png' | 'pdf' | 'mp4' | 'mov' | 'txt' | 'html' | 'exe'

export interface MediaFacts extends MediaFile {
  readonly number: number
  /** What the bytes are. */
  readonly format: Format
}

const mimes: Readonly<Record<Format, string>> = {
  jpg: 'image/jpeg',
  png: 'image/png',
  pdf: 'application/pdf',
  mp4: 'video/mp4',
  mov: 'video/quicktime',
  txt: 'text/plain',
  html: 'text/html; charset=utf-8',
  exe: 'application/x-msdownload'
}

export interface MediaShares {
  readonly refused: number
  readonly scale: number
}

/** Everything about a file except its bytes. */
export function mediaFacts(
  seed: number,
  number: number,
  projectId: number,
  shares: MediaShares
): MediaFacts {
  const rng = new Rng(seed, 0xfe, number)
  const refused = inShare(shares.refused, seed, 0x4e, number)
  const kind = pickFormat(rng)
  const format = refused ? rng.pick<Format>(['html', 'exe']) : kind
  const extension = format === 'html' ? 'jpg' : extensionOf(rng, format)
  const size = Math.max(1024, Math.round(sizeOf(rng, kind) * shares.scale))
  const plainType = rng.chance(0.04) && !refused ? 'application/octet-stream' : mimes[format]
  const unnamed = rng.chance(0.01) && format !== 'exe'
  return {
    number,
    mediaId: toId('media', number),
    projectId,
    name: unnamed ? null : nameOf(rng, number, extension),
    extension,
    contentType: plainType,
    size,
    refused,
    hasLink: refused || !rng.chance(0.015),
    direct: kind === 'mp4' || kind === 'mov',
    expiryTold: rng.chance(kind === 'mp4' || kind === 'mov' ? 0.4 : 0.75),
    uuid: uuidOf(seed, number),
    format
  }
}

function pickFormat(rng: Rng): Format {
  const formats: readonly Format[] = ['jpg', 'png', 'pdf', 'txt', 'mp4', 'mov']
  return formats[rng.weighted([86, 6, 5, 1.5, 0.8, 0.7])] ?? 'jpg'
}

function sizeOf(rng: Rng, format: Format): number {
  if (format === 'mp4' || format === 'mov') return rng.between(1_000_000, 4_000_000)
  if (format === 'txt') return rng.between(1_000, 30_000)
  return rng.between(20_000, 200_000)
}

function extensionOf(rng: Rng, format: Format): string {
  return format === 'jpg' && rng.chance(0.15) ? 'jpeg' : format
}

/** Repeats within one project on purpose: phones start counting again. */
function nameOf(rng: Rng, number: number, extension: string): string {
  const shown = rng.chance(0.2) ? extension.toUpperCase() : extension
  const room = rng.pick(rooms)
  switch (rng.weighted([40, 15, 15, 8, 8, 4, 3, 2, 2])) {
    case 0:
      return `IMG_${String(1000 + rng.int(60))}.${shown}`
    case 1:
      return `${room} ${rng.between(1, 5)}.${shown}`
    case 2:
      return `image.${shown}`
    case 3:
      return `PXL_202601${String(rng.between(10, 28))}_${rng.between(100000, 235959)}.${shown}`
    case 4:
      return `${room} – nach dem Sturm №${rng.between(1, 9)}.${shown}`
    case 5:
      return `Señora García, daño ${number % 7} (📷).${shown}`
    case 6:
      return `${'Very detailed description of the damage in the room '.repeat(6)}${number % 10}.${shown}`
    case 7:
      return `photos/2026/${room}: ${number % 3}?.${shown}`
    default:
      return `  ..\\${room}.${shown} `
  }
}

/** One item of E3, without link. */
export function mediaAnswer(
  seed: number,
  file: MediaFacts,
  taskAssignmentId: number | null
): JsonObject {
  const rng = new Rng(seed, 0xe3, file.number)
  const takenMs = epochMs + (file.number % 100_000) * 45_000
  const located = rng.chance(0.6)
  const latitude = 29 + rng.int(15_000_000) / 1_000_000
  const longitude = -(70 + rng.int(40_000_000) / 1_000_000)
  const asText = rng.chance(0.15)
  const answer: JsonObject = {
    mediaID: file.mediaId,
    mediaType: gap(rng, 0.02, rng.chance(0.7) ? file.extension : 'IMAGE'),
    mediaName: file.name,
    mediaDescription: gap(rng, 0.5, `${rng.pick(rooms)} overview`),
    mediaComment: gap(rng, 0.85, 'taken by policyholder'),
    latitude: located ? (asText ? String(latitude) : latitude) : null,
    longitude: located ? (asText ? String(longitude) : longitude) : null,
    gpsSource: located ? rng.pick(['EXIF', 'DEVICE']) : null,
    takenDate: rng.chance(0.9)
      ? new Date(takenMs).toISOString()
      : `${new Date(takenMs).toISOString().slice(0, 10).replaceAll('-', ':')} 14:03:22`
  }
  const assignmentKey = rng.chance(0.9) ? 'taskAssignmentId' : 'taskAssignmentID'
  answer[assignmentKey] =
    taskAssignmentId === null || rng.chance(0.8) ? taskAssignmentId : String(taskAssignmentId)
  if (rng.chance(0.05)) answer['aiTags'] = ['roof', 'shingle']
  return answer
}
