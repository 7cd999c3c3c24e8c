/**
 * Brokers, what they can speak, and who leads what. Connections are kept by broker and by lane: a broker answers
 * the requests of one connection in turn, so what may wait (a fetch, a join) has one of its own. A connection
 * that failed or timed out is closed and made anew at the next request.
 */
import { isIP } from 'node:net'
import { Connection, type ConnectionOptions } from '@platformatic/kafka'
import { BrokerError, isPipelineError } from '../../core/index.ts'
import { brokerError, hasApiId, isAccessError, NO_TOPIC, responseOf } from './failures.ts'
import { DEFAULTS, type KafkaLogOptions, type KafkaPorts } from './options.ts'
import {
  type ApiArgs,
  type ApiName,
  type ApiResult,
  askVersions,
  assertSpoken,
  type BrokerVersions,
  callApi,
  type MetadataAnswer
} from './protocol.ts'

export interface Topic {
  readonly name: string
  readonly id: string
  readonly internal: boolean
  /** Node that leads each partition, -1: nobody now. */
  readonly leaders: readonly number[]
  readonly replicas: number
}

interface Address {
  readonly host: string
  readonly port: number
}

interface Open {
  readonly connection: Connection
  readonly versions: BrokerVersions
}

const GROUP_KEY = 0
const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000
/** A request that takes longer is given up, with its connection. */
const REQUEST_TIMEOUT_MS = 15_000
/** To connect, and again to be told the versions: a broker that hangs must not hold up the search for another. */
const CONNECT_TIMEOUT_MS = 5000
const LONGEST_REQUEST_MS = 3_600_000

export class Cluster {
  readonly #options: KafkaLogOptions
  readonly #ports: KafkaPorts
  readonly #open = new Map<string, Promise<Open>>()
  readonly #brokers = new Map<number, Address>()
  readonly #topics = new Map<string, Topic>()
  readonly #closing = new AbortController()

  constructor(options: KafkaLogOptions, ports: KafkaPorts) {
    this.#options = options
    this.#ports = ports
  }

  get closed(): boolean {
    return this.#closing.signal.aborted
  }

  /** Nodes known from the newest metadata. */
  get nodes(): readonly number[] {
    return [...this.#brokers.keys()]
  }

  /** Topics by name. Rejects with `BROKER_UNKNOWN_TOPIC` when one does not exist. */
  async topics(names: readonly string[], fresh = false): Promise<Topic[]> {
    if (fresh || names.some(name => !this.#topics.has(name))) {
      await this.retried('Reading the metadata', () => this.#refresh(names))
    }
    return names.map(name => {
      const topic = this.#topics.get(name)
      if (topic !== undefined) return topic
      throw new BrokerError('BROKER_UNKNOWN_TOPIC', `There is no topic "${name}"`)
    })
  }

  /** Those of the names that exist, or all topics that are not internal. */
  async existing(names?: readonly string[]): Promise<Topic[]> {
    return await this.retried('Reading the metadata', async () => {
      const found = await this.#refresh(names)
      return found.filter(topic => !topic.internal)
    })
  }

  /** Forgets who leads the topic, so that the next question asks the cluster. */
  forget(topic: string): void {
    this.#topics.delete(topic)
  }

  /** Sends a request to a node, or to any. `lane` names the connection. */
  async call<Name extends ApiName>(
    node: number | undefined,
    lane: string,
    name: Name,
    args: ApiArgs<Name>,
    timeoutMs = REQUEST_TIMEOUT_MS
  ): Promise<ApiResult<Name>> {
    const { connection, versions } = await this.#connection(node, lane)
    try {
      const answer = callApi(connection, versions, name, args)
      return await this.#inTime(answer, `${name} was not answered`, timeoutMs)
    } catch (error) {
      // What the broker answered leaves the connection good; anything else does not.
      if (responseOf(error) === undefined && !isPipelineError(error)) this.#drop(connection)
      throw error
    }
  }

  /**
   * The same of a node that leads what is asked about. That it does not know a topic which the metadata know says that
   * one of both is behind: it passes, or the newer metadata tell.
   */
  async callLeader<Name extends ApiName>(
    node: number,
    lane: string,
    name: Name,
    args: ApiArgs<Name>
  ): Promise<ApiResult<Name>> {
    try {
      return await this.call(node, lane, name, args)
    } catch (error) {
      if (!hasApiId(error, NO_TOPIC)) throw error
      const text = `The broker ${node} does not know yet, or no more, what it leads`
      throw new BrokerError('BROKER_UNAVAILABLE', text, { cause: error })
    }
  }

  /** Node that coordinates the group. */
  async coordinator(groupId: string): Promise<number> {
    const { coordinators } = await this.call(undefined, 'admin', 'FindCoordinator', [
      GROUP_KEY,
      [groupId]
    ])
    const [found] = coordinators
    if (found === undefined) throw new BrokerError('BROKER_UNAVAILABLE', 'There is no coordinator')
    this.#brokers.set(found.nodeId, { host: found.host, port: found.port })
    return found.nodeId
  }

  /**
   * Repeats until it succeeds, fails for good, or the time for an operation is over. Leaders are asked for anew
   * before each further attempt.
   */
  async retried<T>(what: string, attempt: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { clock, ids } = this.#ports
    const until =
      clock.monotonic() + (this.#options.operationTimeoutMs ?? DEFAULTS.operationTimeoutMs)
    for (let pause = FIRST_PAUSE_MS; ; pause = Math.min(LONGEST_PAUSE_MS, pause * 2)) {
      this.assertOpen()
      try {
        return await attempt()
      } catch (error) {
        this.assertOpen()
        const failure = brokerError(error, what)
        const passing = failure.code === 'BROKER_UNAVAILABLE'
        if (!passing || signal?.aborted === true || clock.monotonic() + pause > until) throw failure
        this.#topics.clear()
        await clock.sleep(pause * (0.5 + ids.random()), signal)
      }
    }
  }

  assertOpen(): void {
    if (this.closed) throw new BrokerError('BROKER_CLOSED', 'The message log is closed')
  }

  /** Closes the connections of a lane. */
  async closeLane(lane: string): Promise<void> {
    const mine = [...this.#open.keys()].filter(key => key.endsWith(`/${lane}`))
    await Promise.all(mine.map(key => this.#closeOne(key)))
  }

  async close(): Promise<void> {
    this.#closing.abort()
    await Promise.all([...this.#open.keys()].map(key => this.#closeOne(key)))
  }

  async #refresh(names: readonly string[] | undefined): Promise<Topic[]> {
    const answer = await this.#metadata(names)
    for (const { nodeId, host, port } of answer.brokers) this.#brokers.set(nodeId, { host, port })
    const known = new Set(answer.brokers.map(broker => broker.nodeId))
    for (const node of this.#brokers.keys()) if (!known.has(node)) this.#brokers.delete(node)
    for (const name of names ?? []) this.#topics.delete(name)
    const found = answer.topics.flatMap(topic => {
      if (topic.name === null || topic.partitions.length === 0) return []
      const leaders: number[] = []
      for (const { partitionIndex, leaderId } of topic.partitions)
        leaders[partitionIndex] = leaderId
      const replicas = Math.max(...topic.partitions.map(part => part.replicaNodes.length))
      const { name, topicId: id, isInternal: internal } = topic
      return [{ name, id, internal, leaders, replicas }]
    })
    for (const topic of found) this.#topics.set(topic.name, topic)
    return found.sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  async #metadata(names: readonly string[] | undefined): Promise<MetadataAnswer> {
    try {
      return await this.call(undefined, 'admin', 'Metadata', [names ?? null, false, false])
    } catch (error) {
      // It comes with what is known of the other topics, and of this one's other partitions.
      const partial = responseOf<MetadataAnswer>(error)
      if (partial === undefined) throw error
      const passing = !hasApiId(error, NO_TOPIC)
      if (passing && !hasApiId(error, new Set(['LEADER_NOT_AVAILABLE']))) throw error
      return partial
    }
  }

  async #connection(node: number | undefined, lane: string): Promise<Open> {
    this.assertOpen()
    const key = `${node ?? 'any'}/${lane}`
    const known = this.#open.get(key)
    if (known !== undefined) {
      const open = await known
      if (open.connection.isConnected() || open.connection.status === 'reauthenticating')
        return open
      this.#drop(open.connection)
    }
    const opening = this.#connect(this.#addresses(node))
    this.#open.set(key, opening)
    try {
      return await opening
    } catch (error) {
      if (this.#open.get(key) === opening) this.#open.delete(key)
      throw error
    }
  }

  #addresses(node: number | undefined): Address[] {
    if (node === undefined) {
      return [...this.#options.bootstrapServers.map(parseAddress), ...this.#brokers.values()]
    }
    const address = this.#brokers.get(node)
    if (address !== undefined) return [address]
    throw new BrokerError('BROKER_UNAVAILABLE', `No address of the broker ${node} is known`)
  }

  async #connect(addresses: readonly Address[]): Promise<Open> {
    let failure: unknown
    // Not always the same one first.
    const first = Math.floor(this.#ports.ids.random() * addresses.length)
    for (let i = 0; i < addresses.length; i++) {
      const address = addresses[(first + i) % addresses.length]
      if (address === undefined) continue
      const where = `${address.host}:${address.port}`
      const connection = new Connection(
        this.#options.clientId ?? DEFAULTS.clientId,
        connectionOptions(this.#options, address.host)
      )
      connection.on('error', () => undefined)
      try {
        await connection.connect(address.host, address.port)
        const versions = await this.#inTime(
          askVersions(connection),
          'The broker did not say what it speaks',
          CONNECT_TIMEOUT_MS
        )
        assertSpoken(versions, where)
        return { connection, versions }
      } catch (error) {
        void connection.close().catch(() => undefined)
        if (isPipelineError(error)) throw error
        failure = brokerError(error, `The broker ${where} cannot be used`)
        if (isAccessError(error)) throw failure
      }
    }
    throw failure
  }

  async #inTime<T>(work: Promise<T>, what: string, timeoutMs: number): Promise<T> {
    const timer = new AbortController()
    const late = this.#ports.clock.sleep(timeoutMs, timer.signal).then(
      () => {
        throw new Error(`${what} in ${timeoutMs / 1000} s`)
      },
      () => undefined as never
    )
    try {
      return await Promise.race([work, late])
    } finally {
      timer.abort()
    }
  }

  #drop(connection: Connection): void {
    for (const [key, opening] of this.#open) {
      void opening.then(
        open => {
          if (open.connection !== connection || this.#open.get(key) !== opening) return
          this.#open.delete(key)
          void connection.close().catch(() => undefined)
        },
        () => undefined
      )
    }
  }

  async #closeOne(key: string): Promise<void> {
    const opening = this.#open.get(key)
    this.#open.delete(key)
    const open = await opening?.catch(() => undefined)
    await open?.connection.close().catch(() => undefined)
  }
}

function parseAddress(text: string): Address {
  const at = text.lastIndexOf(':')
  return { host: text.slice(0, at).replace(/^\[|\]$/g, ''), port: Number(text.slice(at + 1)) }
}

function connectionOptions(options: KafkaLogOptions, host: string): ConnectionOptions {
  const { tls, sasl } = options
  const base: ConnectionOptions = {
    connectTimeout: CONNECT_TIMEOUT_MS,
    // Each request has a time-out of its own, in `call`.
    requestTimeout: LONGEST_REQUEST_MS,
    // A server name is a name (RFC 6066): certificates for addresses are checked without it.
    ...(tls === undefined ? {} : { tls, tlsServerName: isIP(host) === 0 })
  }
  if (sasl === undefined) return base
  if (sasl.mechanism === 'OAUTHBEARER') {
    return { ...base, sasl: { mechanism: sasl.mechanism, token: () => sasl.token() } }
  }
  const { mechanism, username, password } = sasl
  return { ...base, sasl: { mechanism, username, password } }
}
