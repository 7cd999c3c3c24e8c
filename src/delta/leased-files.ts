/** Data files at hand for the engine: local copies, with the positions of their deleted rows. */
import type { AddAction } from './actions.ts'
import type { Lease } from './data-files.ts'
import type { DataFile } from './parquet-engine.ts'
import { objectPath } from './table-files.ts'
import type { TableLog } from './table-log.ts'

/** What must be known of a file to read it. */
export type LeasableFile = Pick<
  AddAction,
  'path' | 'size' | 'partitionValues' | 'deletionVector' | 'baseRowId' | 'defaultRowCommitVersion'
>

export interface LeasedFiles {
  /** In the order of the actions. */
  readonly files: DataFile[]
  release(): void
}

/** Runs `use` while the files are at hand. */
export async function withFiles<T>(
  log: TableLog,
  adds: readonly LeasableFile[],
  use: (files: DataFile[]) => Promise<T>
): Promise<T> {
  const leased = await leaseFiles(log, adds)
  try {
    return await use(leased.files)
  } finally {
    leased.release()
  }
}

export async function leaseFiles(
  log: TableLog,
  adds: readonly LeasableFile[]
): Promise<LeasedFiles> {
  const leases: Lease[] = []
  const release = (): void => {
    for (const lease of leases) lease.release()
  }
  try {
    const files: DataFile[] = []
    for (const add of adds) {
      const lease = await log.data.lease(objectPath(log.path, add))
      leases.push(lease)
      const { size, partitionValues, baseRowId, defaultRowCommitVersion: commitVersion } = add
      const deleted = add.deletionVector == null ? undefined : await log.vectors.load(add)
      files.push({
        localPath: lease.localPath,
        size,
        partitionValues,
        ...(deleted === undefined ? {} : { deleted }),
        ...(baseRowId == null ? {} : { baseRowId }),
        ...(commitVersion == null ? {} : { commitVersion })
      })
    }
    return { files, release }
  } catch (error) {
    release()
    throw error
  }
}
