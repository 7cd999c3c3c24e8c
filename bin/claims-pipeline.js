#!/usr/bin/env node
/**
 * Starts the program. It needs Node 24 or later; on an older one (18 and up) it goes on with the Node
 * of the npm package `node`: the one beside it, or one that it installs once below the user's home.
 * In a checkout it runs the TypeScript sources, in the packed package the compiled files.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const wantedMajor = 24
const wantedVersion = '24.21.0'
const root = dirname(dirname(fileURLToPath(import.meta.url)))
const sources = join(root, 'src', 'cli', 'main.ts')
const entry = existsSync(sources) ? sources : join(root, 'dist', 'cli', 'main.js')
/** Set for the child of a launcher only; taken away before the program reads its environment. */
const launched = '_CLAIMS_PIPELINE_LAUNCHED'

if (major(process.versions.node) >= wantedMajor) await runHere()
else run(findNode())

/** In this process, so that signals, kill -9 included, reach the program itself. */
async function runHere() {
  if (process.env[launched] !== undefined) dieWithLauncher()
  const { emitWarning } = process
  process.emitWarning = (warning, ...rest) => {
    const [type] = rest
    const name = typeof type === 'object' ? type?.type : type
    if (name !== 'ExperimentalWarning') emitWarning.call(process, warning, ...rest)
  }
  const { start } = await import(pathToFileURL(entry).href)
  await start()
}

/**
 * A launcher that is killed by SIGKILL cannot pass that on, but the channel to it closes. Whoever sent
 * it means the program: it ends the same way, at once.
 */
function dieWithLauncher() {
  delete process.env[launched]
  process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
  // The listener alone must not keep a program alive that is done.
  process.channel?.unref()
}

/** Runs this file again as a child; its exit code or signal becomes ours. */
function run(node) {
  const child = spawn(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, [launched]: '1' }
  })
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    // The terminal sends SIGINT to the whole group; from elsewhere only we get it, so pass it on.
    process.on(name, () => {
      if (name !== 'SIGINT' || !process.stdin.isTTY) child.kill(name)
    })
  }
  child.on('error', error => fail(`cannot start ${node}: ${error.message}`))
  child.on('exit', (code, signal) => {
    if (signal !== null) {
      process.removeAllListeners(signal)
      process.kill(process.pid, signal)
    } else process.exit(code ?? 1)
  })
}

function findNode() {
  const beside = [join(root, 'node_modules'), dirname(root)].map(place =>
    join(place, 'node', 'bin', 'node')
  )
  const found = beside.find(isNewEnough)
  return found ?? installedNode()
}

function installedNode() {
  const home = join(homedir(), '.cache', 'claims-pipeline', `node-${wantedVersion}`)
  const node = join(home, 'node_modules', 'node', 'bin', 'node')
  if (isNewEnough(node)) return node
  process.stderr.write(
    `claims-pipeline needs Node ${wantedMajor}; this is ${process.version}. Installing node@${wantedVersion} from npm into ${home}, once …\n`
  )
  mkdirSync(home, { recursive: true })
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm'
  const done = spawnSync(
    npm,
    [
      'install',
      '--prefix',
      home,
      '--no-audit',
      '--no-fund',
      '--allow-scripts=node',
      `node@${wantedVersion}`
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] }
  )
  if (done.status === 0 && !isNewEnough(node)) {
    // Some versions of npm do not run install scripts; this is the script of the package.
    spawnSync(process.execPath, ['installArchSpecificPackage.js'], {
      cwd: join(home, 'node_modules', 'node'),
      stdio: ['ignore', 'ignore', 'inherit']
    })
  }
  if (isNewEnough(node)) return node
  return fail(
    `could not install Node ${wantedMajor}. Install Node ${wantedMajor} or later yourself.`
  )
}

function isNewEnough(node) {
  if (!existsSync(node)) return false
  const { status, stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' })
  return status === 0 && major(stdout.trim().replace(/^v/, '')) >= wantedMajor
}

function major(version) {
  return Number(version.split('.', 1)[0])
}

function fail(message) {
  process.stderr.write(`claims-pipeline: ${message}\n`)
  process.exit(1)
}
