import { openMemoryObjectStore } from '../../../../src/adapters/memory/index.ts'
import { objectStoreConformance } from '../../../conformance/object-store.conformance.ts'

objectStoreConformance('memory', async () => {
  const store = openMemoryObjectStore()
  return { store, dispose: () => store.close() }
})
