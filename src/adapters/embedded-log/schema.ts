/**
 * The file: its identity, version and tables (docs/specs/embedded-log.md section 2). A file that is
 * not ours or of another version is refused; nothing is migrated in place.
 */
import { DatabaseSync } from 'node:sqlite'
import { BrokerError } from '../../core/index.ts'

/** `CLML`; SQLite's application_id. */
const APPLICATION_ID = 0x434c_4d4c
export const FORMAT_VERSION = 1

/** Offsets of one partition, and with `MAX_PARTITIONS` a record id that a double holds exactly. */
export const OFFSET_SPAN = 2 ** 40
export const MAX_PARTITIONS = 2 ** 12 - 1

const TABLES = `
CREATE TABLE topics (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, retention_ms INTEGER
) STRICT;
CREATE TABLE partitions (
  id INTEGER PRIMARY KEY, topic_id INTEGER NOT NULL REFERENCES topics (id),
  partition INTEGER NOT NULL, earliest INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  UNIQUE (topic_id, partition)
) STRICT;
CREATE TABLE records (
  id INTEGER PRIMARY KEY, timestamp INTEGER NOT NULL, key BLOB, value BLOB, headers TEXT
) STRICT;
CREATE TABLE groups (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL
) STRICT;
CREATE TABLE members (
  id INTEGER PRIMARY KEY, group_id INTEGER NOT NULL REFERENCES groups (id),
  member_id TEXT NOT NULL, topic_ids TEXT NOT NULL, session_timeout_ms INTEGER NOT NULL,
  beat INTEGER NOT NULL, process TEXT, UNIQUE (group_id, member_id)
) STRICT;
CREATE TABLE assignments (
  group_id INTEGER NOT NULL, partition_id INTEGER NOT NULL, member_id TEXT NOT NULL,
  PRIMARY KEY (group_id, partition_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE committed (
  group_id INTEGER NOT NULL, partition_id INTEGER NOT NULL, next_offset INTEGER NOT NULL,
  PRIMARY KEY (group_id, partition_id)
) STRICT, WITHOUT ROWID;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${FORMAT_VERSION};
`

/**
 * Opens the file, creates the tables when it is new, checks them when it is not. Throws SQLite's own
 * error when another process holds a lock (the caller tries again), `BROKER_FORMAT` for a foreign
 * file. Commits do not sync here: `durability.ts` does, off the event loop.
 */
export function openDatabase(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { timeout: 0 })
  try {
    checkIdentity(db, path)
    db.exec('PRAGMA journal_mode = WAL')
    db.exec('PRAGMA synchronous = NORMAL')
    db.exec('PRAGMA wal_autocheckpoint = 0')
    db.exec('PRAGMA cache_size = -8192')
    createTables(db, path)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

function createTables(db: DatabaseSync, path: string): void {
  // Also makes sure that the write-ahead log exists before its descriptor is opened for syncing.
  db.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have created the tables since the first look.
    if (checkIdentity(db, path) === 'empty') db.exec(TABLES)
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

function checkIdentity(db: DatabaseSync, path: string): 'empty' | 'ours' {
  const application = pragma(db, 'application_id')
  const version = pragma(db, 'user_version')
  const objects = Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] ?? 0)
  if (application === 0 && version === 0 && objects === 0) return 'empty'
  if (application !== APPLICATION_ID) {
    throw new BrokerError('BROKER_FORMAT', `${path} is an SQLite file, but no embedded log.`)
  }
  if (version !== FORMAT_VERSION) {
    throw new BrokerError(
      'BROKER_FORMAT',
      `${path} has format version ${version}; this release reads version ${FORMAT_VERSION}.`
    )
  }
  return 'ours'
}

function pragma(db: DatabaseSync, name: 'application_id' | 'user_version'): number {
  return Number(db.prepare(`PRAGMA ${name}`).get()?.[name] ?? 0)
}

/** Primary key of a record: partition id and offset in one integer, so that rows lie in offset order. */
export function recordId(partitionId: number, offset: number): number {
  return partitionId * OFFSET_SPAN + offset
}

/** Offset part of a record's primary key. */
export function offsetOf(id: number): number {
  return id % OFFSET_SPAN
}

/** An offset of the port as the number that the file holds; beyond the span it is clamped. */
export function offsetNumber(offset: bigint): number {
  if (offset < 0n) return 0
  return offset >= BigInt(OFFSET_SPAN) ? OFFSET_SPAN - 1 : Number(offset)
}
