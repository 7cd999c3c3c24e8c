export { type DownloadOptions, type DownloadPorts, downloadWorker } from './download.ts'
