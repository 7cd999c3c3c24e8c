export { resultProcessor } from './result-processor.ts'
