export { type Candidate, KeyIndex, type KeyView } from './key-index.ts'
