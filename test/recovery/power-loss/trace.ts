/**
 * Calls of a process that change files or make them durable, as strace saw them, in the order in which they ended.
 */
import { readdirSync, readFileSync } from 'node:fs'

export interface Call {
  readonly name: string
  /** Texts are bytes; descriptors are the path they stand for. */
  readonly args: readonly (Buffer | string)[]
  readonly result: number
  /** Path of a descriptor that the call returned. */
  readonly opened: string | undefined
  /** Seconds. */
  readonly start: number
  readonly end: number
}

/** What strace is told, before the command. */
export function straceArguments(prefix: string): string[] {
  const calls = [
    ...[
      'openat',
      'creat',
      'write',
      'pwrite64',
      'writev',
      'pwritev',
      'pwritev2',
      'ftruncate',
      'truncate'
    ],
    ...[
      'fallocate',
      'fsync',
      'fdatasync',
      'sync_file_range',
      'link',
      'linkat',
      'rename',
      'renameat'
    ],
    ...[
      'renameat2',
      'unlink',
      'unlinkat',
      'mkdir',
      'mkdirat',
      'rmdir',
      'copy_file_range',
      'sendfile',
      'ioctl'
    ]
  ]
  return [
    ...['-f', '-ff', '-ttt', '-T', '-y', '-xx', '-qq', '-s', '33554432', '-e', 'signal=none'],
    ...['-e', `trace=${calls.join(',')}`, '-o', prefix]
  ]
}

const LINE = /^(\d+\.\d+) (\w+)\((.*)\)\s+= (-?\d+)(?:<([^>]*)>)?.*<(\d+\.\d+)>$/

export function readTrace(directory: string, prefix: string): Call[] {
  const calls: Call[] = []
  for (const name of readdirSync(directory)) {
    if (!name.startsWith(prefix)) continue
    for (const line of readFileSync(`${directory}/${name}`, 'latin1').split('\n')) {
      const match = LINE.exec(line)
      if (match === null) continue
      const [, at = '', call = '', args = '', result = '', opened, took = ''] = match
      const start = Number(at)
      calls.push({
        name: call,
        args: argumentsOf(args),
        result: Number(result),
        opened: opened === undefined ? undefined : unescaped(opened).toString(),
        start,
        end: start + Number(took)
      })
    }
  }
  return calls.sort((a, b) => a.end - b.end)
}

const ARGUMENT = /\s*(?:"((?:\\x[0-9a-f]{2})*)"(?:\.\.\.)?|\w+<([^>]*)>|[^,[\]"]+)/g

function argumentsOf(text: string): (Buffer | string)[] {
  return [...text.matchAll(ARGUMENT)].flatMap(([whole, hex, path]): (Buffer | string)[] => {
    if (hex !== undefined) return [unescaped(hex)]
    if (path !== undefined) return [unescaped(path).toString()]
    const plain = whole.trim()
    return plain === '' ? [] : [plain]
  })
}

function unescaped(text: string): Buffer {
  if (!text.includes('\\x')) return Buffer.from(text, 'latin1')
  return Buffer.from(text.replaceAll('\\x', ''), 'hex')
}
