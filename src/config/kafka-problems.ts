/** Settings of Kafka that do not go together. */
import type { Settings } from './schema.ts'

export function kafkaProblems({ kafka, log, production }: KafkaView): string[] {
  if (kafka.bootstrapServers.length === 0) return []
  const problems: string[] = []
  if (kafka.securityProtocol.startsWith('sasl')) problems.push(...saslProblems(kafka))
  if (
    production &&
    kafka.securityProtocol === 'sasl_plaintext' &&
    kafka.saslMechanism === 'plain'
  ) {
    problems.push(
      'KAFKA_SECURITY_PROTOCOL: is sasl_plaintext with PLAIN, which sends the password in the clear; use sasl_ssl in production'
    )
  }
  if ((kafka.certFile === undefined) !== (kafka.keyFile === undefined)) {
    problems.push('KAFKA_SSL_CERT_FILE and KAFKA_SSL_KEY_FILE: set both or none')
  }
  if (kafka.staticMembership && log.workerId === undefined) {
    problems.push(
      'WORKER_ID: must be set when KAFKA_STATIC_MEMBERSHIP is true, to the same at each start'
    )
  }
  if (kafka.replicationFactor > 0 && kafka.minInsyncReplicas > kafka.replicationFactor) {
    problems.push(
      `KAFKA_MIN_INSYNC_REPLICAS: is ${kafka.minInsyncReplicas}, more than KAFKA_REPLICATION_FACTOR (${kafka.replicationFactor}): nothing could be stored`
    )
  }
  return problems
}

type KafkaView = Pick<Settings, 'kafka' | 'log'> & { readonly production: boolean }

function saslProblems(kafka: Settings['kafka']): string[] {
  const { saslMechanism, saslUsername, saslPassword, oauthTokenEndpoint, oauthTokenFile } = kafka
  const missing: string[] = []
  const endpoint = oauthTokenEndpoint !== undefined && oauthTokenFile === undefined
  if (saslMechanism !== 'oauthbearer' || endpoint) {
    if (saslUsername === undefined) missing.push('KAFKA_SASL_USERNAME')
    if (saslPassword === undefined) missing.push('KAFKA_SASL_PASSWORD')
  } else if (oauthTokenFile === undefined && kafka.oauthScope === undefined) {
    missing.push('KAFKA_SASL_OAUTH_SCOPE')
  }
  const problems = missing.map(name => `${name}: must be set for ${saslMechanism.toUpperCase()}`)
  if (endpoint && !/^https:\/\//.test(oauthTokenEndpoint ?? '')) {
    problems.push('KAFKA_SASL_OAUTH_TOKEN_ENDPOINT: must be an https:// address')
  }
  return problems
}
