export { type RetrySchedulerPorts, retryScheduler } from './retry-scheduler.ts'
