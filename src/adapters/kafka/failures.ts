/** Errors of the client library in the terms of the port. Their messages hold names and codes, never payloads. */
import { BrokerError, isPipelineError, type PipelineError } from '../../core/index.ts'

/** What the library's errors carry, as far as it matters here. */
interface ClientError extends Error {
  readonly code?: string
  /** Name of a protocol error, such as `NOT_LEADER_OR_FOLLOWER`. */
  readonly apiId?: string
  readonly errors?: readonly ClientError[]
  readonly response?: unknown
}

/** Something the broker said that a new attempt, or new metadata, may cure. */
const PASSING = new Set([
  'CORRUPT_MESSAGE',
  'LEADER_NOT_AVAILABLE',
  'NOT_LEADER_OR_FOLLOWER',
  'REQUEST_TIMED_OUT',
  'BROKER_NOT_AVAILABLE',
  'REPLICA_NOT_AVAILABLE',
  'NETWORK_EXCEPTION',
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'NOT_ENOUGH_REPLICAS',
  'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
  'NOT_CONTROLLER',
  'KAFKA_STORAGE_ERROR',
  'FENCED_LEADER_EPOCH',
  'UNKNOWN_LEADER_EPOCH',
  'OFFSET_NOT_AVAILABLE',
  'PREFERRED_LEADER_NOT_AVAILABLE',
  'UNSTABLE_OFFSET_COMMIT',
  'THROTTLING_QUOTA_EXCEEDED',
  'CONCURRENT_TRANSACTIONS',
  'UNKNOWN_SERVER_ERROR'
])
const TOO_LARGE = new Set(['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE'])
export const NO_TOPIC: ReadonlySet<string> = new Set([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'INCONSISTENT_TOPIC_ID'
])
/** The member is not what the coordinator takes it for. */
export const LOST_MEMBERSHIP: ReadonlySet<string> = new Set([
  'ILLEGAL_GENERATION',
  'UNKNOWN_MEMBER_ID',
  'FENCED_INSTANCE_ID',
  'REBALANCE_IN_PROGRESS'
])

/** Names of all protocol errors in an error, the innermost too. */
export function apiIdsOf(error: unknown): string[] {
  const { apiId, errors } = (error ?? {}) as ClientError
  return [...(apiId === undefined ? [] : [apiId]), ...(errors ?? []).flatMap(apiIdsOf)]
}

export function hasApiId(error: unknown, ids: ReadonlySet<string>): boolean {
  return apiIdsOf(error).some(id => ids.has(id))
}

/** The parsed response that came with errors for a part of what was asked. */
export function responseOf<T>(error: unknown): T | undefined {
  return (error as ClientError | undefined)?.response as T | undefined
}

/** An error of the port for anything that went wrong while `what` was done. */
export function brokerError(error: unknown, what: string): PipelineError {
  if (isPipelineError(error)) return error
  const ids = apiIdsOf(error)
  const text = `${what}: ${describe(error)}`
  const options = { cause: error }
  if (ids.some(id => NO_TOPIC.has(id)))
    return new BrokerError('BROKER_UNKNOWN_TOPIC', text, options)
  if (ids.some(id => TOO_LARGE.has(id))) {
    return new BrokerError('BROKER_RECORD_TOO_LARGE', text, options)
  }
  if (isAccessError(error)) return new BrokerError('BROKER_ACCESS', text, options)
  if (ids.length > 0 && !ids.some(id => PASSING.has(id))) {
    return new BrokerError('BROKER_REFUSED', text, options)
  }
  return new BrokerError('BROKER_UNAVAILABLE', text, options)
}

/** What Node says of certificates that are not trusted, or are another's. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)|ERR_TLS/

/** Wrong credentials, a certificate that is not trusted, or a right that is missing. */
export function isAccessError(error: unknown): boolean {
  const { code, errors, cause } = (error ?? {}) as ClientError
  if (code === 'PLT_KFK_AUTHENTICATION' || CERTIFICATE.test(code ?? '')) return true
  if (apiIdsOf(error).some(id => /AUTHORIZATION_FAILED|SASL|UNACCEPTABLE_CREDENTIAL/.test(id))) {
    return true
  }
  return (errors ?? []).some(isAccessError) || (cause !== undefined && isAccessError(cause))
}

function describe(error: unknown): string {
  const ids = [...new Set(apiIdsOf(error))]
  if (ids.length > 0) return ids.join(', ')
  const { message, errors, cause } = (error ?? {}) as ClientError
  const [first] = errors ?? []
  if (first !== undefined) return describe(first)
  const inner = cause instanceof Error ? ` (${cause.message})` : ''
  return `${message ?? String(error)}${inner}`
}
