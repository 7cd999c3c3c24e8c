/** Settings of Apache Kafka as the message log; without brokers the log is the embedded one. */
import { choice, flag, integer, list, text } from './setting.ts'

const noText: string | undefined = undefined

export const kafkaSettings = {
  bootstrapServers: list({
    env: 'KAFKA_BOOTSTRAP_SERVERS',
    doc: 'Brokers of Apache Kafka, or of a compatible log, to begin with. Not set: the embedded message log.',
    default: [],
    item: /^(\[[0-9a-f:]+\]|[a-z0-9._-]+):\d{1,5}$/,
    allowed: 'host:port, several separated by commas'
  }),
  securityProtocol: choice({
    env: 'KAFKA_SECURITY_PROTOCOL',
    doc: 'How the brokers are spoken to.',
    values: ['plaintext', 'ssl', 'sasl_plaintext', 'sasl_ssl'],
    default: 'plaintext'
  }),
  saslMechanism: choice({
    env: 'KAFKA_SASL_MECHANISM',
    doc: 'How the program proves who it is, when the security protocol begins with `sasl`.',
    values: ['plain', 'scram-sha-256', 'scram-sha-512', 'oauthbearer'],
    default: 'plain'
  }),
  saslUsername: text({
    env: 'KAFKA_SASL_USERNAME',
    doc: 'User of PLAIN and SCRAM; client id for a token endpoint of OAUTHBEARER.',
    default: noText
  }),
  saslPassword: text({
    env: 'KAFKA_SASL_PASSWORD',
    doc: 'Password of PLAIN and SCRAM; client secret for a token endpoint of OAUTHBEARER.',
    default: noText,
    secret: true
  }),
  oauthTokenEndpoint: text({
    env: 'KAFKA_SASL_OAUTH_TOKEN_ENDPOINT',
    doc: 'Where OAUTHBEARER gets its tokens by the client credentials flow (https).',
    default: noText
  }),
  oauthScope: text({
    env: 'KAFKA_SASL_OAUTH_SCOPE',
    doc: 'Scope of the tokens of OAUTHBEARER.',
    default: noText
  }),
  oauthTokenFile: text({
    env: 'KAFKA_SASL_OAUTH_TOKEN_FILE',
    doc: 'File that holds the token of OAUTHBEARER, kept fresh by somebody else; read at each authentication. Wins over the token endpoint.',
    default: noText
  }),
  caFile: text({
    env: 'KAFKA_SSL_CA_FILE',
    doc: "Certificates (PEM) that the brokers are checked against; the system's by default.",
    default: noText
  }),
  certFile: text({
    env: 'KAFKA_SSL_CERT_FILE',
    doc: 'Certificate (PEM) of this client, for brokers that want one.',
    default: noText
  }),
  keyFile: text({
    env: 'KAFKA_SSL_KEY_FILE',
    doc: 'Private key (PEM) of that certificate.',
    default: noText
  }),
  keyPassword: text({
    env: 'KAFKA_SSL_KEY_PASSWORD',
    doc: 'Password of that key.',
    default: noText,
    secret: true
  }),
  compression: choice({
    env: 'KAFKA_COMPRESSION',
    doc: 'Codec of produced batches.',
    values: ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
    default: 'lz4'
  }),
  maxMessageBytes: integer({
    env: 'KAFKA_MAX_MESSAGE_BYTES',
    doc: 'Largest record, given to topics when they are created (`max.message.bytes`). A dead letter holds the bytes that it is about, so this should be twice the largest event.',
    default: 8 * 1024 ** 2,
    min: 65_536,
    max: 64 * 1024 ** 2
  }),
  replicationFactor: integer({
    env: 'KAFKA_REPLICATION_FACTOR',
    doc: 'Copies of each partition of the topics that are created; 0: what the brokers have as their default.',
    default: 0,
    min: 0,
    max: 15
  }),
  minInsyncReplicas: integer({
    env: 'KAFKA_MIN_INSYNC_REPLICAS',
    doc: 'Copies that must have a record before it counts as stored (`min.insync.replicas`), given to topics when they are created; 0: what the brokers have as their default.',
    default: 0,
    min: 0,
    max: 15
  }),
  sessionTimeoutSeconds: integer({
    env: 'KAFKA_SESSION_TIMEOUT_SECONDS',
    doc: 'A worker that is not heard of for so long loses its partitions to the others.',
    default: 45,
    min: 1,
    max: 1800
  }),
  staticMembership: flag({
    env: 'KAFKA_STATIC_MEMBERSHIP',
    doc: 'A worker that is started again within the session time-out keeps its partitions (KIP-345). Each process then needs a WORKER_ID of its own that stays the same.',
    default: false
  })
}
