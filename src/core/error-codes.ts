/**
 * Every error code: what it means, what to do, and its class unless the thrower says otherwise.
 * `docs/errors.md` is generated from this table and checked by a test.
 */
import type { ErrorClass } from './errors.ts'

export interface ErrorCodeInfo {
  readonly errorClass: ErrorClass
  readonly meaning: string
  readonly remedy: string
}

function define<const T extends Record<string, ErrorCodeInfo>>(table: T): T {
  return table
}

export const errorCodes = define({
  // configuration and command line
  CONFIG_INVALID: {
    errorClass: 'permanent',
    meaning: 'The configuration has one or more problems; all of them are listed.',
    remedy: 'Correct each setting named; `claims-pipeline config check` repeats the check.'
  },
  USAGE: {
    errorClass: 'permanent',
    meaning: 'The command line is not understood.',
    remedy: 'Run the command with `--help`.'
  },
  // message log
  BROKER_UNAVAILABLE: {
    errorClass: 'transient',
    meaning: 'The message log cannot be reached or is busy.',
    remedy: 'Workers retry by themselves. Check the broker, or the disk of the embedded log.'
  },
  BROKER_FENCED: {
    errorClass: 'transient',
    meaning: 'The consumer is no longer the owner of the partitions it wants to commit.',
    remedy: 'None needed: the new owner repeats the work, which is harmless.'
  },
  BROKER_GROUP_IN_USE: {
    errorClass: 'permanent',
    meaning: 'The position of a consumer group cannot be set while it has members.',
    remedy: 'Stop the workers of that group, then try again.'
  },
  BROKER_UNKNOWN_TOPIC: {
    errorClass: 'permanent',
    meaning: 'A topic does not exist.',
    remedy: 'Create the topics: `claims-pipeline topics create`.'
  },
  BROKER_RECORD_TOO_LARGE: {
    errorClass: 'permanent',
    meaning: 'A record exceeds the size limit of the message log.',
    remedy: 'Raise the limit of the log and of the topic, or make the producer send less.'
  },
  BROKER_ACCESS: {
    errorClass: 'auth',
    meaning: 'The message log refuses the credentials, or a right is missing.',
    remedy: 'Check KAFKA_SECURITY_PROTOCOL, the KAFKA_SASL_* settings and the rights of that user.'
  },
  BROKER_REFUSED: {
    errorClass: 'permanent',
    meaning: 'The broker refuses a request for a reason that will not pass.',
    remedy: 'The message names the reason as Kafka calls it.'
  },
  BROKER_COPY: {
    errorClass: 'permanent',
    meaning: 'A message log cannot be copied into another one.',
    remedy: 'The message says what stands in the way, and what to do.'
  },
  BROKER_TOO_OLD: {
    errorClass: 'permanent',
    meaning: 'The broker lacks versions of the Kafka protocol that the program needs.',
    remedy: 'Use Apache Kafka 3.5 or later, or a broker that is compatible with it.'
  },
  BROKER_CLOSED: {
    errorClass: 'permanent',
    meaning: 'The log, producer or consumer was used after it was closed.',
    remedy: 'This is a defect; please report it.'
  },
  BROKER_FORMAT: {
    errorClass: 'permanent',
    meaning: 'The file of the embedded log is damaged or of an unknown version.',
    remedy: 'Use the release that wrote it, or restore the file.'
  },
  // messages
  MESSAGE_INVALID: {
    errorClass: 'permanent',
    meaning: 'A message is not JSON, has a wrong root or lacks required fields.',
    remedy: 'See the dead letter: it keeps the bytes. Correct the producer, then redrive.'
  },
  EVENT_INVALID: {
    errorClass: 'permanent',
    meaning: 'An event parses but cannot be enriched: an id is missing or not numeric.',
    remedy: 'See the dead letter and correct the source.'
  },
  RETRY_EXHAUSTED: {
    errorClass: 'permanent',
    meaning: 'All delayed attempts failed.',
    remedy: 'Remove the cause named in the dead letter, then redrive it.'
  },
  // ClaimX API
  API_UNREACHABLE: {
    errorClass: 'transient',
    meaning: 'No answer from the ClaimX API: connection, TLS, reset or time-out.',
    remedy: 'Workers retry. Check the network and CLAIMX_API_URL.'
  },
  API_SERVER_ERROR: {
    errorClass: 'transient',
    meaning: 'The ClaimX API answered with a server error or an unexpected status.',
    remedy: 'Workers retry.'
  },
  API_THROTTLED: {
    errorClass: 'transient',
    meaning: 'The ClaimX API answered 429.',
    remedy: 'Workers slow down by themselves. Lower CLAIMX_API_MAX_CONCURRENT if it persists.'
  },
  API_BAD_ANSWER: {
    errorClass: 'transient',
    meaning: 'The ClaimX API answered 200 with something that is not the documented shape.',
    remedy: 'Workers retry. If it persists, the API has changed: see the contract-break counter.'
  },
  API_UNAUTHORIZED: {
    errorClass: 'auth',
    meaning: 'The ClaimX API answered 401.',
    remedy: 'Renew CLAIMX_API_TOKEN. Workers wait and try again now and then.'
  },
  API_NOT_FOUND: {
    errorClass: 'permanent',
    meaning: 'The ClaimX API does not know the entity (404).',
    remedy: 'See the dead letter; redrive it when the entity exists.'
  },
  API_REJECTED: {
    errorClass: 'permanent',
    meaning: 'The ClaimX API refused the call (4xx).',
    remedy: 'See the dead letter: the status tells why.'
  },
  API_CIRCUIT_OPEN: {
    errorClass: 'circuit_open',
    meaning: 'Calls are held back because the ClaimX API failed repeatedly.',
    remedy: 'None needed: trial calls go out and work resumes.'
  },
  MEDIA_NOT_FOUND: {
    errorClass: 'permanent',
    meaning: 'The media list of the project does not contain the media of the event.',
    remedy: 'See the dead letter; redrive it when the media is listed.'
  },
  // files
  URL_REFUSED: {
    errorClass: 'permanent',
    meaning: 'A download URL, redirect or resolved address is not allowed.',
    remedy: 'If the host is legitimate, add it to ALLOWED_ATTACHMENT_DOMAINS.'
  },
  DOWNLOAD_FAILED: {
    errorClass: 'transient',
    meaning: 'A download broke off, was empty or had the wrong length.',
    remedy: 'Workers retry.'
  },
  DOWNLOAD_REJECTED: {
    errorClass: 'permanent',
    meaning: 'The file server refused the download (4xx).',
    remedy: 'See the dead letter: the status tells why.'
  },
  DOWNLOAD_EXPIRED: {
    errorClass: 'permanent',
    meaning: 'A presigned link has expired and could not be renewed.',
    remedy: 'See the dead letter; redrive it to ask the API for a new link.'
  },
  FILE_TYPE_REFUSED: {
    errorClass: 'permanent',
    meaning: 'The content, its type and its name do not agree, or the type is not allowed.',
    remedy: 'See the dead letter. Inspect the file at its source.'
  },
  FILE_TOO_LARGE: {
    errorClass: 'permanent',
    meaning: 'A file exceeds the size limit.',
    remedy: 'Raise the limit (CLAIMS_MAX_FILE_BYTES) if the file is legitimate, then redrive.'
  },
  STORAGE_UNAVAILABLE: {
    errorClass: 'transient',
    meaning: 'The object store or the disk cannot be reached or written.',
    remedy: 'Workers pause and retry. Check space, permissions and the network.'
  },
  STORAGE_NOT_FOUND: {
    errorClass: 'permanent',
    meaning: 'An object does not exist.',
    remedy: 'Check the path.'
  },
  STORAGE_INVALID_PATH: {
    errorClass: 'permanent',
    meaning: 'An object path is unsafe or malformed.',
    remedy: 'See the dead letter and correct the source.'
  },
  // Delta
  DELTA_TABLE_NOT_FOUND: {
    errorClass: 'permanent',
    meaning: 'There is no Delta table at the path.',
    remedy: 'Check the path and CLAIMS_TABLES_PATH.'
  },
  DELTA_UNSUPPORTED: {
    errorClass: 'permanent',
    meaning: 'The table needs a protocol version or feature that this engine does not support.',
    remedy: 'The message names the feature. See docs/delta-protocol.md.'
  },
  DELTA_LOG_CORRUPT: {
    errorClass: 'permanent',
    meaning: 'The transaction log is incomplete or not readable.',
    remedy: 'Run `claims-pipeline tables verify`; restore the missing log files.'
  },
  DELTA_DATA_CORRUPT: {
    errorClass: 'permanent',
    meaning: 'A data file is missing or not what the log says.',
    remedy: 'Run `claims-pipeline tables verify`.'
  },
  DELTA_CONFLICT: {
    errorClass: 'transient',
    meaning: 'Other writers won every attempt to commit.',
    remedy: 'Workers retry.'
  },
  DELTA_SCHEMA_MISMATCH: {
    errorClass: 'permanent',
    meaning: 'Rows or a definition do not fit the schema of the table.',
    remedy:
      'The message names the column. Additive nullable columns are allowed, other changes not.'
  },
  DELTA_SCHEMA_INVALID: {
    errorClass: 'permanent',
    meaning: 'A table cannot have the columns that its definition, or a change to it, asks for.',
    remedy: 'Correct what the message names: a name, a type, or the columns to partition by.'
  },
  DELTA_VERSION_NOT_FOUND: {
    errorClass: 'permanent',
    meaning: 'The table has no such version, or it has been cleaned up.',
    remedy: 'Ask for a version that exists.'
  },
  DELTA_CHANGES_NOT_RECORDED: {
    errorClass: 'permanent',
    meaning: 'The table did not record changes in a version whose changes were asked for.',
    remedy: 'Turn the feed on with delta.enableChangeDataFeed; ask for versions since then.'
  },
  DELTA_TRANSACTION_CONFLICT: {
    errorClass: 'permanent',
    meaning: 'Another run of the application has committed its transaction version already.',
    remedy: 'Read the stored version and go on from there; do not repeat the commit.'
  },
  DELTA_RETENTION: {
    errorClass: 'permanent',
    meaning: 'A vacuum was asked for a retention that is unsafe, or that the log cannot keep.',
    remedy: 'Use the retention of the table, or force a shorter one when nobody uses the table.'
  },
  DELTA_PROPERTY_INVALID: {
    errorClass: 'permanent',
    meaning: 'A table property is unknown or has a value that is not allowed.',
    remedy: 'The message names the property and what is allowed.'
  },
  DELTA_CLOSED: {
    errorClass: 'permanent',
    meaning: 'A lake of tables was used after it was closed.',
    remedy: 'Open it again, or close it later.'
  },
  DELTA_MERGE_INVALID: {
    errorClass: 'permanent',
    meaning: 'The rules of a merge name no key, or a column policy that does not exist.',
    remedy: 'The message names the rule. See docs/delta/README.md.'
  },
  DELTA_CONSTRAINT_VIOLATED: {
    errorClass: 'permanent',
    meaning: 'New rows break a check constraint, an invariant or a generated column of the table.',
    remedy:
      'The message names the rule and how many rows break it. Correct the rows, or drop the constraint.'
  },
  DELTA_CLUSTERING_INVALID: {
    errorClass: 'permanent',
    meaning: 'The columns to cluster or Z-order a table by do not fit it.',
    remedy: 'The message names the column and what is wrong with it.'
  },
  DELTA_QUERY_INVALID: {
    errorClass: 'permanent',
    meaning: 'A filter expression is not valid for the table.',
    remedy: 'Check column names and SQL syntax.'
  },
  // defects
  INVARIANT: {
    errorClass: 'unknown',
    meaning: 'The program found itself in a state that must not occur.',
    remedy: 'This is a defect; please report it with the log.'
  }
})

/** All codes of the program. */
export type ErrorCode = keyof typeof errorCodes
