export { type MemoryObjectStoreOptions, openMemoryObjectStore } from './object-store.ts'
