/** The package as a library: load a configuration, open a pipeline, start workers. */
export {
  type OpenPipelineOptions,
  openPipeline,
  type Pipeline,
  type RunningWorkers,
  topicSpecs,
  untilIdle
} from './app/index.ts'
export { type Config, type LoadOptions, loadConfig } from './config/index.ts'
export { isPipelineError, PipelineError } from './core/index.ts'
export type { MessageLog, ObjectStore, TableStore } from './ports/index.ts'
export { type WorkerName, workerNames } from './topology.ts'
