export { type UploadOptions, type UploadPorts, uploadWorker } from './upload.ts'
