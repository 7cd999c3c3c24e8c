/**
 * An object store of your own: here one SQLite file holds whole Delta tables. Any storage will do that can
 * put an object if its name is free, and list names in order. Run it: node own-object-store.ts
 */
import { readFile } from 'node:fs/promises'
import { DatabaseSync } from 'node:sqlite'
import {
  checkObjectStore,
  DeltaError,
  type ObjectInfo,
  type ObjectStore,
  openDelta,
  type PutResult
} from 'claims-pipeline/delta'

class SqliteStore implements ObjectStore {
  readonly root: string
  readonly #db: DatabaseSync

  constructor(file: string) {
    this.root = `sqlite:${file}`
    this.#db = new DatabaseSync(file)
    // BLOB names compare byte by byte, which is the order that listings need.
    this.#db.exec(`CREATE TABLE IF NOT EXISTS objects
      (path BLOB PRIMARY KEY, modified INTEGER NOT NULL, bytes BLOB NOT NULL) WITHOUT ROWID`)
  }

  // One statement decides who of several writers stores the object: that is the commit of a Delta table.
  async put(
    path: string,
    bytes: Uint8Array,
    options: { ifAbsent?: boolean } = {}
  ): Promise<PutResult> {
    const verb = options.ifAbsent === true ? 'INSERT OR IGNORE' : 'INSERT OR REPLACE'
    const { changes } = this.#db
      .prepare(`${verb} INTO objects VALUES (?, ?, ?)`)
      .run(Buffer.from(path), Date.now(), bytes)
    return changes === 0 ? 'exists' : 'stored'
  }

  async putFile(path: string, localFile: string): Promise<number> {
    const bytes = await readFile(localFile)
    await this.put(path, bytes)
    return bytes.length
  }

  async get(path: string, range?: { start: number; end: number }): Promise<Uint8Array> {
    const row = this.#db.prepare('SELECT bytes FROM objects WHERE path = ?').get(Buffer.from(path))
    // The code matters: the engine asks for the next commit until it is told that there is none.
    if (row === undefined) throw new DeltaError('STORAGE_NOT_FOUND', `There is no ${path}`)
    return (row['bytes'] as Uint8Array).subarray(range?.start, range?.end)
  }

  async head(path: string): Promise<ObjectInfo | undefined> {
    const row = this.#db
      .prepare('SELECT length(bytes) AS size, modified FROM objects WHERE path = ?')
      .get(Buffer.from(path))
    if (row === undefined) return undefined
    return { path, size: Number(row['size']), modifiedAt: Number(row['modified']) }
  }

  async *list(prefix: string, options: { startAfter?: string } = {}): AsyncGenerator<ObjectInfo> {
    const rows = this.#db
      .prepare(
        'SELECT path, length(bytes) AS size, modified FROM objects WHERE path > ? AND substr(path, 1, ?) = ? ORDER BY path'
      )
      .all(Buffer.from(options.startAfter ?? ''), Buffer.byteLength(prefix), Buffer.from(prefix))
    for (const row of rows) {
      yield {
        path: Buffer.from(row['path'] as Uint8Array).toString(),
        size: Number(row['size']),
        modifiedAt: Number(row['modified'])
      }
    }
  }

  async delete(path: string): Promise<void> {
    this.#db.prepare('DELETE FROM objects WHERE path = ?').run(Buffer.from(path))
  }

  async close(): Promise<void> {
    this.#db.close()
  }
}

const store = new SqliteStore('tables.sqlite')

// Tries every sentence of the contract: worth a test of your own.
console.log('problems:', await checkObjectStore(store))

{
  // The engine copies files that it reads into a scratch directory, since DuckDB wants local ones.
  await using lake = await openDelta({ store })
  const notes = await lake.openOrCreate('notes', { columns: { id: 'string', note: 'string' } })
  await notes.merge([{ id: '1', note: 'in SQLite' }], { keys: ['id'] })
  console.log(await notes.read(), 'at', notes.location)
  console.log(await lake.list())
}
// A store that was passed in is closed by whoever made it.
await store.close()
