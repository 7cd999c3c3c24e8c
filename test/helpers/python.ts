/**
 * The other engines that the tests compare with: a virtualenv in `.cache/python` with exactly pinned
 * packages, and the jars of Spark and of the Java kernel. All are made once, by one process. Where Python,
 * Java, Maven or the registries are missing the tests are skipped, but fail when `CI=true`.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
import { promisify } from 'node:util'
import { alone, cache, hash, jars } from './maven.ts'

const run = promisify(execFile)

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
