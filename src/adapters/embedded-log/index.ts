/** The embedded message log: topics and consumer groups in one SQLite file. */
export {
  type EmbeddedLogOptions,
  type EmbeddedLogPorts,
  openEmbeddedLog
} from './embedded-log.ts'
export { createLogNotifier, type LogNotifier } from './notifier.ts'
