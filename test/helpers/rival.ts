/** Another writer that commits right before ours does. */
import type { ObjectStore } from '../../src/ports/index.ts'

/** A store that lets a rival in before the next commit is put. */
export function withRival(store: ObjectStore): {
  store: ObjectStore
  before(rival: () => Promise<unknown>): void
} {
  let next: (() => Promise<unknown>) | undefined
  const wrapped = new Proxy(store, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name === 'put') {
        return async (...args: Parameters<ObjectStore['put']>) => {
          if (args[2]?.ifAbsent === true && next !== undefined) {
            const rival = next
            next = undefined
            await rival()
          }
          return await target.put(...args)
        }
      }
      return typeof value === 'function' ? value.bind(target) : value
    }
  })
  return {
    store: wrapped,
    before: rival => {
      next = rival
    }
  }
}
