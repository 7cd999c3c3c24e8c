/** Messages between the workers: types, codecs, and the steps from one to the next. */
export * from './download.ts'
export * from './enrichment.ts'
export * from './envelope.ts'
export * from './failure.ts'
export type * from './types.ts'
export * from './upload.ts'
