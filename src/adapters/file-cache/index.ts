export { type FileCacheOptions, openFileCache } from './file-cache.ts'
