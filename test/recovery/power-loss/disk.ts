/**
 * What a disk may hold after the power fails. Nothing counts as durable but what a sync covers: the contents of a file
 * by a sync of the file that began after the write had ended, a name by a sync of its directory that began after
 * the name was made. Everything else may be there or not, each piece for itself, in any combination; only one write,
 * link or rename is whole. Real file systems keep more; what survives this survives those.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import type { Call } from './trace.ts'

/** Decides whether something that no sync covers has reached the disk. */
export type Luck = () => boolean

interface Change {
  readonly start: number
  /** When it became durable; infinite while no sync covers it. */
  durableAt: number
  readonly end: number
}

interface Write extends Change {
  readonly kind: 'write' | 'truncate'
  readonly offset: number
  readonly bytes: Buffer
}

class File {
  readonly writes: Write[] = []
  /** Offset of the next write of a descriptor that is only ever appended to. */
  size = 0
}

interface Naming extends Change {
  /** Names of one directory, with what each stands for from now on; undefined: for nothing. */
  readonly names: readonly (readonly [name: string, node: File | Directory | undefined])[]
}

class Directory {
  readonly changes: Naming[] = []
  readonly names = new Map<string, File | Directory>()
}

export class TracedDisk {
  readonly #base: string
  readonly #root = new Directory()
  /** Files whose contents are copied into this disk from elsewhere. */
  readonly #elsewhere = new Map<string, File>()

  /** `base`: a directory that was there, and durable, before the trace began. */
  constructor(base: string, calls: readonly Call[]) {
    this.#base = base
    for (const call of calls) if (call.result >= 0) this.#apply(call)
  }

  /** Writes to `target` what a disk may hold that lost its power at the time. */
  lose(at: number, luck: Luck, target: string): void {
    const happened = (change: Change): boolean =>
      change.durableAt <= at || (change.start <= at && luck())
    const restore = (directory: Directory, path: string): void => {
      const names = new Map<string, File | Directory | undefined>()
      for (const change of directory.changes) {
        if (happened(change)) for (const [name, node] of change.names) names.set(name, node)
      }
      mkdirSync(path, { recursive: true })
      for (const [name, node] of names) {
        if (node instanceof Directory) restore(node, join(path, name))
        else if (node !== undefined) writeFileSync(join(path, name), contentsOf(node, happened))
      }
    }
    restore(this.#root, target)
  }

  #apply(call: Call): void {
    const { name, args } = call
    const text = (index: number): string => String(args[index])
    if (name === 'openat') this.#opened(call, text(1), text(2))
    else if (name === 'mkdir') this.#name(call, text(0), new Directory())
    else if (name === 'link') this.#name(call, text(1), this.#find(text(0)))
    else if (name === 'rename') this.#rename(call, text(0), text(1))
    else if (name === 'unlink' || name === 'rmdir') this.#name(call, text(0), undefined)
    else if (name === 'fsync' || name === 'fdatasync') this.#sync(call, text(0))
    else if (name === 'ftruncate') this.#truncate(call, text(0), Number(text(1)))
    else if (name === 'copy_file_range') this.#copy(call, text(0), text(2))
    else if (name === 'write') {
      const file = this.#file(text(0))
      if (file !== undefined) this.#write(call, file, file.size, args[1] as Buffer)
    } else if (name === 'pwrite64') {
      const file = this.#file(text(0))
      if (file !== undefined) this.#write(call, file, Number(text(3)), args[1] as Buffer)
    } else if (name !== 'ioctl' && args.some(arg => this.#isHere(String(arg)))) {
      throw new Error(`The trace has a call that the model does not know: ${name}`)
    }
  }

  #isHere(path: string): boolean {
    return path === this.#base || path.startsWith(`${this.#base}/`)
  }

  #opened(call: Call, path: string, flags: string): void {
    if (!flags.includes('O_CREAT') && !flags.includes('O_TRUNC')) return
    if (!this.#isHere(path)) {
      if (flags.includes('O_TRUNC') || !this.#elsewhere.has(path))
        this.#elsewhere.set(path, new File())
      return
    }
    const known = this.#find(path)
    if (known === undefined) this.#name(call, path, new File())
    else if (known instanceof File && flags.includes('O_TRUNC')) this.#truncate(call, path, 0)
  }

  #name(call: Call, path: string, node: File | Directory | undefined): void {
    if (!this.#isHere(path)) return
    const directory = this.#directory(dirname(path))
    const name = basename(path)
    directory.changes.push({ ...timesOf(call), names: [[name, node]] })
    if (node === undefined) directory.names.delete(name)
    else directory.names.set(name, node)
  }

  #rename(call: Call, from: string, to: string): void {
    if (!this.#isHere(from) && !this.#isHere(to)) return
    if (dirname(from) !== dirname(to))
      throw new Error('The model knows renames within a directory only')
    const directory = this.#directory(dirname(from))
    const node = directory.names.get(basename(from))
    const names = [
      [basename(from), undefined],
      [basename(to), node]
    ] as const
    directory.changes.push({ ...timesOf(call), names })
    directory.names.delete(basename(from))
    if (node !== undefined) directory.names.set(basename(to), node)
  }

  #sync(call: Call, path: string): void {
    if (!this.#isHere(path)) return
    const node = this.#find(path)
    if (node === undefined) return
    const changes: Change[] = node instanceof File ? node.writes : node.changes
    for (const change of changes) {
      if (change.end <= call.start) change.durableAt = Math.min(change.durableAt, call.end)
    }
  }

  #truncate(call: Call, path: string, size: number): void {
    const file = this.#file(path)
    if (file === undefined) return
    const write: Write = {
      ...timesOf(call),
      kind: 'truncate',
      offset: size,
      bytes: Buffer.alloc(0)
    }
    file.writes.push(write)
    file.size = size
  }

  #copy(call: Call, from: string, to: string): void {
    const source = this.#file(from)
    const target = this.#file(to)
    if (source === undefined || target === undefined || call.result === 0) return
    this.#write(
      call,
      target,
      0,
      contentsOf(source, () => true)
    )
  }

  #write(call: Call, file: File, offset: number, bytes: Buffer): void {
    if (bytes.length !== call.result) throw new Error('strace cut what was written')
    file.writes.push({ ...timesOf(call), kind: 'write', offset, bytes })
    file.size = offset + bytes.length
  }

  #file(path: string): File | undefined {
    const node = this.#isHere(path) ? this.#find(path) : this.#elsewhere.get(path)
    return node instanceof File ? node : undefined
  }

  #directory(path: string): Directory {
    const node = this.#find(path)
    if (node instanceof Directory) return node
    throw new Error(`The trace has no directory ${path}`)
  }

  #find(path: string): File | Directory | undefined {
    if (!this.#isHere(path)) return undefined
    let node: File | Directory | undefined = this.#root
    for (const name of path.slice(this.#base.length).split('/')) {
      if (name === '') continue
      node = node instanceof Directory ? node.names.get(name) : undefined
    }
    return node
  }
}

function timesOf({ start, end }: Call): Change {
  return { start, end, durableAt: Number.POSITIVE_INFINITY }
}

/** Where a write is missing, zeros stand, as far as later ones reach. */
function contentsOf(file: File, happened: (change: Change) => boolean): Buffer {
  let bytes = Buffer.alloc(0)
  for (const write of file.writes) {
    if (!happened(write)) continue
    const end = write.offset + write.bytes.length
    if (write.kind === 'truncate' || bytes.length < end) {
      const resized = Buffer.alloc(write.kind === 'truncate' ? write.offset : end)
      bytes.copy(resized)
      bytes = resized
    }
    write.bytes.copy(bytes, write.offset)
  }
  return bytes
}
