/** On an older Node the program runs in a child of its launcher; they must not outlive each other. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { resolve } from 'node:path'
import { describe, it } from 'node:test'

const bin = resolve(import.meta.dirname, '../../bin/claims-pipeline.js')
const pretendOld =
  "const versions = { ...process.versions, node: '20.0.0' }; Object.defineProperty(process, 'versions', { value: versions })"
const preload = `--import=data:text/javascript,${encodeURIComponent(pretendOld)}`

/** Every machine can pretend; where an older Node is on the path, it is tried too. */
const olderNodes = spawnSync('which', ['-a', 'node'], { encoding: 'utf8' })
  .stdout.split('\n')
  .filter(path => path !== '' && Number(versionOf(path).split('.')[0]) < 24)
const launchers: readonly (readonly [string, string, readonly string[]])[] = [
  ['a Node that says it is 20', process.execPath, [preload]],
  ...olderNodes.slice(0, 1).map(path => [`Node ${versionOf(path)}`, path, []] as const)
]

function versionOf(path: string): string {
  return spawnSync(path, ['--version'], { encoding: 'utf8' }).stdout.trim().replace('v', '')
}

interface Launched {
  readonly child: ChildProcess
  /** When launcher and program have both let go of their output. */
  readonly closed: Promise<unknown>
  output(): string
}

async function launch(node: string, flags: readonly string[]): Promise<Launched> {
  const words = ['simulate', '--port', '0', '--events', '10', '--projects', '2']
  const child = spawn(node, [...flags, bin, ...words], {
    // A group of its own, so that the test can clear up whatever is left.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  let text = ''
  const ready = Promise.withResolvers<void>()
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', chunk => {
      text += String(chunk)
      if (text.includes('Ctrl-C')) ready.resolve()
    })
  }
  const closed = once(child, 'close')
  await Promise.race([
    ready.promise,
    closed.then(() => assert.fail(`ended before it was ready: ${text}`))
  ])
  return { child, closed, output: () => text }
}

async function serves(output: string): Promise<boolean> {
  const url = /API is at (\S+?)\.? /.exec(output)?.[1] ?? assert.fail(output)
  return await fetch(url).then(
    () => true,
    () => false
  )
}

function clearUp({ child }: Launched): void {
  try {
    process.kill(-(child.pid ?? 0), 'SIGKILL')
  } catch {
    // Nothing is left, as it should be.
  }
}

for (const [name, node, flags] of launchers) {
  describe(`a launcher on ${name}`, { timeout: 60_000 }, () => {
    it('that is killed by SIGKILL takes the program with it', async () => {
      const launched = await launch(node, flags)
      try {
        assert.equal(await serves(launched.output()), true)
        launched.child.kill('SIGKILL')
        await launched.closed
        assert.equal(await serves(launched.output()), false)
      } finally {
        clearUp(launched)
      }
    })

    it('passes SIGTERM on, and ends as the program ends', async () => {
      const launched = await launch(node, flags)
      try {
        launched.child.kill('SIGTERM')
        await launched.closed
        assert.equal(launched.child.exitCode, 0, launched.output())
      } finally {
        clearUp(launched)
      }
    })

    it('gives back output and exit code, and lets a program that is done end', () => {
      const done = spawnSync(node, [...flags, bin, '--version'], { encoding: 'utf8' })
      assert.deepEqual([done.status, done.stderr], [0, ''])
      assert.match(done.stdout, /^\d+\.\d+\.\d+\n$/)
      const wrong = spawnSync(node, [...flags, bin, 'nope'], { encoding: 'utf8' })
      assert.equal(wrong.status, 2)
    })
  })
}
