/**
 * The other engines that the tests compare with: a virtualenv in `.cache/python` with exactly pinned
 * packages, and the jars of Spark and of the Java kernel. All are made once, by one process. Where Python,
 * Java, Maven or the registries are missing the tests are skipped, but fail when `CI=true`.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdir, rm, stat, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)
const cache = join(import.meta.dirname, '..', '..', '.cache')

const PACKAGES = [
  'deltalake==1.6.6',
  'arro3-core==0.9.1',
  'Deprecated==1.3.1',
  'pyarrow==26.0.1',
  'pyspark==4.0.1',
  'py4j==0.10.9.9',
  'delta-spark==4.0.0',
  'importlib_metadata==10.2.0',
  'duckdb==1.4.4',
  'duckdb-ext-delta==1.4.4.20260205',
  'pytz==2026.6'
]

const SPARK = ['io.delta:delta-spark_2.13:4.0.0']
/** Newer than Spark's Delta: 4.0.0 cannot read a deletion vector that is in the log itself. */
const KERNEL = [
  'io.delta:delta-kernel-defaults:4.4.0',
  'io.delta:delta-kernel-api:4.4.0',
  'org.apache.hadoop:hadoop-client-runtime:3.4.1',
  'org.slf4j:slf4j-nop:1.7.36'
]
const sources = join(import.meta.dirname, '..', 'interop')

export interface Python {
  readonly executable: string
  /** For Spark's `spark.driver.extraClassPath`. */
  readonly sparkJars: string
  /** Class path of the Java kernel and of the main class that answers as a judge. */
  readonly kernelClasses: string
  /** Class path of a log store for Spark that is safe beside other processes. */
  readonly logStore: string
  /** Runs a script; resolves to what it printed on standard output. */
  run(script: string, args: readonly string[]): Promise<string>
  /** Starts a script that is talked to line by line. */
  start(script: string, args: readonly string[]): ChildProcessByStdio<Writable, Readable, null>
}

/** Undefined, with the reason, when this machine cannot have it. Rejects instead when `CI=true`. */
export async function openPython(): Promise<{ python?: Python; missing?: string }> {
  try {
    await mkdir(cache, { recursive: true })
    return { python: await alone(installed) }
  } catch (error) {
    const missing = `Python, Java or Maven cannot be used here: ${(error as Error).message.slice(0, 300)}`
    if (process.env['CI'] === 'true') throw new Error(missing, { cause: error })
    process.stderr.write(`SKIPPED: ${missing}\n`)
    return { missing }
  }
}

async function installed(): Promise<Python> {
  const executable = await virtualenv()
  const spark = await jars('spark-jars', SPARK)
  const kernel = await jars('kernel-4.4-jars', KERNEL)
  const storage = spark.filter(name => name.includes('delta-storage'))
  const hadoop = kernel.filter(name => name.includes('hadoop-client'))
  return {
    executable,
    sparkJars: spark.filter(name => !name.includes('scala-library')).join(delimiter),
    kernelClasses: [await compiled('judges/KernelJudge.java', kernel), ...kernel].join(delimiter),
    logStore: await compiled('foreign/LinkLogStore.java', [...storage, ...hadoop]),
    start: (script, args) =>
      spawn(executable, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }),
    run: async (script, args) => {
      const options = { maxBuffer: 256 * 1_048_576, timeout: 600_000 }
      return (await run(executable, [script, ...args], options)).stdout
    }
  }
}

/** Test files run side by side: one installs, the others wait. A lock that nobody holds is old. */
async function alone<T>(work: () => Promise<T>): Promise<T> {
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

async function virtualenv(): Promise<string> {
  const directory = join(cache, 'python')
  const executable = join(directory, 'bin', 'python')
  const marker = join(directory, `.packages-${hash(PACKAGES.join(' '))}`)
  if (existsSync(marker)) return executable
  await run('java', ['-version'])
  if (!existsSync(executable)) await run('python3', ['-m', 'venv', directory])
  await run(executable, ['-m', 'pip', 'install', '--quiet', ...PACKAGES], { timeout: 900_000 })
  await writeFile(marker, '')
  return executable
}

/** Jars with all that they need, from Maven. */
async function jars(name: string, dependencies: readonly string[]): Promise<string[]> {
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

/** Directory with the classes of a source file under `test/interop`. */
async function compiled(source: string, classPath: readonly string[]): Promise<string> {
  const file = join(sources, source)
  const directory = join(cache, 'classes', hash(readFileSync(file, 'utf8')))
  if (existsSync(directory)) return directory
  const target = `${directory}-new`
  await run('javac', ['-cp', classPath.join(delimiter), '-d', target, file], { timeout: 300_000 })
  await run('mv', [target, directory])
  return directory
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
