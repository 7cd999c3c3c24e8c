export { type EnrichmentPorts, enrichmentWorker } from './enrichment.ts'
