export { type DuckDbOptions, openDuckDb } from './engine.ts'
