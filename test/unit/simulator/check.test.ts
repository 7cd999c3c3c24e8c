import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkTable, entityExpectations } from '../../../src/simulator/check-tables.ts'
import { type Check, checkEndState, createWorld } from '../../../src/simulator/index.ts'
import { collectTruth } from '../../../src/simulator/truth.ts'
import { perfectState, rowsOf, type State, type TestRow, viewOf } from './perfect-state.ts'

const world = createWorld({
  seed: 11,
  projects: 40,
  events: 500,
  malformed: 0.03,
  missing: 0.02,
  refused: 0.02,
  mediaScale: 0.02
})

const perfect = perfectState(world)

async function failures(damage: (state: State) => void): Promise<Check[]> {
  const state = structuredClone(perfect)
  damage(state)
  return (await checkEndState(world, viewOf(state))).filter(check => !check.ok)
}

/** The damage shows in the named check alone, with the text. */
async function shows(name: string, text: RegExp, damage: (state: State) => void): Promise<void> {
  const found = await failures(damage)
  assert.deepEqual(
    found.map(check => check.name),
    [name]
  )
  assert.match(found[0]!.detail, text)
}

test('A perfect end state passes every check', async () => {
  const checks = await checkEndState(world, viewOf(perfect))
  assert.deepEqual(
    checks.filter(check => !check.ok),
    []
  )
  assert.ok(checks.length >= 20)
  const rows = checks.find(check => check.name === 'claimx_projects: rows')
  assert.match(rows!.detail, /^\d\d rows/)
})

test('A missing row of each entity table is found', async () => {
  for (const table of perfect.tables.keys()) {
    if (table === 'claimx_events' || table === 'claimx_attachments') continue
    const found = await failures(state => rowsOf(state, table).pop())
    assert.equal(found.length, 1, table)
    assert.match(found[0]!.detail, /is missing|is not logged/, table)
  }
})

test('A doubled key of each table is found', async () => {
  for (const table of perfect.tables.keys()) {
    const found = await failures(state => rowsOf(state, table).push(rowsOf(state, table)[0]!))
    assert.equal(found.length, 1, table)
    assert.match(found[0]!.detail, /more than once/, table)
  }
})

test('A row that no event asked for is found', async () => {
  await shows('claimx_tasks: rows', /row 999 should not exist/, state =>
    rowsOf(state, 'claimx_tasks').push({ ...rowsOf(state, 'claimx_tasks')[0]!, task_id: 999 })
  )
})

/** Loses a value of the column, or puts one where none belongs. */
function damageColumn(rows: TestRow[], column: string): void {
  const filled = rows.find(row => row[column] !== null)
  const row = filled ?? rows[0]!
  row[column] = filled === undefined ? 'something' : null
}

test('A changed value of any column of an entity table is found', async () => {
  const small = createWorld({ seed: 3, projects: 8, events: 160, mediaScale: 0.02 })
  const state = perfectState(small)
  for (const expectation of entityExpectations(small, collectTruth(small))) {
    const { table, sample } = expectation
    for (const column of Object.keys(sample)) {
      const damaged = structuredClone(state)
      damageColumn(rowsOf(damaged, table), column)
      const checks = await checkTable(viewOf(damaged), expectation)
      // Nothing can be lost where the API said nothing unknown.
      if (column === 'extra' && rowsOf(state, table).every(row => row['extra'] === null)) continue
      assert.ok(
        checks.some(check => !check.ok),
        `${table}.${column}`
      )
    }
  }
})

test('A changed value of any column of the events, the log or the inventory is found', async () => {
  for (const table of ['claimx_events', 'claimx_event_log', 'claimx_attachments']) {
    for (const column of Object.keys(rowsOf(perfect, table)[0]!)) {
      const found = await failures(state => damageColumn(rowsOf(state, table), column))
      assert.notEqual(found.length, 0, `${table}.${column}`)
    }
  }
})

test('An erased policyholder patch is found', async () => {
  await shows('claimx_projects: values', /policyholder_invited_at: expected \d+, found null/, s => {
    rowsOf(s, 'claimx_projects').find(row => row['policyholder_invited_at'] !== null)![
      'policyholder_invited_at'
    ] = null
  })
})

test('A lost event shows in the event table, and one without id too', async () => {
  await shows('claimx_events', /event .* is missing/, state => {
    const rows = rowsOf(state, 'claimx_events')
    rows.splice(
      rows.findIndex(row => !String(row['event_id']).startsWith('derived')),
      1
    )
  })
  const found = await failures(state => {
    const rows = rowsOf(state, 'claimx_events')
    rows.splice(
      rows.findIndex(row => String(row['event_id']).startsWith('derived')),
      1
    )
  })
  assert.match(found[0]!.detail, /event without id \(.*\) is missing/)
})

test('A success that should have failed is found', async () => {
  await shows('claimx_event_log', /status: expected "failed_permanent", found "success"/, state => {
    const row = rowsOf(state, 'claimx_event_log').find(r => r['status'] === 'failed_permanent')!
    row['status'] = 'success'
  })
})

test('A wrong file, a short file, a lost file and an orphan are found', async () => {
  await shows('files', /expected SHA-256/, state => {
    state.files.values().next().value!.sha256 = '00'
  })
  await shows('files', /bytes, found 7/, state => {
    state.files.values().next().value!.size = 7
  })
  await shows('files', /does not exist/, state => {
    state.files.delete(state.files.keys().next().value!)
  })
  await shows('no file beyond these', /tmp-1 \(3 bytes\)/, state => {
    state.files.set('tmp-1', { size: 3, sha256: '' })
  })
})

test('Two media on one path are found', async () => {
  const found = await failures(state => {
    const [first, second] = rowsOf(state, 'claimx_attachments')
    second!['blob_path'] = first!['blob_path']!
  })
  assert.match(found[0]!.detail, /share the path|blob_path/)
})

test('A signature left in the inventory is found', async () => {
  await shows('claimx_attachments', /no query/, state => {
    const [row] = rowsOf(state, 'claimx_attachments')
    row!['download_url'] = `${row!['download_url']}?sign=abc`
  })
})

test('A dead letter too many and a lost one are found, in each topic', async () => {
  for (const topic of ['claimx.events.dlq', 'claimx.enrichment.dlq', 'claimx.downloads.dlq']) {
    await shows(topic, /should not be here|keeps no event/, state => {
      state.letters.push({ topic, value: '{"event_id":"x","media_id":"1","original_value":"?"}' })
    })
    await shows(topic, /is missing|are not kept/, state => {
      // Duplicated events may leave several letters: drop all with this value.
      const { value } = state.letters.find(letter => letter.topic === topic)!
      state.letters = state.letters.filter(letter => letter.value !== value)
    })
  }
})

test('A full cache and messages left over are found', async () => {
  await shows('cache', /half\.jpg is left/, state => state.cache.push('half.jpg'))
  await shows('lag', /3 messages/, state => {
    state.lag = 3
  })
})

test('At most ten differences are written out, with the number of the rest', async () => {
  await shows('claimx_contacts: rows', /; and \d+ more$/, state => {
    rowsOf(state, 'claimx_contacts').length = 0
  })
})

test('A table that cannot be read fails its check and no other', async () => {
  const found = await failures(state => state.tables.delete('claimx_tasks'))
  assert.deepEqual(found, [
    { name: 'claimx_tasks', ok: false, detail: 'could not be checked: no table claimx_tasks' }
  ])
})
