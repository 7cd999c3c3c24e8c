/** Door of the composition root: what commands, scripts and users of the package call. */
export { type StageLag, stageLags, totalLag } from './backlog.ts'
export {
  type DemoScenario,
  defaultDemoDir,
  defaultScenario,
  faultLevels
} from './demo/demo-options.ts'
export type { DemoReport, StageReport } from './demo/demo-report.ts'
export {
  type DemoEnd,
  type DemoOptions,
  type DemoProgress,
  runDemo
} from './demo/run-demo.ts'
export { errorsMarkdown } from './docs/errors-markdown.ts'
export { tablesMarkdown } from './docs/tables-markdown.ts'
export { type Diagnosis, diagnose } from './doctor.ts'
export type {
  CopiedPartition,
  CopiedPosition,
  LogCopyReport
} from './log-copy.ts'
export { copyConfiguredLog, type LogCopyRequest } from './log-copy-run.ts'
export { type LogKind, logKind } from './message-log.ts'
export { type OpenPipelineOptions, openPipeline } from './pipeline.ts'
export type { Pipeline, RunningWorkers } from './pipeline-types.ts'
export {
  type RunningSimulator,
  type SimulationOptions,
  startSimulation
} from './simulation.ts'
export { keepHeapSmall } from './small-heap.ts'
export {
  mergeKeyOf,
  placeOfTable,
  type TableAccess,
  type TablePlace,
  withTables
} from './table-access.ts'
export { type TopicDifference, topicDifferences, topicSpecs } from './topic-specs.ts'
export { type UntilIdleOptions, untilIdle } from './until-idle.ts'
