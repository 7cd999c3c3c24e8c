/**
 * The flow as data: stages, topics, consumer groups, tables (design.md section 6). CLI, provisioning,
 * docs and the composition root read it; a test checks that every topic has a writer and a reader.
 */

/** Suffixes of the retry buckets, in order; the delays come from the configuration. */
export const retrySuffixes = ['5m', '10m', '20m', '40m'] as const

export type Domain = 'claimx'

export interface StageDef {
  /** Command name of the worker, without the domain: `claimx-<worker>`. */
  readonly worker: WorkerName
  readonly inputs: readonly string[]
  readonly group: string
  readonly outputs: readonly string[]
  readonly tables: readonly string[]
  /** Base of `<base>.retry.<suffix>` topics. */
  readonly retryBase?: string
  readonly deadLetters?: string
}

export const workerNames = [
  'ingester',
  'enricher',
  'downloader',
  'uploader',
  'result-processor',
  'retry-scheduler'
] as const
export type WorkerName = (typeof workerNames)[number]

export const topics = {
  claimx: {
    raw: 'claimx.events.raw',
    eventsDlq: 'claimx.events.dlq',
    enrichment: 'claimx.enrichment.pending',
    enrichmentDlq: 'claimx.enrichment.dlq',
    downloads: 'claimx.downloads.pending',
    cached: 'claimx.downloads.cached',
    results: 'claimx.downloads.results',
    downloadsDlq: 'claimx.downloads.dlq'
  }
} as const

export function retryTopics(base: string): string[] {
  return retrySuffixes.map(suffix => `${base}.retry.${suffix}`)
}

const enrichmentBase = 'claimx.enrichment'
const downloadsBase = 'claimx.downloads'

/** Retry topic to the topic that its records return to. */
export const retryTargets: Readonly<Record<string, string>> = Object.fromEntries([
  ...retryTopics(enrichmentBase).map(topic => [topic, topics.claimx.enrichment]),
  ...retryTopics(downloadsBase).map(topic => [topic, topics.claimx.downloads])
])

export const stages: Readonly<Record<WorkerName, StageDef>> = {
  ingester: {
    worker: 'ingester',
    inputs: [topics.claimx.raw],
    group: 'claimx-event-ingester-worker',
    outputs: [topics.claimx.enrichment],
    tables: ['claimx_events'],
    deadLetters: topics.claimx.eventsDlq
  },
  enricher: {
    worker: 'enricher',
    inputs: [topics.claimx.enrichment],
    group: 'claimx-enrichment-worker',
    outputs: [topics.claimx.downloads],
    tables: [
      'claimx_contacts',
      'claimx_projects',
      'claimx_task_templates',
      'claimx_tasks',
      'claimx_external_links',
      'claimx_attachment_metadata',
      'claimx_video_collab',
      'claimx_event_log'
    ],
    retryBase: enrichmentBase,
    deadLetters: topics.claimx.enrichmentDlq
  },
  downloader: {
    worker: 'downloader',
    inputs: [topics.claimx.downloads],
    group: 'claimx-download-worker',
    outputs: [topics.claimx.cached],
    tables: [],
    retryBase: downloadsBase,
    deadLetters: topics.claimx.downloadsDlq
  },
  uploader: {
    worker: 'uploader',
    inputs: [topics.claimx.cached],
    group: 'claimx-upload-worker',
    outputs: [topics.claimx.results, topics.claimx.downloads],
    tables: [],
    retryBase: downloadsBase,
    deadLetters: topics.claimx.downloadsDlq
  },
  'result-processor': {
    worker: 'result-processor',
    inputs: [topics.claimx.results],
    group: 'claimx-result-processor',
    outputs: [],
    tables: ['claimx_attachments'],
    deadLetters: topics.claimx.downloadsDlq
  },
  'retry-scheduler': {
    worker: 'retry-scheduler',
    inputs: [...retryTopics(enrichmentBase), ...retryTopics(downloadsBase)],
    group: 'claimx-retry-scheduler',
    outputs: [topics.claimx.enrichment, topics.claimx.downloads],
    tables: [],
    deadLetters: topics.claimx.enrichmentDlq
  }
}

/** Every topic of a domain, each once, in the order of the flow. */
export function allTopics(): string[] {
  return [
    ...new Set(
      Object.values(stages).flatMap(stage => [
        ...stage.inputs,
        ...stage.outputs,
        ...(stage.retryBase === undefined ? [] : retryTopics(stage.retryBase)),
        ...(stage.deadLetters === undefined ? [] : [stage.deadLetters])
      ])
    )
  ]
}
