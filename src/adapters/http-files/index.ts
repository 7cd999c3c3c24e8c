/** Downloads behind presigned URLs, over HTTPS, to local files (reference/operations.md sections 3 and 4). */
export { type HttpFilesPorts, openHttpFiles } from './fetcher.ts'
export type { HttpFilesOptions } from './options.ts'
