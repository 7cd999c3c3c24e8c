/** The message log on Apache Kafka. */
export { openKafkaLog } from './kafka-log.ts'
export type { Compression, KafkaLogOptions, KafkaPorts, SaslOptions } from './options.ts'
