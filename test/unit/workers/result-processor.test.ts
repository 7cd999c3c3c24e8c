import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { encodeUploadResult, type UploadResult } from '../../../src/domains/claimx/index.ts'
import { topics } from '../../../src/topology.ts'
import { resultProcessor } from '../../../src/workers/index.ts'
import {
  deliver,
  json,
  kinds,
  process,
  produced,
  recordOf,
  rowsOf
} from '../../helpers/deliveries.ts'
import { FakeClock, fakeIds } from '../../helpers/fake-clock.ts'
import { recordTelemetry } from '../../helpers/recorded-telemetry.ts'

const ports = { clock: new FakeClock(), ids: fakeIds(), telemetry: recordTelemetry() }
const stage = resultProcessor(
  { batchRecords: 10, batchBytes: 1e6, maxRecordBytes: 1e6, lingerMs: 0 },
  ports
)

function result(mediaId: string, status: UploadResult['status']): string {
  return encodeUploadResult({
    mediaId,
    projectId: '7',
    downloadUrl: 'https://claimxperience.com/file/1',
    blobPath: `7/media/${mediaId}_roof.jpg`,
    fileType: 'jpg',
    fileName: 'roof.jpg',
    sourceEventId: 'evt',
    status,
    bytesUploaded: 3,
    errorMessage: null,
    createdAt: 1_767_600_000_000_000n,
    sha256: 'ab'.repeat(32),
    contentType: 'image/jpeg'
  })
}

describe('result processor', () => {
  it('writes a row for each completed upload and none for a failed one', async () => {
    const done = await process(stage, [
      result('1', 'completed'),
      result('2', 'failed_permanent'),
      result('3', 'completed'),
      result('4', 'failed')
    ])
    assert.deepEqual(kinds(done.outcomes), ['done', 'skipped', 'done', 'skipped'])
    const rows = rowsOf(done, 'claimx_attachments')
    assert.deepEqual(
      rows.map(row => row['media_id']),
      ['1', '3']
    )
    assert.equal(rows[0]?.['blob_path'], '7/media/1_roof.jpg')
  })

  it('keeps the bytes of a result that cannot be read or stored', () => {
    assert.throws(() => stage.decode(recordOf(topics.claimx.results, '{"media_id": 1}')))
    const [delivery] = deliver(stage, result('1', 'completed'))
    assert.ok(delivery !== undefined)
    const [letter] = produced(
      stage.failed(delivery, new Error('refused')),
      topics.claimx.downloadsDlq
    )
    assert.equal(json(letter)['original_value'], result('1', 'completed'))
  })
})
