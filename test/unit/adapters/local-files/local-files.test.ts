import assert from 'node:assert/strict'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { openLocalFiles } from '../../../../src/adapters/local-files/index.ts'
import { objectStoreConformance } from '../../../conformance/object-store.conformance.ts'

objectStoreConformance('local files', async () => {
  const root = await mkdtemp(join(tmpdir(), 'local-files-'))
  const store = openLocalFiles({ root: join(root, 'made', 'when needed') })
  return {
    store,
    dispose: async () => {
      await store.close()
      await rm(root, { recursive: true, force: true })
    }
  }
})

describe('local files', () => {
  test('leaves no temporary file behind and does not list one of a killed process', async () => {
    const root = await mkdtemp(join(tmpdir(), 'local-files-'))
    try {
      const store = openLocalFiles({ root })
      await store.put('log/1', Buffer.from('a'), { ifAbsent: true })
      await store.put('log/1', Buffer.from('b'), { ifAbsent: true })
      await store.put('log/1', Buffer.from('c'))
      assert.deepEqual(await readdir(join(root, 'log')), ['1'])
      await writeFile(join(root, 'log', '.tmp-1-2-3'), 'half')
      const paths: string[] = []
      for await (const { path } of store.list('log/')) paths.push(path)
      assert.deepEqual(paths, ['log/1'])
    } finally {
      await rm(root, { recursive: true })
    }
  })

  test('reports what the disk refuses as STORAGE_UNAVAILABLE', async () => {
    const root = await mkdtemp(join(tmpdir(), 'local-files-'))
    try {
      await writeFile(join(root, 'file'), 'x')
      const store = openLocalFiles({ root })
      await assert.rejects(store.put('file/below', Buffer.from('x')), {
        code: 'STORAGE_UNAVAILABLE'
      })
    } finally {
      await rm(root, { recursive: true })
    }
  })
})
