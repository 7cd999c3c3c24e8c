/**
 * Writers of one table, a process each: two of ours, delta-rs, Spark. A request is a line of JSON
 * (`WriteRequest`), the answer `{ retries }` once it is committed, or `{ error }`. The foreign ones answer
 * `{ do: 'read' }` as judges do.
 */
import { spawn } from 'node:child_process'
import { delimiter, join } from 'node:path'
import type { Row } from '../../../src/core/index.ts'
import type { Reading } from '../../helpers/canonical.ts'
import { Talk } from '../../helpers/judges.ts'
import type { Python } from '../../helpers/python.ts'

export const WRITERS = ['ours_1', 'ours_2', 'rs', 'spark'] as const
export type WriterName = (typeof WRITERS)[number]

export type Work =
  | 'append'
  | 'merge'
  | 'delete'
  | 'optimize'
  | 'vacuum'
  | 'checkpoint'
  | 'clean log'
  | 'add a column'
  | 'sql'

export interface WriteRequest {
  readonly do: Work
  /** Name of the table below the root of our store, and where it lies. */
  readonly name: string
  readonly path: string
  readonly rows?: readonly Row[]
  /** Columns that the rows give; the others of a stored row stay. */
  readonly columns?: readonly string[]
  /** Keys to delete. */
  readonly ids?: readonly string[]
  readonly sql?: string
  /** Committed with the rows. */
  readonly txn?: { readonly appId: string; readonly version: number }
}

export interface Writer {
  readonly name: WriterName
  /** Resolves when it is committed, to how often it was tried again. */
  write(request: WriteRequest): Promise<number>
  read(path: string, version: number, notNull: string): Promise<Reading & { total: number }>
  close(): Promise<void>
}

export async function openWriter(name: WriterName, root: string, python: Python): Promise<Writer> {
  const [command = '', ...args] = commandOf(name, root, python)
  const talk = new Talk(name, spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] }))
  await talk.next()
  const ask = async (request: object): Promise<Record<string, unknown>> => {
    const answer = await talk.ask(request)
    if ('error' in answer) throw new Error(`${name}: ${String(answer['error'])}`)
    return answer
  }
  return {
    name,
    write: async request => Number((await ask(request))['retries']),
    read: async (path, version, notNull) =>
      (await ask({ do: 'read', path, version, notNull })) as unknown as Reading & { total: number },
    close: () => talk.end()
  }
}

function commandOf(name: WriterName, root: string, python: Python): string[] {
  const script = (file: string): string => join(import.meta.dirname, file)
  if (name === 'rs') return [python.executable, script('delta_rs_writer.py')]
  if (name === 'spark') {
    const classes = [python.sparkJars, python.logStore].join(delimiter)
    return [python.executable, script('spark_writer.py'), classes]
  }
  return [process.execPath, '--disable-warning=ExperimentalWarning', script('our-writer.ts'), root]
}
