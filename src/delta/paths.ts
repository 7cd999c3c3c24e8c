/**
 * Paths of data files (PROTOCOL.md "Add File and Remove File"): URIs, relative to the table, or absolute
 * where a table refers to files of another one (a shallow clone).
 */
import { DeltaError } from '../core/index.ts'

const LOCAL_URI = /^file:\/*/i

/** `add.path` of a file: each segment URL-encoded, `=` kept as other writers do. */
export function encodePath(path: string): string {
  return path
    .split('/')
    .map(segment => encodeURIComponent(segment).replaceAll('%3D', '='))
    .join('/')
}

/** Two spellings of one local path, with and without the scheme, name the same file. */
export function canonicalPath(path: string): string {
  return LOCAL_URI.test(path) ? path.replace(LOCAL_URI, '/') : path
}

/**
 * The object path that `add.path` names, or an absolute path of the local disk. Refuses other schemes
 * (`DELTA_UNSUPPORTED`).
 */
export function decodePath(path: string, where: string): string {
  const canonical = canonicalPath(path)
  if (/^[a-z][a-z0-9+.-]*:/i.test(canonical)) {
    const scheme = canonical.slice(0, canonical.indexOf(':'))
    throw new DeltaError(
      'DELTA_UNSUPPORTED',
      `${where} refers to files of another store by absolute path (${scheme}:), which cannot be read`
    )
  }
  try {
    return decodeURIComponent(canonical)
  } catch {
    return canonical
  }
}
