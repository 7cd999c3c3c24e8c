/**
 * What the simulator offers: a world (a pure function of its options), a server for it, and the check
 * of a pipeline's end state against it.
 */
import type { JsonObject } from '../core/index.ts'

export interface WorldOptions {
  /** Any integer; everything in the world follows from it and the sizes below. */
  readonly seed: number
  /** Claims, at most 200,000. */
  readonly projects: number
  /** Records of the event stream: duplicates and malformed ones included. */
  readonly events: number
  /** Share of events that are malformed or carry unusable ids. Default 0. */
  readonly malformed?: number
  /** Share of projects, tasks and media that the API does not know. Default 0.004. */
  readonly missing?: number
  /** Share of media whose content a careful client must refuse. Default 0.003. */
  readonly refused?: number
  /** Factor on the sizes of media files, for quick tests. Default 1. */
  readonly mediaScale?: number
}

/** Final state of an event in `claimx_event_log`. */
export type EventOutcome = 'success' | 'skipped' | 'failed_permanent'

export interface AcceptedEvent {
  readonly kind: 'accepted'
  /** Number of the business event; equal numbers are deliveries of the same event. */
  readonly sequence: number
  /** Undefined: the producer gave none, the pipeline derives it. */
  readonly eventId: string | undefined
  readonly eventType: string
  readonly projectId: string
  readonly mediaId: string | null
  readonly taskAssignmentId: string | null
  readonly videoCollaborationId: string | null
  readonly masterFileName: string | null
  /** Microseconds; undefined: the producer gave none. */
  readonly ingestedAt: bigint | undefined
  readonly outcome: EventOutcome
}

export interface MalformedEvent {
  readonly kind: 'malformed'
  readonly sequence: number
  readonly reason: string
}

export type ExpectedEvent = AcceptedEvent | MalformedEvent

export interface WorldEvent {
  readonly index: number
  readonly key: string | null
  readonly value: Uint8Array
  readonly expected: ExpectedEvent
}

export interface MediaFile {
  readonly mediaId: number
  readonly projectId: number
  readonly name: string | null
  /** Extension of the link and the storage key, lower case. */
  readonly extension: string
  readonly contentType: string
  readonly size: number
  /** A careful client does not store this file. */
  readonly refused: boolean
  /** False: the API lists the media without a link. */
  readonly hasLink: boolean
  /** Link straight to S3 instead of through the file service. */
  readonly direct: boolean
  /** False: the API does not say when the link expires; only the link does. */
  readonly expiryTold: boolean
  /** Identifies the file in links. */
  readonly uuid: string
}

/** Everything is generated on demand; the world itself holds a few bytes per event and entity. */
export interface World {
  readonly options: Required<WorldOptions>
  readonly eventCount: number
  /** Record `index` of the stream; the same bytes every time. */
  event(index: number): WorldEvent
  /** As `event`, without building the bytes. */
  expectedEvent(index: number): ExpectedEvent
  /** E1 as the API would answer, unwrapped; undefined: 404. */
  projectAnswer(projectId: number): JsonObject | undefined
  /** E2; undefined: 404. */
  projectIdOf(claimNumber: string): number | undefined
  /** Ids of the media that the API lists for a project. */
  mediaIdsOf(projectId: number): number[]
  /** One item of E3, without link; undefined: not listed. */
  mediaAnswer(mediaId: number): JsonObject | undefined
  /** Undefined: no such file. Also known for media that the API does not list. */
  mediaFile(mediaId: number): MediaFile | undefined
  mediaFileByUuid(uuid: string): MediaFile | undefined
  /** Pieces that make up the file, in order; together `size` bytes. The pieces are shared: read only. */
  mediaChunks(mediaId: number): Iterable<Uint8Array>
  /** SHA-256 of the file, hexadecimal; remembered after the first call. */
  mediaDigest(mediaId: number): string
  /** E6; undefined: 404. */
  taskAnswer(assignmentId: number): JsonObject | undefined
  /** `projectId` of that answer. */
  taskProject(assignmentId: number): number | undefined
  taskIdsOf(projectId: number): number[]
  /** E8: all sessions of the project. */
  videoAnswers(projectId: number): JsonObject[]
}

export type FaultLevel = 'none' | 'light' | 'heavy'

export interface RateStep {
  /** Milliseconds since the server started. */
  readonly fromMs: number
  readonly perSecond: number
}

export interface SimulatorOptions {
  readonly world: World
  /** 0: any free port. Links name the port, so a restarted demo should pass the same one again. */
  readonly port: number
  /** Base64, as in `Authorization: Basic <token>`. */
  readonly token: string
  readonly faults: FaultLevel
  /** Changes which requests fail; a restarted demo should pass another one. Default 0. */
  readonly faultSalt?: number
  /** Added to every API answer. Default 0. */
  readonly latencyMs?: number
  /** Hidden limit of the API, calls per second, constant or moving. Default: none. */
  readonly rateLimit?: number | readonly RateStep[]
  /** How long download links last. Default one hour. */
  readonly linkLifetimeMs?: number
  /** How long the slow answers among the faults take. Default 1,000 to 3,000. */
  readonly slowMs?: readonly [number, number]
  /** Default `127.0.0.1`. */
  readonly host?: string
}

export interface SimulatorStats {
  /** API requests by endpoint, `E1` to `E8`, whatever the answer. */
  readonly requests: Readonly<Record<string, number>>
  /** Distinct (endpoint, key) pairs asked, by endpoint. */
  readonly distinct: Readonly<Record<string, number>>
  /** Answers by status, of API and downloads, `reset` for connections cut on purpose. */
  readonly answers: Readonly<Record<string, number>>
  /** Faults injected, by kind. */
  readonly faults: Readonly<Record<string, number>>
  /** 429 answers because of the hidden limit. */
  readonly throttled: number
  /** Downloads answered in full. */
  readonly downloads: number
  readonly bytes: number
}

export interface Simulator {
  readonly port: number
  /** `http://host:port`. */
  readonly url: string
  /** What `CLAIMX_API_URL` must be. */
  readonly apiUrl: string
  stats(): SimulatorStats
  close(): Promise<void>
}

export interface Check {
  readonly name: string
  readonly ok: boolean
  readonly detail: string
}

/** The pipeline's end state, as the check reads it. */
export interface EndStateView {
  /** Timestamps as bigint microseconds, dates as text. */
  readTable(
    name: string,
    columns: string[]
  ): Promise<Record<string, string | number | bigint | boolean | null>[]>
  /** Files of the domain, paths relative to its base as in `blob_path`. */
  listFiles(): AsyncIterable<{ path: string; size: number }>
  /** SHA-256, hexadecimal. */
  hashFile(path: string): Promise<string>
  /** JSON texts of the three dead-letter topics. */
  deadLetters(): Promise<{ topic: string; value: string }[]>
  cacheFiles(): Promise<string[]>
  /** Sum over all groups and topics. */
  lag(): Promise<number>
}

export interface ExpectedSummary {
  /** Records in the stream. */
  readonly deliveries: number
  /** Distinct events that the pipeline accepts. */
  readonly distinctEvents: number
  readonly duplicates: number
  readonly malformed: number
  /** Distinct accepted events by event type. */
  readonly byType: Readonly<Record<string, number>>
  readonly byOutcome: Readonly<Record<EventOutcome, number>>
  /** Media that must end as files. */
  readonly files: number
  readonly bytes: number
  /** Media that must end in the downloads dead letters. */
  readonly refusedMedia: number
  /** Calls when every distinct event is handled alone (claimx-api.md section 7). */
  readonly naiveApiCalls: number
  /** Calls when every distinct thing is asked for once in the whole run. */
  readonly distinctApiCalls: number
}
