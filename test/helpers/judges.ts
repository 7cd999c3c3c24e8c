/** The judges of `test/interop/judges`: other engines, one process each, that say what is in a table. */
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Reading } from './canonical.ts'
import type { Python } from './python.ts'

export const JUDGES = ['deltalake', 'duckdb', 'kernel', 'spark'] as const
export type JudgeName = (typeof JUDGES)[number]

export interface Judge {
  readonly name: JudgeName
  /** The newest version unless one is given. Rejects with the judge's own error. */
  read(path: string, version?: number): Promise<Reading>
  /** The rows where the column is not null, and how many there are with the others. */
  readSome(path: string, version: number, notNull: string): Promise<Reading & { total: number }>
  /** The change feed from a version on, without the time of each commit. Spark alone has it. */
  readChanges(path: string, from: number): Promise<Reading>
  close(): Promise<void>
}

const directory = join(import.meta.dirname, '..', 'interop', 'judges')

export async function openJudge(name: JudgeName, python: Python): Promise<Judge> {
  const [command, ...args] = commandOf(name, python)
  const child = spawn(command ?? '', args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const talk = new Talk(name, child)
  await talk.next()
  const ask = async (question: object): Promise<Reading & { total: number }> => {
    const answer = await talk.ask(question)
    if ('error' in answer) throw new Error(`${name}: ${String(answer['error'])}`)
    return answer as unknown as Reading & { total: number }
  }
  return {
    name,
    read: (path, version) => ask({ path, ...(version === undefined ? {} : { version }) }),
    readSome: (path, version, notNull) => ask({ path, version, notNull }),
    readChanges: (path, changes) => ask({ path, changes }),
    close: () => talk.end()
  }
}

function commandOf(name: JudgeName, { executable, sparkJars, kernelClasses }: Python): string[] {
  if (name === 'kernel') return ['java', '-Xmx768m', '-cp', kernelClasses, 'KernelJudge']
  const script = join(directory, `judge_${name}.py`)
  return name === 'spark' ? [executable, script, sparkJars] : [executable, script]
}

type Answer = Record<string, unknown>

/** One question at a time; the others wait for their turn. */
export class Talk {
  readonly #child: ChildProcess
  readonly #waiting: { resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = []
  readonly #early: Answer[] = []
  #complaint = ''
  #turn: Promise<unknown> = Promise.resolve()
  #ended: Error | undefined

  constructor(name: string, child: ChildProcess) {
    this.#child = child
    if (child.stdout === null || child.stderr === null) throw new Error('No pipes')
    child.stderr.on('data', (text: Buffer) => {
      this.#complaint = (this.#complaint + text.toString()).slice(-2000)
    })
    createInterface({ input: child.stdout }).on('line', line => {
      const answer = JSON.parse(line) as Answer
      const waiting = this.#waiting.shift()
      if (waiting === undefined) this.#early.push(answer)
      else waiting.resolve(answer)
    })
    const end = (): void => {
      this.#ended = new Error(`The judge ${name} has ended: ${this.#complaint}`)
      for (const { reject } of this.#waiting.splice(0)) reject(this.#ended)
    }
    child.on('error', end)
    child.on('close', end)
  }

  next(): Promise<Answer> {
    const early = this.#early.shift()
    if (early !== undefined) return Promise.resolve(early)
    if (this.#ended !== undefined) return Promise.reject(this.#ended)
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  async ask(question: object): Promise<Answer> {
    const mine = this.#turn.then(() => {
      this.#child.stdin?.write(`${JSON.stringify(question)}\n`)
      return this.next()
    })
    this.#turn = mine.catch(() => undefined)
    return await mine
  }

  async end(): Promise<void> {
    if (this.#ended !== undefined) return
    const closed = new Promise(resolve => this.#child.once('close', resolve))
    this.#child.stdin?.end()
    await closed
  }
}
