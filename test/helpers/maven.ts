/** Jars from Maven for the programs that tests run beside ours, kept in `.cache`; made by one process at a time. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
export const cache = join(import.meta.dirname, '..', '..', '.cache')

/** Test files run side by side: one installs, the others wait. A lock that nobody holds is old. */
export async function alone<T>(work: () => Promise<T>): Promise<T> {
  await mkdir(cache, { recursive: true })
  const lock = join(cache, '.installing')
  for (;;) {
    try {
      await mkdir(lock)
      break
    } catch {
      const since = await stat(lock).catch(() => undefined)
      if (since !== undefined && Date.now() - since.mtimeMs > 20 * 60_000) {
        await rm(lock, { recursive: true, force: true })
      }
      await pause(200)
    }
  }
  try {
    return await work()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
}

/** Jars with all that they need, from Maven. */
export async function jars(name: string, dependencies: readonly string[]): Promise<string[]> {
  const directory = join(cache, name)
  const marker = join(directory, `.jars-${hash(dependencies.join(' '))}`)
  if (!existsSync(marker)) {
    const project = join(cache, `${name}-project`)
    await rm(directory, { recursive: true, force: true })
    await mkdir(project, { recursive: true })
    await writeFile(join(project, 'pom.xml'), pom(name, dependencies))
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime']
    await run('mvn', ['-q', '-B', ...goal, `-DoutputDirectory=${directory}`], {
      cwd: project,
      timeout: 900_000
    })
    await writeFile(marker, '')
  }
  const names = readdirSync(directory).filter(file => file.endsWith('.jar'))
  return names.map(file => join(directory, file))
}

function pom(name: string, dependencies: readonly string[]): string {
  const listed = dependencies.map(dependency => {
    const [group, artifact, version] = dependency.split(':')
    return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
  })
  return `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>claims-pipeline</groupId><artifactId>${name}</artifactId><version>1</version>
  <dependencies>${listed.join('')}</dependencies>
</project>
`
}

export function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
