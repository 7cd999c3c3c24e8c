import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deletedFileRetentionMs } from '../../../src/delta/table-properties.ts'

const DAY = 86_400_000

function retention(text: string | undefined): number {
  const configuration: Record<string, string> =
    text === undefined ? {} : { 'delta.deletedFileRetentionDuration': text }
  return deletedFileRetentionMs({
    id: 'id',
    format: { provider: 'parquet' },
    schemaString: '',
    partitionColumns: [],
    configuration
  })
}

describe('The retention of removed files', () => {
  test('is an interval of one or more parts, a week by default', () => {
    assert.equal(retention(undefined), 7 * DAY)
    assert.equal(retention('interval 30 days'), 30 * DAY)
    assert.equal(retention('INTERVAL 1 week 3 days'), 10 * DAY)
    assert.equal(retention('2 hours'), DAY / 12)
    assert.equal(retention('interval 0 hours'), 0)
  })

  test('is for ever when it is not understood', () => {
    for (const text of ['interval 1 month', 'a while', '', '7', 'interval 1 day ago']) {
      assert.equal(retention(text), Number.MAX_SAFE_INTEGER, text)
    }
  })
})
