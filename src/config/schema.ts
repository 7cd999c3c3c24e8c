/**
 * Every setting of the program: its place in the YAML file and in `Config` is its place in this tree.
 * `docs/configuration.md` is generated from it (design.md section 5, reference/operations.md 1).
 */
import { kafkaSettings } from './kafka-settings.ts'
import {
  address,
  choice,
  decimal,
  delays,
  directory,
  flag,
  integer,
  list,
  memorySize,
  type Setting,
  text
} from './setting.ts'

const defaultDomains = [
  'usw2-prod-xn-exportreceiver-publish.s3.us-west-2.amazonaws.com',
  'claimxperience.s3.amazonaws.com',
  'claimxperience.s3.us-east-1.amazonaws.com',
  'www.claimxperience.com',
  'claimxperience.com',
  'xactware-claimx-us-prod.s3.us-west-1.amazonaws.com'
]

const noText: string | undefined = undefined

export const schema = {
  dataDir: directory({
    env: 'CLAIMS_DATA_DIR',
    doc: 'Directory of everything that stays on this machine: the embedded message log, downloads on their way, and tables and files unless they have a place of their own.',
    default: { kind: 'value', value: './.claims-pipeline' }
  }),
  tablesPath: directory({
    env: 'CLAIMS_TABLES_PATH',
    doc: 'Root of the Delta tables; a table lies in `<root>/<table name>`.',
    default: { kind: 'under-data-dir', path: 'tables' }
  }),
  filesPath: directory({
    env: 'ONELAKE_CLAIMX_PATH',
    doc: 'Where the media files of ClaimX claims are stored.',
    default: { kind: 'under-data-dir', path: 'files/claimx' }
  }),
  cacheDir: directory({
    env: 'CACHE_DIR',
    doc: 'Downloaded files that wait for their upload; all workers of a machine share it.',
    default: { kind: 'under-data-dir', path: 'cache' }
  }),
  environment: {
    name: text({
      env: 'ENVIRONMENT',
      doc: 'Name of the environment. `production`, `prod` or `live` as a word in it (`prod-eu`, but not `productivity`) makes it production: settings for tests are refused.',
      default: noText
    }),
    deployment: text({
      env: 'DEPLOYMENT_ENV',
      doc: 'Another place for the name of the environment; one of the three that says production is enough.',
      default: noText
    }),
    app: text({
      env: 'APP_ENV',
      doc: 'Another place for the name of the environment.',
      default: noText
    })
  },
  api: {
    url: address({
      env: 'CLAIMX_API_URL',
      aliases: ['CLAIMX_API_BASE_PATH'],
      doc: 'Base address of the ClaimX API. Plain http is for localhost only.',
      default: 'https://api.claimxperience.com'
    }),
    token: text({
      env: 'CLAIMX_API_TOKEN',
      doc: 'Credential of the ClaimX API: the base64 text that follows `Basic`. Needed by the workers that call the API.',
      default: noText,
      secret: true
    }),
    senderUsername: text({
      env: 'CLAIMX_API_SENDER_USERNAME',
      doc: 'Login that report requests name as their sender.',
      default: 'user@example.com'
    }),
    maxConcurrent: integer({
      env: 'CLAIMX_API_MAX_CONCURRENT',
      aliases: ['CLAIMX_API_CONCURRENCY'],
      doc: 'Most requests to the ClaimX API at one time. The client goes lower by itself when the API slows down.',
      default: 20,
      min: 1,
      max: 50
    }),
    timeoutSeconds: decimal({
      env: 'CLAIMX_API_TIMEOUT_SECONDS',
      doc: 'Time for one request to the ClaimX API, answer included.',
      default: 30,
      min: 0.1,
      max: 600
    }),
    rateLimitEnabled: flag({
      env: 'CLAIMX_API_RATE_LIMIT_ENABLED',
      doc: 'Hold calls to a fixed rate from the start, besides what the API itself asks for.',
      default: false
    }),
    rateLimitPerSecond: decimal({
      env: 'CLAIMX_API_RATE_LIMIT_PER_SECOND',
      doc: 'That rate, in calls per second and process.',
      default: 10,
      min: 0.1,
      max: 10_000
    }),
    breakerFailures: integer({
      env: 'CLAIMX_API_BREAKER_FAILURES',
      doc: 'Failures in a row that open the circuit breaker of the ClaimX API.',
      default: 5,
      min: 1,
      max: 1000
    }),
    breakerOpenSeconds: decimal({
      env: 'CLAIMX_API_BREAKER_OPEN_SECONDS',
      doc: 'How long an open breaker holds calls back before trial calls go out.',
      default: 60,
      min: 0.05,
      max: 3600
    }),
    authTrialSeconds: decimal({
      env: 'CLAIMX_API_AUTH_TRIAL_SECONDS',
      doc: 'After a 401 all calls wait; this often one goes out as a trial.',
      default: 60,
      min: 0.05,
      max: 3600
    })
  },
  retry: {
    delaysSeconds: delays({
      env: 'RETRY_DELAYS',
      doc: 'Seconds of the retry buckets, in order. Topic names keep their suffixes 5m, 10m, 20m and 40m.',
      default: [300, 600, 1200, 2400],
      count: 4
    }),
    maxRetries: integer({
      env: 'MAX_RETRIES',
      doc: 'Follows from RETRY_DELAYS; it may be set for clarity, but must be the number of delays.',
      default: 4,
      min: 4,
      max: 4
    })
  },
  files: {
    allowedDomains: list({
      env: 'ALLOWED_ATTACHMENT_DOMAINS',
      doc: 'Hosts that media may come from, exactly; replaces the default list.',
      default: defaultDomains,
      item: /^(?!-)[a-z0-9-]+(\.[a-z0-9-]+)*$/,
      allowed: 'host names separated by commas, without scheme, port, path or wildcard'
    }),
    allowInsecureLocalhost: flag({
      env: 'CLAIMS_ALLOW_INSECURE_LOCALHOST',
      doc: 'For tests only: media may come over http from localhost. Refused in production.',
      default: false
    }),
    maxBytes: integer({
      env: 'CLAIMS_MAX_FILE_BYTES',
      doc: 'Largest media file that is downloaded, counted while it is read.',
      default: 5 * 1024 ** 3,
      min: 1,
      max: 1024 ** 4
    }),
    minFreeBytes: integer({
      env: 'CLAIMS_MIN_FREE_BYTES',
      doc: 'Downloads pause while the disk of the cache has less than this free.',
      default: 512 * 1024 ** 2,
      min: 0,
      max: 1024 ** 4
    }),
    downloadConcurrency: integer({
      env: 'DOWNLOAD_CONCURRENCY',
      doc: 'Downloads at one time, per download worker.',
      default: 10,
      min: 1,
      max: 50
    }),
    uploadConcurrency: integer({
      env: 'UPLOAD_CONCURRENCY',
      doc: 'Uploads at one time, per upload worker.',
      default: 10,
      min: 1,
      max: 50
    })
  },
  batch: {
    lingerMs: integer({
      env: 'CLAIMS_BATCH_LINGER_MS',
      doc: 'Milliseconds that a batch which is not full waits for more records, in the workers that write tables. More means fewer, larger table commits; less means lower latency.',
      default: 250,
      min: 0,
      max: 60_000
    }),
    ingest: integer({
      env: 'DELTA_EVENTS_BATCH_SIZE',
      doc: 'Most events that the event ingester writes at once.',
      default: 1000,
      min: 1,
      max: 100_000
    }),
    enrich: integer({
      env: 'ENRICHMENT_BATCH_SIZE',
      doc: 'Most events that the enrichment worker takes at once. Larger batches share more API calls.',
      default: 4000,
      min: 1,
      max: 100_000
    }),
    download: integer({
      env: 'DOWNLOAD_BATCH_SIZE',
      doc: 'Most files that the download worker takes at once.',
      default: 40,
      min: 1,
      max: 10_000
    }),
    upload: integer({
      env: 'UPLOAD_BATCH_SIZE',
      doc: 'Most files that the upload worker takes at once.',
      default: 40,
      min: 1,
      max: 10_000
    }),
    results: integer({
      env: 'RESULT_BATCH_SIZE',
      doc: 'Most results that the result processor writes at once.',
      default: 2000,
      min: 1,
      max: 100_000
    })
  },
  kafka: kafkaSettings,
  topics: {
    partitions: integer({
      env: 'CLAIMS_TOPIC_PARTITIONS',
      doc: 'Partitions of a topic when it is created; it bounds how many instances of a worker share the work.',
      default: 4,
      min: 1,
      max: 1000
    }),
    retentionHours: integer({
      env: 'CLAIMS_LOG_RETENTION_HOURS',
      doc: 'Records may be deleted after this time, given to a topic when it is created. The embedded log keeps what was not consumed; Kafka does not, so give it more time than any outage may take. Dead letters are kept for ever.',
      default: 168,
      min: 1,
      max: 87_600
    })
  },
  maintenance: {
    enabled: flag({
      env: 'CLAIMS_TABLES_MAINTENANCE',
      doc: 'Workers keep the tables that they write in shape meanwhile: small files are joined, files that are mostly deleted are copied, each row a few times at most.',
      default: true
    }),
    vacuumHours: integer({
      env: 'CLAIMS_TABLES_VACUUM_HOURS',
      doc: 'Hours between two vacuums of a table by its workers, which delete what no version of the last week (`delta.deletedFileRetentionDuration`) needs. 0: none; `tables vacuum` does it then.',
      default: 24,
      min: 0,
      max: 8760
    })
  },
  duckdb: {
    memoryLimit: memorySize({
      env: 'CLAIMS_DUCKDB_MEMORY',
      doc: 'Memory that DuckDB may take to read, join and write tables.',
      default: '256MB'
    }),
    threads: integer({
      env: 'CLAIMS_DUCKDB_THREADS',
      doc: 'Threads that DuckDB gives one query. Several queries run at the same time anyhow.',
      default: 1,
      min: 1,
      max: 256
    })
  },
  log: {
    level: choice({
      env: 'LOG_LEVEL',
      doc: 'Lowest level that is logged.',
      values: ['debug', 'info', 'warn', 'error'],
      default: 'info'
    }),
    format: choice({
      env: 'JSON_LOGS',
      doc: 'One JSON object a line (`json` or `true`), lines for people (`text` or `false`), or lines for people on a terminal only (`auto`).',
      values: ['json', 'text', 'auto'],
      synonyms: { true: 'json', false: 'text' },
      default: 'auto'
    }),
    workerId: text({
      env: 'WORKER_ID',
      doc: 'Name of this process in its log lines, to tell several apart.',
      default: noText
    }),
    noColor: text({
      env: 'NO_COLOR',
      doc: 'When set to anything, output has no colours.',
      default: noText
    })
  },
  drainSeconds: decimal({
    env: 'CLAIMS_DRAIN_SECONDS',
    doc: 'Time that batches in flight have to finish after the first SIGINT or SIGTERM.',
    default: 30,
    min: 0,
    max: 3600
  })
}

export interface SettingTree {
  readonly [key: string]: Setting<unknown> | SettingTree
}

type ValueOf<T> = T extends Setting<infer V> ? V : { readonly [K in keyof T]: ValueOf<T[K]> }

/** Values of all settings; paths are absolute. */
export type Settings = ValueOf<typeof schema>

/** A setting with its place, such as `api.maxConcurrent`. */
export interface PlacedSetting {
  readonly path: string
  readonly setting: Setting<unknown>
}

/** All settings in the order of the schema. */
export function placedSettings(
  tree: SettingTree = schema as unknown as SettingTree,
  prefix = ''
): PlacedSetting[] {
  return Object.entries(tree).flatMap(([key, node]) =>
    isSetting(node)
      ? [{ path: prefix + key, setting: node }]
      : placedSettings(node, `${prefix}${key}.`)
  )
}

function isSetting(node: Setting<unknown> | SettingTree): node is Setting<unknown> {
  return typeof node['parse'] === 'function'
}

/**
 * Variables of other releases or deployments that this one does not have: setting one would be
 * silently without effect, so it is refused with the reason.
 */
export const refusedVariables: Readonly<Record<string, string>> = {
  DISABLE_SSL_VERIFY:
    'certificates are always checked; give your CA with NODE_EXTRA_CA_CERTS instead'
}
