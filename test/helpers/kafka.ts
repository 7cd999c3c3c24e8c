/**
 * Real Apache Kafka for tests: its own jars from Maven, in KRaft mode, brokers that are controllers too. A cluster
 * belongs to who started it; `KAFKA_BOOTSTRAP_SERVERS` names another one to be used instead where that is enough.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { alone, jars } from './maven.ts'

const run = promisify(execFile)
const KAFKA = ['org.apache.kafka:kafka_2.13:4.1.0']
const CLUSTER_ID = 'MkU3OEVBNTcwNTJENDM2Qk'
const START_MS = 60_000
const STOP_MS = 30_000

export interface KafkaClusterOptions {
  /** Brokers; 1 by default. */
  readonly brokers?: number
  /** Further lines of `server.properties`. */
  readonly properties?: Readonly<Record<string, string>>
  /** Security protocol of the listener for clients; `PLAINTEXT` by default. */
  readonly protocol?: 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL'
  /** Added to the arguments of the formatting, such as SCRAM users. */
  readonly format?: readonly string[]
}

/** Undefined, with a loud line, where Java or Maven is missing; then an error with `CI=true`. */
export async function startKafka(
  options: KafkaClusterOptions = {}
): Promise<KafkaCluster | undefined> {
  let classPath: string
  try {
    classPath = (await alone(() => jars('kafka-jars', KAFKA))).join(delimiter)
    await run('java', ['-version'])
  } catch (error) {
    const missing = `Kafka cannot be started here: ${(error as Error).message.slice(0, 300)}`
    if (process.env['CI'] === 'true') throw new Error(missing, { cause: error })
    process.stderr.write(`SKIPPED: ${missing}\n`)
    return undefined
  }
  const cluster = await KafkaCluster.create(classPath, options)
  await Promise.all(cluster.brokers.map(broker => broker.start()))
  return cluster
}

export class KafkaCluster {
  readonly brokers: readonly KafkaBroker[]
  readonly #directory: string

  private constructor(directory: string, brokers: readonly KafkaBroker[]) {
    this.#directory = directory
    this.brokers = brokers
  }

  static async create(classPath: string, options: KafkaClusterOptions): Promise<KafkaCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'kafka-'))
    const count = options.brokers ?? 1
    const ports = await freePorts(count * 2)
    const voters = Array.from({ length: count }, (_, id) => `${id}@127.0.0.1:${ports[count + id]}`)
    const brokers = Array.from({ length: count }, (_, id) => {
      const home = join(directory, `broker-${id}`)
      mkdirSync(home)
      const port = ports[id] ?? 0
      const settings = propertiesOf(id, home, port, ports[count + id] ?? 0, voters, options)
      return new KafkaBroker(classPath, home, port, settings, options.format ?? [])
    })
    return new KafkaCluster(directory, brokers)
  }

  get bootstrapServers(): string[] {
    return this.brokers.map(broker => `127.0.0.1:${broker.port}`)
  }

  async close(): Promise<void> {
    for (const broker of this.brokers) broker.kill()
    await Promise.all(this.brokers.map(broker => broker.ended))
    rmSync(this.#directory, { recursive: true, force: true })
  }
}

export class KafkaBroker {
  readonly port: number
  readonly #classPath: string
  readonly #home: string
  readonly #settings: string
  readonly #format: readonly string[]
  #child: ChildProcess | undefined
  #formatted = false
  ended: Promise<void> = Promise.resolve()

  constructor(
    classPath: string,
    home: string,
    port: number,
    settings: string,
    format: readonly string[]
  ) {
    this.#classPath = classPath
    this.#home = home
    this.port = port
    this.#settings = settings
    this.#format = format
  }

  get pid(): number {
    return this.#child?.pid ?? 0
  }

  /** Resolves when it takes connections. */
  async start(): Promise<void> {
    const file = join(this.#home, 'server.properties')
    if (!this.#formatted) {
      writeFileSync(file, this.#settings)
      const format = ['format', '-t', CLUSTER_ID, '-c', file, ...this.#format]
      await run('java', [...this.#java(), 'kafka.tools.StorageTool', ...format])
      this.#formatted = true
    }
    const child = spawn('java', [...this.#java(), 'kafka.Kafka', file], {
      stdio: ['ignore', 'ignore', 'ignore']
    })
    this.#child = child
    this.ended = once(child, 'exit').then(() => undefined)
    const deadline = Date.now() + START_MS
    while (!(await accepts(this.port))) {
      if (child.exitCode !== null || Date.now() > deadline) {
        throw new Error(`Kafka did not start: ${this.log().slice(-2000)}`)
      }
      await pause(100)
    }
  }

  /** Stops it as an operator would. */
  async stop(): Promise<void> {
    this.#child?.kill('SIGTERM')
    const late = pause(STOP_MS, undefined, { ref: false }).then(() => this.kill())
    await Promise.race([this.ended, late])
    await this.ended
  }

  kill(): void {
    this.#child?.kill('SIGCONT')
    this.#child?.kill('SIGKILL')
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal)
  }

  log(): string {
    try {
      return readFileSync(join(this.#home, 'server.log'), 'utf8')
    } catch {
      return ''
    }
  }

  #java(): string[] {
    const memory = ['-Xms128m', '-Xmx384m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1']
    const logging = join(this.#home, 'log4j2.yaml')
    writeFileSync(logging, log4j(join(this.#home, 'server.log')))
    return [...memory, `-Dlog4j2.configurationFile=${logging}`, '-cp', this.#classPath]
  }
}

function propertiesOf(
  id: number,
  home: string,
  port: number,
  controllerPort: number,
  voters: readonly string[],
  { brokers = 1, protocol = 'PLAINTEXT', properties = {} }: KafkaClusterOptions
): string {
  const copies = String(Math.min(3, brokers))
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': voters.join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `CLIENT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controllerPort}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${port}`,
    'listener.security.protocol.map': `CLIENT:${protocol},CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name': 'CLIENT',
    'log.dirs': join(home, 'data'),
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': '4',
    'transaction.state.log.replication.factor': copies,
    'default.replication.factor': copies,
    'min.insync.replicas': brokers >= 3 ? '2' : '1',
    'auto.create.topics.enable': 'false',
    'group.initial.rebalance.delay.ms': '0',
    'group.min.session.timeout.ms': '1000',
    'controlled.shutdown.enable': String(brokers > 1),
    'broker.session.timeout.ms': '4000',
    'broker.heartbeat.interval.ms': '500',
    ...properties
  }
  return Object.entries(settings)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')
}

function log4j(file: string): string {
  return `Configuration:
  Appenders:
    File:
      name: F
      fileName: ${JSON.stringify(file)}
      PatternLayout:
        pattern: "[%d] %p %m (%c)%n%ex"
  Loggers:
    Root:
      level: WARN
      AppenderRef:
        ref: F
`
}

async function accepts(port: number): Promise<boolean> {
  const socket = createConnection({ host: '127.0.0.1', port })
  return await new Promise(resolve => {
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** Ports that nobody listens on now, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(servers.map(server => once(server, 'listening')))
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => new Promise(resolve => server.close(resolve))))
  return ports
}
