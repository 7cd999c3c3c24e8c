/** Unpacks a `.tar.zst` of plain files, as the golden tables of delta-kernel-rs come. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'

const BLOCK = 512

export function unpack(archive: string, directory: string): void {
  const bytes = zstdDecompressSync(readFileSync(archive))
  let longName: string | undefined
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK)
    const name = text(header, 0, 100)
    if (name === '') break
    const size = Number.parseInt(text(header, 124, 12).trim() || '0', 8)
    const kind = text(header, 156, 1)
    const content = bytes.subarray(at + BLOCK, at + BLOCK + size)
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK
    const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : ''
    if (kind === 'L') longName = text(content, 0, size)
    else if (kind === 'x') longName = /(?:^|\n)\d+ path=([^\n]*)\n/.exec(content.toString())?.[1]
    else {
      const path = join(directory, longName ?? (prefix === '' ? name : `${prefix}/${name}`))
      longName = undefined
      if (kind === '5') mkdirSync(path, { recursive: true })
      else if (kind === '0' || kind === '') {
        mkdirSync(dirname(path), { recursive: true })
        writeFileSync(path, content)
      }
    }
  }
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const field = Buffer.from(bytes.subarray(start, start + length))
  const end = field.indexOf(0)
  return field.subarray(0, end < 0 ? field.length : end).toString()
}
