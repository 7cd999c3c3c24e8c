/** `npm run bench -- <name> [options]`: runs one benchmark; without a name it lists them. */
import { spawnSync } from 'node:child_process'
import { globSync } from 'node:fs'
import { join } from 'node:path'

const [name, ...options] = process.argv.slice(2)
const names = globSync('*.ts', { cwd: import.meta.dirname })
  .map(file => file.replace(/\.ts$/, ''))
  .filter(file => file !== 'run')
  .sort()
if (name === undefined || !names.includes(name)) {
  console.log(`Usage: npm run bench -- <name> [options]\nBenchmarks: ${names.join(', ')}`)
  process.exit(2)
}
const script = join(import.meta.dirname, `${name}.ts`)
const { status } = spawnSync(
  process.execPath,
  ['--disable-warning=ExperimentalWarning', script, ...options],
  { stdio: 'inherit' }
)
process.exit(status ?? 1)
