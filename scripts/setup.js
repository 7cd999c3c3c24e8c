/**
 * Installs what the project needs when it is missing or outdated; does nothing, fast, when all is
 * there. Plain JavaScript for Node 18 and later, since it runs before Node 24 is there.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const wantedMajor = 24
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const modules = join(root, 'node_modules')
const stamp = join(modules, '.claims-pipeline-setup')

const wanted = createHash('sha256')
  .update(readFileSync(join(root, 'package-lock.json')))
  .update(`${process.platform} ${process.arch}`)
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  say('Installing packages (npm ci) …')
  npm(['ci', '--no-audit', '--no-fund'])
  ensureNode()
  writeFileSync(stamp, wanted)
  say('Ready.')
} else ensureNode()

/** npm may have been told not to run install scripts; then the Node package is not complete. */
function ensureNode() {
  const node = join(modules, 'node', 'bin', 'node')
  if (nodeMajor(node) >= wantedMajor) return
  const script = join(modules, 'node', 'installArchSpecificPackage.js')
  if (existsSync(script)) {
    say('Completing the npm package `node` …')
    spawnSync(process.execPath, [script], {
      cwd: dirname(script),
      stdio: ['ignore', 'ignore', 'inherit']
    })
  }
  if (nodeMajor(node) >= wantedMajor) return
  if (Number(process.versions.node.split('.', 1)[0]) >= wantedMajor) return
  stop(
    `Node ${wantedMajor} or later is needed; this is ${process.version}, and the npm package \`node\` could not be installed. Install Node ${wantedMajor} yourself.`
  )
}

function nodeMajor(node) {
  if (!existsSync(node)) return 0
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return status === 0 ? Number(stdout.trim().replace(/^v/, '').split('.', 1)[0]) : 0
}

function npm(args) {
  const command = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const { status } = spawnSync(command, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] })
  if (status !== 0) stop(`\`npm ${args.join(' ')}\` failed; its message is above.`)
}

function say(text) {
  process.stderr.write(`[setup] ${text}\n`)
}

function stop(text) {
  say(text)
  process.exit(1)
}
