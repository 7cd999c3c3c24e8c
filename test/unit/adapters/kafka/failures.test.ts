import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { NetworkError, ResponseError, TimeoutError } from '@platformatic/kafka'
import { apiIdsOf, brokerError, responseOf } from '../../../../src/adapters/kafka/failures.ts'
import { missingApis } from '../../../../src/adapters/kafka/protocol.ts'

const PRODUCE = 0
/** An answer with one error code. */
function answered(code: number): Error {
  return new ResponseError(PRODUCE, 9, { '/': [code, null] }, { some: 'answer' })
}

describe('errors of the Kafka client', () => {
  const cases: readonly (readonly [string, Error, string])[] = [
    ['a topic that is not there', answered(3), 'BROKER_UNKNOWN_TOPIC'],
    ['a record that is too large', answered(10), 'BROKER_RECORD_TOO_LARGE'],
    ['a leader that moved', answered(6), 'BROKER_UNAVAILABLE'],
    ['replicas that are missing', answered(19), 'BROKER_UNAVAILABLE'],
    ['a right that is missing', answered(29), 'BROKER_ACCESS'],
    ['a password that is wrong', answered(58), 'BROKER_ACCESS'],
    ['a static name that is taken', answered(82), 'BROKER_REFUSED'],
    ['another protocol in the group', answered(23), 'BROKER_REFUSED'],
    ['a connection that broke', new NetworkError('Connection closed'), 'BROKER_UNAVAILABLE'],
    ['no answer', new TimeoutError('Request timed out'), 'BROKER_UNAVAILABLE'],
    [
      'a certificate of its own',
      new NetworkError('Connection failed', {
        cause: Object.assign(new Error('self-signed certificate'), {
          code: 'DEPTH_ZERO_SELF_SIGNED_CERT'
        })
      }),
      'BROKER_ACCESS'
    ]
  ]
  for (const [what, error, code] of cases) {
    it(`tell of ${what} as ${code}`, () => assert.equal(brokerError(error, 'Testing').code, code))
  }

  it('keep what the broker answered beside the error, and its name', () => {
    assert.deepEqual(responseOf(answered(3)), { some: 'answer' })
    assert.deepEqual(apiIdsOf(answered(27)), ['REBALANCE_IN_PROGRESS'])
    assert.match(brokerError(answered(27), 'Testing').message, /^Testing: REBALANCE_IN_PROGRESS$/)
  })
})

describe('the versions that a broker speaks', () => {
  const kafka35 = new Map<string, { min: number; max: number }>(
    Object.entries({
      ...{ Metadata: 12, FindCoordinator: 4, Produce: 9, InitProducerId: 4, Fetch: 15 },
      ...{ ListOffsets: 8, OffsetFetch: 8, OffsetCommit: 8, JoinGroup: 9, SyncGroup: 5 },
      ...{ Heartbeat: 4, LeaveGroup: 5, CreateTopics: 7, DeleteRecords: 2, DescribeConfigs: 4 }
    }).map(([name, max]) => [name, { min: 0, max }] as const)
  )

  it('of Kafka 3.5 are enough', () => assert.deepEqual(missingApis(kafka35), []))

  it('are compared with what is needed, and each that is too old is named', () => {
    // As client logs of Event Hubs show them.
    const eventHubs = new Map(kafka35)
    eventHubs.set('Fetch', { min: 4, max: 6 })
    eventHubs.set('Metadata', { min: 0, max: 5 })
    eventHubs.delete('DeleteRecords')
    assert.deepEqual(missingApis(eventHubs), [
      'Metadata 10 to 12 (it has 0 to 5)',
      'Fetch 13 to 17 (it has 4 to 6)',
      'DeleteRecords 2 to 2 (it has none)'
    ])
  })
})
