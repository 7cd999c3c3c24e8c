export { hashKeys, isHashed } from './key-hash.ts'
export { type FileOfRows, KeyIndex, type KeyPlace, type KeyView } from './key-index.ts'
