/**
 * Runs the demo, kills it with SIGKILL at random moments and starts it again on the same data directory;
 * then compares the end with that of a run nobody disturbed. As a script:
 *
 *   node test/recovery/kill-demo.ts --kills 25 --seed 1 --events 2000 --faults heavy
 */
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, resolve } from 'node:path'
import { parseArgs } from 'node:util'

export interface KillOptions {
  readonly kills: number
  /** Decides when the kills fall; the demo's own world does not change with it. */
  readonly seed: number
  readonly events: number
  readonly projects: number
  readonly faults: 'none' | 'light' | 'heavy'
  log(line: string): void
}

export interface Ending {
  readonly tables: Readonly<Record<string, number>>
  readonly deadLetters: unknown
  /** Path to SHA-256. */
  readonly files: Readonly<Record<string, string>>
  readonly failedChecks: readonly string[]
}

export interface KillResult {
  /** Kills that hit a running demo. */
  readonly kills: number
  readonly undisturbed: Ending
  /** Of every run that came to its end after kills. */
  readonly killed: readonly Ending[]
}

const bin = resolve(import.meta.dirname, '../../bin/claims-pipeline.js')

/** Rejects when a demo fails by itself. */
export async function killDemo(options: KillOptions): Promise<KillResult> {
  const root = await mkdtemp(join(tmpdir(), 'kill-demo-'))
  try {
    const startedAt = performance.now()
    const first = await play(join(root, 'undisturbed'), options)
    if (first === 'killed') throw new Error('nobody was to kill this run')
    const longestMs = performance.now() - startedAt
    options.log(`undisturbed: ${Math.round(longestMs)} ms`)
    const random = mulberry32(options.seed)
    const killed: Ending[] = []
    let kills = 0
    let pending = 0
    while (kills < options.kills || pending > 0) {
      const afterMs = kills < options.kills ? random() * longestMs : undefined
      const end = await play(join(root, 'killed'), options, afterMs)
      if (end === 'killed') {
        kills += 1
        pending += 1
        options.log(`kill ${kills} after ${Math.round(afterMs ?? 0)} ms`)
      } else {
        options.log(`came to its end after ${pending} kills`)
        if (pending > 0) killed.push(end)
        pending = 0
      }
    }
    return { kills, undisturbed: first, killed }
  } finally {
    await rm(root, { recursive: true, force: true })
  }
}

/** One start of the demo; it is killed after `afterMs`, unless it comes to its end before. */
async function play(
  directory: string,
  options: KillOptions,
  afterMs?: number
): Promise<Ending | 'killed'> {
  const report = `${directory}.json`
  const { events, projects, faults } = options
  const child = spawn(
    process.execPath,
    [
      ...[bin, 'demo', '--exit', '--no-console', '--data-dir', directory, '--report', report],
      ...['--events', String(events), '--projects', String(projects), '--faults', faults]
    ],
    // A group of its own: the kill must hit the launcher and the program that it started.
    { stdio: ['ignore', 'ignore', 'pipe'], detached: true }
  )
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const exit = new Promise<{ code: number | null; signal: string | null }>(done => {
    child.on('exit', (code, signal) => done({ code, signal }))
  })
  const timer = afterMs === undefined ? undefined : setTimeout(() => killGroup(child.pid), afterMs)
  const { code, signal } = await exit
  clearTimeout(timer)
  if (signal === 'SIGKILL') return 'killed'
  if (code !== 0 && code !== 1) throw new Error(`the demo ended with ${code}: ${errors}`)
  return await endingOf(directory, report)
}

function killGroup(leader: number | undefined): void {
  if (leader !== undefined) process.kill(-leader, 'SIGKILL')
}

async function endingOf(directory: string, reportFile: string): Promise<Ending> {
  const report = JSON.parse(await readFile(reportFile, 'utf8')) as {
    tables: Record<string, number>
    deadLetters: unknown
    checks: { name: string; ok: boolean; detail: string }[]
  }
  const root = join(directory, 'files')
  const files: Record<string, string> = {}
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    // What a killed writer left half written is no object: the store never lists it.
    if (!entry.isFile() || /^\.tmp-[\d-]+$/.test(entry.name)) continue
    const path = join(entry.parentPath, entry.name)
    const digest = createHash('sha256').update(await readFile(path))
    files[relative(root, path)] = digest.digest('hex')
  }
  return {
    tables: report.tables,
    deadLetters: report.deadLetters,
    files: Object.fromEntries(Object.entries(files).sort()),
    failedChecks: report.checks
      .filter(({ ok }) => !ok)
      .map(({ name, detail }) => `${name}: ${detail}`)
  }
}

/** Small seeded generator: a failure can be played again with the seed that the run prints. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296
  }
}

/** What differs from the undisturbed run, as lines; empty: nothing. */
export function differences({ undisturbed, killed }: KillResult): string[] {
  return [undisturbed, ...killed].flatMap((ending, run) => [
    ...ending.failedChecks.map(check => `run ${run}: ${check}`),
    ...(['tables', 'deadLetters', 'files'] as const)
      .filter(part => JSON.stringify(ending[part]) !== JSON.stringify(undisturbed[part]))
      .map(part => `run ${run}: ${part}: ${changed(ending[part], undisturbed[part])}`)
  ])
}

/** Names whose values differ, a few of them. */
function changed(ended: unknown, expected: unknown): string {
  const [a, b] = [Object(ended), Object(expected)] as Record<string, unknown>[]
  const names = new Set([...Object.keys(a ?? {}), ...Object.keys(b ?? {})])
  const wrong = [...names].filter(name => JSON.stringify(a?.[name]) !== JSON.stringify(b?.[name]))
  return `${wrong.length} differ: ${wrong.slice(0, 3).join(', ')}`
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '25' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      events: { type: 'string', default: '2000' },
      projects: { type: 'string', default: '200' },
      faults: { type: 'string', default: 'none' }
    }
  })
  const log = (line: string): void => void process.stdout.write(`${line}\n`)
  const faults = values.faults === 'light' || values.faults === 'heavy' ? values.faults : 'none'
  log(`seed ${values.seed}`)
  const result = await killDemo({
    kills: Number(values.kills),
    seed: Number(values.seed),
    events: Number(values.events),
    projects: Number(values.projects),
    faults,
    log
  })
  const wrong = differences(result)
  for (const line of wrong) log(line)
  log(
    `${result.kills} kills, ${result.killed.length} runs compared: ${wrong.length === 0 ? 'OK' : 'NOT OK'}`
  )
  process.exitCode = wrong.length === 0 ? 0 : 1
}
