/**
 * Two processes of ours, delta-rs and Spark write to the same table at the same time. Each merges into rows
 * that the others merge into, and rewrites files under them; in the end nothing is lost or doubled, and all
 * engines read the same. This is a short run; longer: `test/interop/foreign/run.ts --minutes 5`.
 */
import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openTestDelta, type TestDelta } from '../helpers/delta.ts'
import { openPython } from '../helpers/python.ts'
import { type Company, openCompany, playAndCheck } from './foreign/play.ts'
import type { Round } from './foreign/rounds.ts'

const seed = Number(process.env['CLAIMS_TEST_SEED'] ?? Math.trunc(performance.timeOrigin % 1e6))
const { python, missing } = await openPython()

const TABLES: readonly [string, Readonly<Record<string, string>>, readonly Round[]][] = [
  [
    'by copying files',
    {},
    [
      { spark: 'merge', also: [{ writer: 'ours_1', work: 'optimize' }] },
      { spark: 'add a column', also: [{ writer: 'rs', work: 'vacuum' }] },
      { spark: 'append', also: [{ writer: 'rs', work: 'checkpoint' }] }
    ]
  ],
  [
    'with deletion vectors',
    { 'delta.enableDeletionVectors': 'true' },
    [
      { spark: 'merge', also: [{ writer: 'rs', work: 'optimize' }] },
      { spark: 'optimize', also: [{ writer: 'ours_2', work: 'vacuum' }] },
      { spark: 'delete', also: [{ writer: 'rs', work: 'checkpoint' }] }
    ]
  ]
]

describe(`foreign writers at the same time (seed ${seed})`, { skip: missing ?? false }, () => {
  let delta: TestDelta
  let company: Company
  before(async () => {
    assert.ok(python !== undefined)
    delta = await openTestDelta()
    company = await openCompany(delta, python)
  })
  after(async () => {
    await company?.close()
    await delta?.[Symbol.asyncDispose]()
  })

  for (const [what, properties, rounds] of TABLES) {
    test(`nothing is lost or doubled, and all engines read the same, ${what}`, async context => {
      const { problems, report } = await playAndCheck(company, {
        name: what.replaceAll(' ', '-'),
        properties: { 'delta.checkpointInterval': '7', ...properties },
        rounds,
        seed
      })
      assert.deepEqual(problems, [])
      context.diagnostic(JSON.stringify(report))
    })
  }
})
