/**
 * `npm test [-- filter …]`: lint and types, then every test file in one run of node's test runner. A
 * filter is the name of a part (`unit`, `interop`, …), `check`, or a piece of a file's path.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, globSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { delimiter, join } from 'node:path'
import { prepareParts } from './test-parts.ts'

const root = join(import.meta.dirname, '..')
const parts = ['unit', 'conformance', 'model', 'integration', 'interop', 'recovery']

/** Longest time for one test file; the recovery tests kill and restart for minutes. */
const fileTimeoutMs = 15 * 60_000

const filters = process.argv.slice(2).filter(word => word !== '--')
const files = parts
  .flatMap(part => globSync(`test/${part}/**/*.test.ts`, { cwd: root }).sort())
  .filter(file => filters.length === 0 || filters.some(filter => matches(file, filter)))
const withCheck = filters.length === 0 || filters.includes('check')

if (!withCheck && files.length === 0) {
  process.stderr.write(`No test matches ${filters.join(' ')}. Parts: check, ${parts.join(', ')}\n`)
  process.exit(2)
}
if (withCheck) check()
if (files.length > 0) {
  const missing = prepareParts(root, files)
  if (missing.length > 0 && process.env['CI'] === 'true') {
    process.stderr.write('With CI=true a part that cannot run is a failure.\n')
    process.exit(1)
  }
  process.exit(runTests())
}

function matches(file: string, filter: string): boolean {
  return file.startsWith(`test/${filter}/`) || file.replace(/^test\//, '').includes(filter)
}

function check(): void {
  for (const [name, command, ...args] of [
    ['lint', 'biome', 'check', '--error-on-warnings', '.'],
    ['types', 'tsc', '--noEmit', '-p', 'tsconfig.json']
  ] as const) {
    const started = performance.now()
    const { status } = spawnSync(join(root, 'node_modules', '.bin', command), args, {
      cwd: root,
      stdio: 'inherit'
    })
    if (status !== 0) {
      process.stderr.write(`${name} failed; to see it alone: npm run check\n`)
      process.exit(1)
    }
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    process.stdout.write(`✔ ${name} (${seconds} s)\n`)
  }
}

function runTests(): number {
  const bin = join(root, 'node_modules', '.bin')
  const concurrency = Math.max(2, Math.min(4, availableParallelism()))
  const { status } = spawnSync(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      '--test',
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${fileTimeoutMs}`,
      ...files
    ],
    {
      cwd: root,
      stdio: 'inherit',
      env: {
        ...process.env,
        ...(existsSync(bin) ? { PATH: `${bin}${delimiter}${process.env['PATH'] ?? ''}` } : {})
      }
    }
  )
  return status ?? 1
}
