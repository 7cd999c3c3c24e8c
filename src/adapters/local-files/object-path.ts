/** The rule for object paths: relative, `/`-separated, no segment that could lead out of the root. */
import { DeltaError } from '../../core/index.ts'

/** Rejects with `STORAGE_INVALID_PATH`. `prefix`: an empty path and a trailing `/` are fine. */
export function assertObjectPath(path: string, prefix = false): void {
  const checked = prefix && (path === '' || path.endsWith('/')) ? path.slice(0, -1) : path
  if (prefix && checked === '') return
  const bad =
    checked === '' ||
    /[\u0000-\u001f\u007f\\]/.test(checked) ||
    checked.split('/').some(segment => segment === '' || segment === '.' || segment === '..')
  if (!bad) return
  throw new DeltaError(
    'STORAGE_INVALID_PATH',
    `The object path ${JSON.stringify(path)} is empty, absolute, or has a segment that is not allowed`
  )
}
