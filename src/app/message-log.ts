/** The message log that the configuration names: Kafka where there are brokers, else the embedded one. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { entraToken } from '../adapters/azure-identity/index.ts'
import { openEmbeddedLog } from '../adapters/embedded-log/index.ts'
import { type KafkaLogOptions, openKafkaLog, type SaslOptions } from '../adapters/kafka/index.ts'
import { clientCredentialsToken, fileToken } from '../adapters/oauth/index.ts'
import type { Config } from '../config/index.ts'
import { BrokerError, ConfigError } from '../core/index.ts'
import type { Clock, Ids, Logger, MessageLog } from '../ports/index.ts'
import { retryTopics, stages, type WorkerName } from '../topology.ts'

export type LogKind = 'embedded' | 'kafka'

interface Ports {
  readonly clock: Clock
  readonly ids: Ids
  readonly log: Logger
}

/** Key, value and headers of one record of the embedded log together. */
const EMBEDDED_RECORD_BYTES = 16 * 1024 ** 2

export function logKind(config: Config): LogKind {
  return config.kafka.bootstrapServers.length > 0 ? 'kafka' : 'embedded'
}

/** Largest record, key and headers included. */
export function maxRecordBytes(config: Config, kind = logKind(config)): number {
  return kind === 'kafka' ? config.kafka.maxMessageBytes : EMBEDDED_RECORD_BYTES
}

export function embeddedLogPath(config: Config): string {
  return join(config.dataDir, 'log.sqlite')
}

/** Rejects with `BrokerError` when the log cannot be used, `ConfigError` when a certificate cannot be read. */
export async function openMessageLog(
  config: Config,
  ports: Ports,
  kind = logKind(config)
): Promise<MessageLog> {
  if (kind === 'kafka') return await openKafkaLog(await kafkaOptions(config, ports.clock), ports)
  const path = embeddedLogPath(config)
  return await openEmbeddedLog({ path, maxRecordBytes: EMBEDDED_RECORD_BYTES }, ports)
}

/** Rejects with `BROKER_UNKNOWN_TOPIC`, naming all, when a topic that the workers read or write is missing. */
export async function assertTopics(log: MessageLog, workers: readonly WorkerName[]): Promise<void> {
  const wanted = [...new Set(workers.flatMap(topicsOf))]
  const present = new Set((await log.describeTopics(wanted)).map(topic => topic.name))
  const missing = wanted.filter(name => !present.has(name))
  if (missing.length === 0) return
  throw new BrokerError(
    'BROKER_UNKNOWN_TOPIC',
    `These topics do not exist: ${missing.join(', ')}. Create them: claims-pipeline topics create`
  )
}

function topicsOf(worker: WorkerName): string[] {
  const { inputs, outputs, retryBase, deadLetters } = stages[worker]
  return [
    ...inputs,
    ...outputs,
    ...(retryBase === undefined ? [] : retryTopics(retryBase)),
    ...(deadLetters === undefined ? [] : [deadLetters])
  ]
}

async function kafkaOptions(config: Config, clock: Clock): Promise<KafkaLogOptions> {
  const { kafka, log } = config
  const secure = kafka.securityProtocol === 'ssl' || kafka.securityProtocol === 'sasl_ssl'
  const tls = secure ? await tlsOptions(config) : undefined
  const sasl = kafka.securityProtocol.startsWith('sasl') ? saslOptions(config, clock) : undefined
  return {
    bootstrapServers: kafka.bootstrapServers,
    compression: kafka.compression,
    maxMessageBytes: kafka.maxMessageBytes,
    sessionTimeoutMs: kafka.sessionTimeoutSeconds * 1000,
    ...(kafka.replicationFactor === 0 ? {} : { replicationFactor: kafka.replicationFactor }),
    ...(kafka.minInsyncReplicas === 0 ? {} : { minInsyncReplicas: kafka.minInsyncReplicas }),
    ...(tls === undefined ? {} : { tls }),
    ...(sasl === undefined ? {} : { sasl }),
    ...(kafka.staticMembership && log.workerId !== undefined ? { instanceId: log.workerId } : {})
  }
}

async function tlsOptions({ kafka }: Config): Promise<NonNullable<KafkaLogOptions['tls']>> {
  const [ca, cert, key] = await Promise.all([
    fileOf('KAFKA_SSL_CA_FILE', kafka.caFile),
    fileOf('KAFKA_SSL_CERT_FILE', kafka.certFile),
    fileOf('KAFKA_SSL_KEY_FILE', kafka.keyFile)
  ])
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(kafka.keyPassword === undefined ? {} : { passphrase: kafka.keyPassword })
  }
}

async function fileOf(setting: string, path: string | undefined): Promise<Buffer | undefined> {
  if (path === undefined) return undefined
  try {
    return await readFile(path)
  } catch (error) {
    throw new ConfigError('CONFIG_INVALID', `${setting}: ${path} cannot be read`, { cause: error })
  }
}

function saslOptions({ kafka }: Config, clock: Clock): SaslOptions {
  const { saslMechanism, saslUsername = '', saslPassword = '' } = kafka
  if (saslMechanism === 'plain') {
    return { mechanism: 'PLAIN', username: saslUsername, password: saslPassword }
  }
  if (saslMechanism === 'oauthbearer') {
    return { mechanism: 'OAUTHBEARER', token: tokenSource(kafka, clock) }
  }
  const mechanism = saslMechanism === 'scram-sha-256' ? 'SCRAM-SHA-256' : 'SCRAM-SHA-512'
  return { mechanism, username: saslUsername, password: saslPassword }
}

function tokenSource(kafka: Config['kafka'], clock: Clock): () => Promise<string> {
  const { oauthTokenFile, oauthTokenEndpoint: endpoint, oauthScope: scope } = kafka
  if (oauthTokenFile !== undefined) return fileToken(oauthTokenFile)
  if (endpoint === undefined) return entraToken(scope ?? '')
  const { saslUsername: clientId = '', saslPassword: clientSecret = '' } = kafka
  const credentials = {
    endpoint,
    clientId,
    clientSecret,
    ...(scope === undefined ? {} : { scope })
  }
  return clientCredentialsToken(credentials, clock)
}
