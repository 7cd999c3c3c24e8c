/**
 * The requests of the Kafka protocol that this adapter makes, each with the versions that it can speak; the
 * newest one that the broker knows too is used. The library knows the bytes; who asks what, and when, is decided here.
 */
import * as kafka from '@platformatic/kafka'
import { BrokerError } from '../../core/index.ts'

/** A request in one version: `async` sends it and resolves to the parsed answer. */
interface Api<Args extends unknown[], Result> {
  readonly async: (connection: kafka.Connection, ...args: Args) => Promise<Result>
}

type Versions<Args extends unknown[], Result> = Readonly<Record<number, Api<Args, Result>>>

/** Hides the library's overloads, which differ from version to version in what does not matter here. */
function versions<Args extends unknown[], Result>(
  known: Readonly<Record<number, { readonly api: unknown }>>
): Versions<Args, Result> {
  return Object.fromEntries(
    Object.entries(known).map(([version, module]) => [version, module.api as Api<Args, Result>])
  )
}

export interface MetadataAnswer {
  readonly brokers: readonly { nodeId: number; host: string; port: number }[]
  readonly controllerId: number
  readonly topics: readonly {
    readonly errorCode: number
    readonly name: string | null
    readonly topicId: string
    readonly isInternal: boolean
    readonly partitions: readonly {
      readonly partitionIndex: number
      readonly leaderId: number
      readonly replicaNodes: readonly number[]
    }[]
  }[]
}

export interface FetchPartition {
  readonly partition: number
  readonly currentLeaderEpoch: number
  readonly fetchOffset: bigint
  readonly lastFetchedEpoch: number
  readonly partitionMaxBytes: number
}

export interface FetchAnswer {
  readonly errorCode: number
  readonly responses: readonly {
    readonly topicId: string
    readonly partitions: readonly FetchedPartition[]
  }[]
}

export interface FetchedPartition {
  readonly partitionIndex: number
  readonly errorCode: number
  readonly highWatermark: bigint
  readonly logStartOffset: bigint
  readonly records?: readonly RecordsBatch[]
}

export interface RecordsBatch {
  readonly firstOffset: bigint
  readonly firstTimestamp: bigint
  readonly maxTimestamp: bigint
  readonly attributes: number
  readonly lastOffsetDelta: number
  readonly records: readonly {
    readonly timestampDelta: bigint
    readonly offsetDelta: number
    readonly key: Buffer | null
    readonly value: Buffer | null
    readonly headers: readonly (readonly [Buffer | null, Buffer | null])[]
  }[]
}

export interface ProduceMessage {
  readonly topic: string
  readonly partition: number
  readonly key: Buffer | null
  readonly value: Buffer | null
  readonly headers: ReadonlyMap<Buffer, Buffer>
  readonly timestamp: bigint
}

export interface ProduceAnswer {
  readonly responses: readonly {
    readonly name: string
    readonly partitionResponses: readonly {
      readonly index: number
      readonly errorCode: number
      readonly baseOffset: bigint
    }[]
  }[]
}

interface TopicOffsets<Partition> {
  readonly topics: readonly { readonly name: string; readonly partitions: readonly Partition[] }[]
}

export type ListOffsetsAnswer = TopicOffsets<{
  partitionIndex: number
  errorCode: number
  offset: bigint
}>

export interface OffsetFetchAnswer {
  readonly groups: readonly TopicOffsets<{
    partitionIndex: number
    committedOffset: bigint
    errorCode: number
  }>[]
}

export interface JoinGroupAnswer {
  readonly generationId: number
  readonly protocolName: string | null
  readonly leader: string
  readonly memberId: string
  readonly members: readonly { memberId: string; metadata: Buffer | null }[]
}

export interface ConfigsAnswer {
  readonly results: readonly {
    readonly resourceName: string
    readonly configs: readonly { name: string; value: string | null; configSource: number }[]
  }[]
}

type Topics<Partition> = readonly { name: string; partitions: readonly Partition[] }[]

export const APIS = {
  Metadata: versions<
    [topics: readonly string[] | null, autocreate: boolean, operations: boolean],
    MetadataAnswer
  >({ 10: kafka.metadataV10, 11: kafka.metadataV11, 12: kafka.metadataV12 }),
  FindCoordinator: versions<
    [keyType: number, keys: readonly string[]],
    { coordinators: readonly { nodeId: number; host: string; port: number }[] }
  >({ 4: kafka.findCoordinatorV4, 5: kafka.findCoordinatorV5, 6: kafka.findCoordinatorV6 }),
  Produce: versions<
    [acks: number, timeoutMs: number, messages: readonly ProduceMessage[], options: object],
    ProduceAnswer
  >({
    7: kafka.produceV7,
    8: kafka.produceV8,
    9: kafka.produceV9,
    10: kafka.produceV10,
    11: kafka.produceV11
  }),
  InitProducerId: versions<
    [transactionalId: null, timeoutMs: number, producerId: bigint, epoch: number],
    { producerId: bigint; producerEpoch: number }
  >({ 3: kafka.initProducerIdV3, 4: kafka.initProducerIdV4, 5: kafka.initProducerIdV5 }),
  Fetch: versions<
    [
      maxWaitMs: number,
      minBytes: number,
      maxBytes: number,
      isolation: number,
      sessionId: number,
      sessionEpoch: number,
      topics: readonly { topicId: string; partitions: readonly FetchPartition[] }[],
      forgotten: readonly never[],
      rack: string
    ],
    FetchAnswer
  >({
    13: kafka.fetchV13,
    14: kafka.fetchV14,
    15: kafka.fetchV15,
    16: kafka.fetchV16,
    17: kafka.fetchV17
  }),
  ListOffsets: versions<
    [
      replica: number,
      isolation: number,
      topics: Topics<{ partitionIndex: number; currentLeaderEpoch: number; timestamp: bigint }>
    ],
    ListOffsetsAnswer
  >({
    6: kafka.listOffsetsV6,
    7: kafka.listOffsetsV7,
    8: kafka.listOffsetsV8,
    9: kafka.listOffsetsV9
  }),
  OffsetFetch: versions<
    [
      groups: readonly {
        groupId: string
        memberId: string | null
        memberEpoch: number
        topics: readonly { name: string; partitionIndexes: readonly number[] }[]
      }[],
      requireStable: boolean
    ],
    OffsetFetchAnswer
  >({ 8: kafka.offsetFetchV8, 9: kafka.offsetFetchV9 }),
  OffsetCommit: versions<
    [
      groupId: string,
      generation: number,
      memberId: string,
      instanceId: string | null,
      topics: Topics<{
        partitionIndex: number
        committedOffset: bigint
        committedLeaderEpoch: number
        committedMetadata: string | null
      }>
    ],
    TopicOffsets<{ partitionIndex: number; errorCode: number }>
  >({ 8: kafka.offsetCommitV8, 9: kafka.offsetCommitV9 }),
  JoinGroup: versions<
    [
      groupId: string,
      sessionTimeoutMs: number,
      rebalanceTimeoutMs: number,
      memberId: string,
      instanceId: string | null,
      protocolType: string,
      protocols: readonly { name: string; metadata: Buffer }[],
      reason: string
    ],
    JoinGroupAnswer
  >({
    6: kafka.joinGroupV6,
    7: kafka.joinGroupV7,
    8: kafka.joinGroupV8,
    9: kafka.joinGroupV9
  }),
  SyncGroup: versions<
    [
      groupId: string,
      generation: number,
      memberId: string,
      instanceId: string | null,
      protocolType: string,
      protocolName: string,
      assignments: readonly { memberId: string; assignment: Buffer }[]
    ],
    { assignment: Buffer }
  >({ 4: kafka.syncGroupV4, 5: kafka.syncGroupV5 }),
  Heartbeat: versions<
    [groupId: string, generation: number, memberId: string, instanceId: string | null],
    object
  >({ 4: kafka.heartbeatV4 }),
  LeaveGroup: versions<
    [groupId: string, members: readonly { memberId: string; groupInstanceId?: string | null }[]],
    object
  >({ 4: kafka.leaveGroupV4, 5: kafka.leaveGroupV5 }),
  CreateTopics: versions<
    [
      topics: readonly {
        name: string
        numPartitions: number
        replicationFactor: number
        assignments: readonly never[]
        configs: readonly { name: string; value: string }[]
      }[],
      timeoutMs: number,
      validateOnly: boolean
    ],
    { topics: readonly { name: string; errorCode: number; errorMessage: string | null }[] }
  >({ 7: kafka.createTopicsV7 }),
  DeleteRecords: versions<
    [topics: Topics<{ partitionIndex: number; offset: bigint }>, timeoutMs: number],
    object
  >({ 2: kafka.deleteRecordsV2 }),
  DescribeConfigs: versions<
    [
      resources: readonly {
        resourceType: number
        resourceName: string
        configurationKeys: readonly string[] | null
      }[],
      synonyms: boolean,
      documentation: boolean
    ],
    ConfigsAnswer
  >({ 2: kafka.describeConfigsV2, 3: kafka.describeConfigsV3, 4: kafka.describeConfigsV4 })
} as const

export type ApiName = keyof typeof APIS
type Signature<Name extends ApiName> =
  (typeof APIS)[Name] extends Versions<infer Args, infer Result>
    ? { args: Args; result: Result }
    : never
export type ApiArgs<Name extends ApiName> = Signature<Name>['args']
export type ApiResult<Name extends ApiName> = Signature<Name>['result']

/** What a broker can speak, by API: from its answer to ApiVersions. */
export type BrokerVersions = ReadonlyMap<string, { readonly min: number; readonly max: number }>

export async function askVersions(connection: kafka.Connection): Promise<BrokerVersions> {
  const { apiKeys } = await kafka.apiVersionsV3.api.async(connection, 'claims-pipeline', '1')
  return new Map(
    apiKeys.map(({ name, minVersion, maxVersion }) => [name, { min: minVersion, max: maxVersion }])
  )
}

/** APIs that the broker lacks, or of which it speaks no version that is spoken here; one sentence each. */
export function missingApis(spoken: BrokerVersions): string[] {
  return (Object.keys(APIS) as ApiName[]).flatMap(name => {
    if (newest(name, spoken) !== undefined) return []
    const known = Object.keys(APIS[name]).map(Number)
    const needed = `${name} ${Math.min(...known)} to ${Math.max(...known)}`
    const theirs = spoken.get(name)
    return [
      `${needed} (it has ${theirs === undefined ? 'none' : `${theirs.min} to ${theirs.max}`})`
    ]
  })
}

/** Rejects with `BROKER_TOO_OLD`, naming each API. */
export function assertSpoken(spoken: BrokerVersions, where: string): void {
  const missing = missingApis(spoken)
  if (missing.length === 0) return
  throw new BrokerError(
    'BROKER_TOO_OLD',
    `The broker ${where} lacks what is needed of the Kafka protocol: ${missing.join(', ')}. ` +
      'Apache Kafka 3.5 and later have it. Event Hubs is read by its own source, not as a broker'
  )
}

function newest(name: ApiName, spoken: BrokerVersions): number | undefined {
  const theirs = spoken.get(name)
  if (theirs === undefined) return undefined
  return Object.keys(APIS[name])
    .map(Number)
    .filter(version => version >= theirs.min && version <= theirs.max)
    .at(-1)
}

/** Sends one request in the newest version that both sides speak. */
export async function callApi<Name extends ApiName>(
  connection: kafka.Connection,
  spoken: BrokerVersions,
  name: Name,
  args: ApiArgs<Name>
): Promise<ApiResult<Name>> {
  const version = newest(name, spoken)
  const known = APIS[name] as unknown as Versions<ApiArgs<Name>, ApiResult<Name>>
  const api = version === undefined ? undefined : known[version]
  if (api === undefined) {
    throw new BrokerError(
      'BROKER_TOO_OLD',
      `The broker speaks no version of ${name} that is needed`
    )
  }
  return await api.async(connection, ...args)
}
