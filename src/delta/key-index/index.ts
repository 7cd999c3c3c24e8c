export { hashKeys, isHashed } from './key-hash.ts'
export { KeyIndex, type KeyPlace, type KeyView } from './key-index.ts'
