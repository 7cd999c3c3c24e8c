/**
 * Python with the other engines that read Delta tables: a virtualenv in `.cache/python` with exactly
 * pinned packages, and the jars that Spark needs in `.cache/spark-jars`. Both are made once. Where
 * Python, Java, Maven or the registries are missing the tests are skipped, but fail when `CI=true`.
 */
import { type ChildProcessByStdio, execFile, spawn } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { Readable, Writable } from 'node:stream'
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
  'importlib_metadata==10.2.0'
]

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>claims-pipeline</groupId><artifactId>spark-jars</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>io.delta</groupId><artifactId>delta-spark_2.13</artifactId><version>4.0.0</version></dependency>
  </dependencies>
</project>
`

export interface Python {
  readonly executable: string
  /** For Spark's `spark.driver.extraClassPath`. */
  readonly sparkJars: string
  /** Runs a script; resolves to what it printed on standard output. */
  run(script: string, args: readonly string[]): Promise<string>
  /** Starts a script that is talked to line by line. */
  start(script: string, args: readonly string[]): ChildProcessByStdio<Writable, Readable, null>
}

/** Undefined, with the reason, when this machine cannot have it. Rejects instead when `CI=true`. */
export async function openPython(): Promise<{ python?: Python; missing?: string }> {
  try {
    const executable = await virtualenv()
    const sparkJars = await jars()
    return {
      python: {
        executable,
        sparkJars,
        start: (script, args) =>
          spawn(executable, [script, ...args], { stdio: ['pipe', 'pipe', 'inherit'] }),
        run: async (script, args) => {
          const options = { maxBuffer: 256 * 1_048_576, timeout: 600_000 }
          return (await run(executable, [script, ...args], options)).stdout
        }
      }
    }
  } catch (error) {
    const missing = `Python, Java or Maven cannot be used here: ${(error as Error).message.slice(0, 300)}`
    if (process.env['CI'] === 'true') throw new Error(missing, { cause: error })
    process.stderr.write(`SKIPPED: ${missing}\n`)
    return { missing }
  }
}

async function virtualenv(): Promise<string> {
  const directory = join(cache, 'python')
  const executable = join(directory, 'bin', 'python')
  const marker = join(directory, `.packages-${PACKAGES.join('-').replace(/[^\w.-]/g, '')}`)
  if (existsSync(marker)) return executable
  await mkdir(cache, { recursive: true })
  await run('java', ['-version'])
  await run('python3', ['-m', 'venv', directory])
  await run(executable, ['-m', 'pip', 'install', '--quiet', ...PACKAGES], { timeout: 900_000 })
  await writeFile(marker, '')
  return executable
}

async function jars(): Promise<string> {
  const directory = join(cache, 'spark-jars')
  if (!existsSync(directory)) {
    const project = join(cache, 'spark-jars-project')
    await mkdir(project, { recursive: true })
    await writeFile(join(project, 'pom.xml'), POM)
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime']
    await run('mvn', ['-q', '-B', ...goal, `-DoutputDirectory=${directory}`], {
      cwd: project,
      timeout: 900_000
    })
  }
  const names = readdirSync(directory).filter(name => !name.startsWith('scala-library'))
  return names.map(name => join(directory, name)).join(delimiter)
}
