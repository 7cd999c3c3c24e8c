/**
 * Tables made from seeds, with random types, features and histories, read by delta-rs, DuckDB, the Java
 * kernel and Spark: same schema, same rows, the newest version and older ones. This is a sample; many
 * more: `npm run interop -- --tables 1000 --seed 1`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openPython } from '../helpers/python.ts'
import { compareTables } from './generated/compare.ts'

const TABLES = 40
const SEED = 20_000

const { python, missing } = await openPython()

test(`${TABLES} generated tables are read alike by four other engines`, {
  skip: missing ?? false
}, async context => {
  assert.ok(python !== undefined)
  const seeds = Array.from({ length: TABLES }, (_, index) => SEED + index)
  const comparison = await compareTables(seeds, python)
  assert.deepEqual(comparison.differences, [])
  assert.ok(comparison.readings > 3 * TABLES)
  context.diagnostic(`seeds from ${SEED}, ${comparison.readings} readings`)
  context.diagnostic(`judges left out: ${JSON.stringify(comparison.blind)}`)
  context.diagnostic(`steps refused: ${JSON.stringify(comparison.refused)}`)
  context.diagnostic(`not written by ours: ${comparison.missing.join(', ')}`)
})
