/**
 * Real Apache Kafka for tests: its own jars from Maven, in KRaft mode, brokers that are controllers too. A cluster
 * belongs to who started it; `KAFKA_BOOTSTRAP_SERVERS` names another one to be used instead where that is enough.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createConnection, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Admin } from '@platformatic/kafka'
import { alone, jars } from './maven.ts'
import { waitUntil } from './whole-pipeline.ts'

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
  /** Clients reach each broker through a proxy that tests can cut. */
  readonly proxied?: boolean
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
  try {
    await Promise.all(cluster.brokers.map(broker => broker.start()))
  } catch (error) {
    await cluster.close()
    throw error
  }
  return cluster
}

export class KafkaCluster {
  readonly brokers: readonly KafkaBroker[]
  /** One a broker, when asked for. */
  readonly proxies: readonly TcpProxy[]
  readonly #directory: string

  private constructor(
    directory: string,
    brokers: readonly KafkaBroker[],
    proxies: readonly TcpProxy[]
  ) {
    this.#directory = directory
    this.brokers = brokers
    this.proxies = proxies
  }

  static async create(classPath: string, options: KafkaClusterOptions): Promise<KafkaCluster> {
    const directory = mkdtempSync(join(tmpdir(), 'kafka-'))
    const count = options.brokers ?? 1
    const ports = await freePorts(count * 4)
    const portOf = (kind: number, id: number): number => ports[kind * count + id] ?? 0
    const voters = Array.from({ length: count }, (_, id) => `${id}@127.0.0.1:${portOf(2, id)}`)
    const proxies: TcpProxy[] = []
    const brokers: KafkaBroker[] = []
    for (let id = 0; id < count; id++) {
      const home = join(directory, `broker-${id}`)
      mkdirSync(home)
      const client = portOf(0, id)
      if (options.proxied === true) proxies.push(await TcpProxy.open(portOf(3, id), client))
      const place = {
        id,
        home,
        client,
        advertised: proxies[id]?.port ?? client,
        internal: portOf(1, id),
        controller: portOf(2, id)
      }
      const settings = propertiesOf(place, voters, options)
      brokers.push(new KafkaBroker(classPath, home, client, settings, options.format ?? []))
    }
    return new KafkaCluster(directory, brokers, proxies)
  }

  get bootstrapServers(): string[] {
    const ports = this.proxies.length > 0 ? this.proxies : this.brokers
    return ports.map(({ port }) => `127.0.0.1:${port}`)
  }

  async close(): Promise<void> {
    for (const broker of this.brokers) broker.kill()
    await Promise.all(this.brokers.map(broker => broker.ended))
    for (const proxy of this.proxies) proxy.close()
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

/** Deletes those of the topics that there are, with the positions of all groups in them. */
export async function deleteTopics(
  { bootstrapServers }: Pick<KafkaCluster, 'bootstrapServers'>,
  names: readonly string[]
): Promise<void> {
  const admin = new Admin({
    clientId: 'tests',
    bootstrapBrokers: [...bootstrapServers],
    retries: 40,
    retryDelay: 500
  })
  const there = async () => {
    const present = new Set(await admin.listTopics())
    return names.filter(name => present.has(name))
  }
  const topics = await there()
  if (topics.length > 0) await admin.deleteTopics({ topics })
  // A broker deletes some time after it said so; whoever creates them anew before would find the old ones.
  await waitUntil(async () => (await there()).length === 0, 'the topics are gone')
  await admin.close()
}

interface BrokerPlace {
  readonly id: number
  readonly home: string
  readonly client: number
  /** Where clients are told to go. */
  readonly advertised: number
  readonly internal: number
  readonly controller: number
}

function propertiesOf(
  { id, home, client, advertised, internal, controller }: BrokerPlace,
  voters: readonly string[],
  { brokers = 1, protocol = 'PLAINTEXT', properties = {} }: KafkaClusterOptions
): string {
  const copies = String(Math.min(3, brokers))
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': String(id),
    'controller.quorum.voters': voters.join(','),
    'controller.listener.names': 'CONTROLLER',
    listeners: `CLIENT://127.0.0.1:${client},INTERNAL://127.0.0.1:${internal},CONTROLLER://127.0.0.1:${controller}`,
    'advertised.listeners': `CLIENT://127.0.0.1:${advertised},INTERNAL://127.0.0.1:${internal}`,
    'listener.security.protocol.map': `CLIENT:${protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name': 'INTERNAL',
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

/** Passes bytes between clients and a broker until it is cut. */
export class TcpProxy {
  readonly port: number
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #cut = false

  private constructor(port: number, server: Server) {
    this.port = port
    this.#server = server
  }

  static async open(port: number, target: number): Promise<TcpProxy> {
    const server = createServer()
    const proxy = new TcpProxy(port, server)
    server.on('connection', client => proxy.#pass(client, target))
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
    return proxy
  }

  /** Breaks all connections, and each new one, until `mend`. */
  cut(): void {
    this.#cut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  mend(): void {
    this.#cut = false
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #pass(client: Socket, target: number): void {
    if (this.#cut) {
      client.destroy()
      return
    }
    const broker = createConnection({ host: '127.0.0.1', port: target })
    for (const socket of [client, broker]) {
      this.#sockets.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => {
        this.#sockets.delete(socket)
        client.destroy()
        broker.destroy()
      })
    }
    client.pipe(broker)
    broker.pipe(client)
  }
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
