export { openLocalFiles } from './local-files.ts'
