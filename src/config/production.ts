/** Whether the name of an environment says production: a word of it, not any part of a word. */
const productionWords = new Set(['production', 'prod', 'live'])

export function isProduction(names: readonly (string | undefined)[]): boolean {
  return names.some(name =>
    (name ?? '')
      .toLowerCase()
      .split(/[^a-z0-9]+/)
      .some(word => productionWords.has(word))
  )
}
