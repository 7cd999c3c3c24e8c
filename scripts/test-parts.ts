/**
 * Parts of the tests that need another program than Node. What can be had from a package registry is
 * fetched once into `.cache`; what is missing is said loudly.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Names of the parts among `files` that cannot run here. */
export function prepareParts(root: string, files: readonly string[]): string[] {
  const missing: string[] = []
  if (files.some(file => file.startsWith('test/interop/'))) {
    if (!pythonReady(root)) missing.push('Python 3 with deltalake (reading our tables elsewhere)')
    if (!succeeds('java', ['-version'])) missing.push('Java (Spark)')
  }
  for (const part of missing) {
    process.stderr.write(`\n!!! SKIPPED, since this machine lacks it: ${part}\n`)
  }
  if (missing.length > 0) process.stderr.write('\n')
  return missing
}

/** A virtual environment in `.cache/python` with the packages of `test/interop/requirements.txt`. */
function pythonReady(root: string): boolean {
  const requirements = join(root, 'test', 'interop', 'requirements.txt')
  if (!existsSync(requirements)) return true
  const home = join(root, '.cache', 'python')
  const python = join(home, 'bin', 'python')
  const stamp = join(home, '.claims-pipeline-setup')
  const wanted = createHash('sha256').update(readFileSync(requirements)).digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return true
  if (!succeeds('python3', ['--version'])) return false
  process.stdout.write('Installing the Python packages of test/interop into .cache/python …\n')
  mkdirSync(join(root, '.cache'), { recursive: true })
  const ready =
    (existsSync(python) || succeeds('python3', ['-m', 'venv', home])) &&
    succeeds(python, ['-m', 'pip', 'install', '--quiet', '-r', requirements], true)
  if (ready) writeFileSync(stamp, wanted)
  return ready
}

function succeeds(command: string, args: readonly string[], showErrors = false): boolean {
  const stdio = ['ignore', 'ignore', showErrors ? 'inherit' : 'ignore'] as const
  return spawnSync(command, args, { stdio: [...stdio] }).status === 0
}
