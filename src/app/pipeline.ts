/** The composition root of the program: the place that builds its adapters. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openClaimxHttp } from '../adapters/claimx-http/index.ts'
import { openDeltaTables } from '../adapters/delta-tables/index.ts'
import { openDuckDb } from '../adapters/duckdb/index.ts'
import { openFileCache } from '../adapters/file-cache/index.ts'
import { openHttpFiles } from '../adapters/http-files/index.ts'
import { openLocalFiles } from '../adapters/local-files/index.ts'
import { systemClock, systemIds } from '../adapters/system/index.ts'
import { createLogger, createMetrics } from '../adapters/telemetry/index.ts'
import type { Config } from '../config/index.ts'
import { cacheFileName } from '../domains/claimx/index.ts'
import type { ClaimxApi, Clock, FileFetcher, Ids, Logger, Telemetry } from '../ports/index.ts'
import { maxRecordBytes, openMessageLog } from './message-log.ts'
import type { Pipeline } from './pipeline-types.ts'
import { startWorkers } from './running-workers.ts'

export interface OpenPipelineOptions {
  /** Where log lines go, and whether a person reads them. */
  readonly log: { write(line: string): void; readonly terminal: boolean }
}

/** Opens everything that the configuration names; nothing works yet until `start`. */
export async function openPipeline(
  config: Config,
  options: OpenPipelineOptions
): Promise<Pipeline> {
  const closers: (() => Promise<void>)[] = []
  const opened = async <T extends { close(): Promise<void> }>(open: Promise<T> | T): Promise<T> => {
    const part = await open
    closers.unshift(() => part.close())
    return part
  }
  const close = async (): Promise<void> => {
    for (const closer of closers.splice(0)) await closer()
  }
  try {
    const clock = systemClock()
    const ids = systemIds()
    const metrics = createMetrics()
    const telemetry = { log: buildLogger(config, clock, options), metrics }
    const ports = { clock, ids, telemetry }
    await mkdir(config.dataDir, { recursive: true })
    const log = await opened(openMessageLog(config, { ...ports, log: telemetry.log }))
    const engine = await opened(
      openDuckDb({
        memoryLimit: config.duckdb.memoryLimit,
        threads: config.duckdb.threads,
        temporaryDirectory: join(config.dataDir, 'duckdb-tmp')
      })
    )
    const store = await opened(openLocalFiles({ root: config.tablesPath }))
    const tables = await opened(
      openDeltaTables(
        {
          scratchDirectory: join(config.dataDir, 'scratch'),
          indexDirectory: join(config.dataDir, 'key-index'),
          ...(config.maintenance.enabled ? { maintenance: maintenanceOf(config) } : {})
        },
        { ...ports, store, engine }
      )
    )
    const files = await opened(openLocalFiles({ root: config.filesPath }))
    const cache = await openFileCache(
      {
        directory: config.cacheDir,
        minFreeBytes: config.files.minFreeBytes,
        safeName: cacheFileName
      },
      ports
    )
    const fetcher = await opened(openFetcher(config, ports))
    const api = config.api.token === undefined ? undefined : await opened(openApi(config, ports))
    const limit = { maxRecordBytes: maxRecordBytes(config) }
    const parts = { config, ...ports, tables, files, cache, fetcher, api, ...limit }
    return {
      config,
      clock,
      log,
      tables,
      files,
      cache,
      api,
      metrics,
      telemetry,
      start: (workers, startOptions) => startWorkers(workers, startOptions?.count ?? 1, parts, log),
      close
    }
  } catch (error) {
    await close()
    throw error
  }
}

function maintenanceOf({ maintenance }: Config): { vacuumIntervalMs: number | null } {
  const { vacuumHours } = maintenance
  return { vacuumIntervalMs: vacuumHours === 0 ? null : vacuumHours * 3_600_000 }
}

function buildLogger(config: Config, clock: Clock, { log }: OpenPipelineOptions): Logger {
  const { level, format, noColor, workerId } = config.log
  const json = format === 'auto' ? !log.terminal : format === 'json'
  const color = log.terminal && noColor === undefined
  const bindings = workerId === undefined ? {} : { worker_id: workerId }
  return createLogger({ level, json, color }, { clock, write: log.write }, bindings)
}

interface Ports {
  readonly clock: Clock
  readonly ids: Ids
  readonly telemetry: Telemetry
}

export function openApi(config: Config, ports: Ports): ClaimxApi {
  const { api } = config
  return openClaimxHttp(
    {
      baseUrl: api.url,
      token: api.token ?? '',
      maxConcurrent: api.maxConcurrent,
      timeoutMs: api.timeoutSeconds * 1000,
      senderUsername: api.senderUsername,
      authTrialMs: api.authTrialSeconds * 1000,
      breaker: { failures: api.breakerFailures, openMs: api.breakerOpenSeconds * 1000 },
      ...(api.rateLimitEnabled ? { rateLimit: { perSecond: api.rateLimitPerSecond } } : {})
    },
    ports
  )
}

function openFetcher(config: Config, ports: Ports): FileFetcher {
  const { files } = config
  return openHttpFiles(
    {
      allowedHosts: files.allowedDomains,
      allowInsecureLocalhost: files.allowInsecureLocalhost,
      maxFileBytes: files.maxBytes,
      perHostConnections: files.downloadConcurrency
    },
    ports
  )
}
