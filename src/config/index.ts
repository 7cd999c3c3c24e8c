/** Configuration: the only reader of the environment. */
export { configurationMarkdown, type EffectiveSetting, effectiveSettings } from './describe.ts'
export { type Config, type LoadOptions, loadConfig } from './load.ts'
export type { Settings } from './schema.ts'
export type { Environment } from './yaml-file.ts'
