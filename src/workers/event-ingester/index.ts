export { eventIngester } from './event-ingester.ts'
