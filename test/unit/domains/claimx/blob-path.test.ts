import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { isPipelineError } from '../../../../src/core/index.ts'
import { blobPath, cacheFileName, checkBlobPath } from '../../../../src/domains/claimx/index.ts'

const hostile = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 400 }),
  fc.string({ unit: 'grapheme', maxLength: 400 }),
  fc.constantFrom(
    '..',
    '.',
    '',
    '/',
    '../../etc/passwd',
    'C:\\x',
    'CON',
    'nul.txt',
    'a/../b',
    '\0'
  ),
  fc.constantFrom('\ud800', 'e\u0301', ' . ', 'x'.repeat(600), `${'ä'.repeat(300)}.jpeg`, '%2e%2e')
)

describe('the path of a media file', () => {
  it('has the project, the media id and the file name', () => {
    assert.equal(blobPath('12', '34', 'roof.jpg'), '12/media/34_roof.jpg')
  })

  it('differs for two media of one project that share a file name', () => {
    assert.notEqual(blobPath('12', '34', 'photo.jpg'), blobPath('12', '35', 'photo.jpg'))
  })

  it('names a file without a name after its id', () => {
    for (const name of ['', '  ', '..', '. .'])
      assert.equal(blobPath('12', '34', name), '12/media/media_34')
  })

  it('replaces separators, control characters and what Windows forbids', () => {
    const cases: [string, string][] = [
      ['a/b\\c.jpg', 'a_b_c.jpg'],
      ['../../x.jpg', '_.._x.jpg'],
      ['a\u0000b\u001f.jpg', 'a_b_.jpg'],
      ['<>:"|?*.jpg', '_______.jpg'],
      ['  .hidden. ', 'hidden'],
      ['e\u0301.jpg', '\u00e9.jpg'],
      ['gpj\u202e.exe', 'gpj_.exe']
    ]
    for (const [name, safe] of cases) assert.equal(blobPath('1', '2', name), `1/media/2_${safe}`)
  })

  it('is a safe relative path for every id and name', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (project, media, name) => {
        const path = blobPath(project, media, name)
        checkBlobPath(path)
        const segments = path.split('/')
        assert.equal(segments.length, 3)
        for (const segment of segments) {
          assert.ok(
            Buffer.byteLength(segment) <= 255 && segment !== '' && !/^\.|[. ]$/.test(segment)
          )
          assert.ok(!/[\u0000-\u001f<>:"|?*\\]/.test(segment))
        }
        assert.equal(path, path.normalize('NFC'))
        assert.equal(blobPath(project, media, name), path)
      }),
      { numRuns: 500 }
    )
  })

  it('differs for different ids that sanitising would join', () => {
    const ids = ['a/b', 'a_b', 'a\\b', '../a_b', 'A_b', 'CON', '_CON', '', '.']
    assert.equal(new Set(ids.map(id => blobPath(id, '1', 'f'))).size, ids.length)
    assert.equal(new Set(ids.map(id => blobPath('1', id, 'f'))).size, ids.length)
  })

  it('keeps the extension when a name is too long', () => {
    const path = blobPath('1', '2', `${'ä'.repeat(300)}.jpeg`)
    const file = path.split('/').at(-1) ?? ''
    assert.ok(
      file.endsWith('.jpeg') && Buffer.byteLength(file) <= 255 && Buffer.byteLength(file) > 250
    )
  })
})

describe('checking a path that came in a message', () => {
  it('refuses everything that could leave the base or confuse a store', () => {
    const refused = [
      '',
      'a',
      'a/b',
      '/1/media/2_x',
      '1/../media/2_x',
      '1/media/..',
      '1/./media/x',
      '1//media/x',
      '1/media/x/',
      '1\\media\\x',
      '1/media/a:b',
      '1/media/a\u0000',
      '1/media/CON',
      '1/media/nul.txt',
      '1/media/x.',
      '1/media/x ',
      '1/media/e\u0301',
      `1/media/${'x'.repeat(256)}`,
      `${'1/'.repeat(600)}x`
    ]
    for (const path of refused) {
      assert.throws(
        () => checkBlobPath(path),
        error => isPipelineError(error) && error.code === 'STORAGE_INVALID_PATH',
        path
      )
    }
  })
})

describe('the name of a cache file', () => {
  it('is one flat segment with room for a suffix, unique per project and media', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (project, media, name) => {
        const file = cacheFileName(project, media, name)
        assert.ok(!file.includes('/') && !file.includes('\\') && Buffer.byteLength(file) <= 200)
      })
    )
    assert.notEqual(cacheFileName('1', '2', 'a.jpg'), cacheFileName('1', '3', 'a.jpg'))
    assert.equal(cacheFileName('1', '2', 'a.jpg'), '1_2_a.jpg')
  })
})
