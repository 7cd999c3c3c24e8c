import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { DemoReport } from '../../../src/app/index.ts'
import { demoReportLines } from '../../../src/cli/demo-report-text.ts'

const report: DemoReport = {
  ok: true,
  events: 2000,
  seconds: 8.25,
  eventsPerSecond: 242.4,
  apiCalls: 900,
  apiCallsFloor: 880,
  peakRssBytes: 400e6,
  tables: { claimx_events: 1960, claimx_projects: 199 },
  files: 553,
  bytes: 82_779_670,
  deadLetters: 12,
  checks: [
    { name: 'files', ok: true, detail: 'every SHA-256 as in ClaimX' },
    { name: 'lag', ok: true, detail: '' }
  ],
  scenario: { events: 2000, projects: 200, seed: 1, faults: 'heavy' },
  resumed: false,
  runs: 1,
  dataDir: '/data/a demo',
  deadLettersByTopic: { 'claimx.events.dlq': 2, 'claimx.enrichment.dlq': 10, other: 0 },
  naiveApiCalls: 1800,
  distinctApiCalls: 879,
  callsByEndpoint: {},
  answers: {},
  faultsInjected: Object.fromEntries(
    Array.from({ length: 12 }, (_, n) => [`api_server_error_${n}`, n])
  ),
  stages: [
    {
      worker: 'ingester',
      received: 2_000_000,
      done: 2_000_000,
      skipped: 0,
      retried: 0,
      dead: 12,
      batches: 3,
      busySeconds: 0.3
    }
  ],
  latencies: { apiCall: { count: 900, p50: 0.019, p95: 0.049, p99: 0.1, max: 1.25 } },
  expected: {
    deliveries: 2000,
    distinctEvents: 1960,
    duplicates: 38,
    malformed: 2,
    byType: { PROJECT_CREATED: 101 },
    byOutcome: { success: 1931, skipped: 18, failed_permanent: 11 },
    files: 553,
    bytes: 82_779_670,
    refusedMedia: 1,
    naiveApiCalls: 1800,
    distinctApiCalls: 879
  },
  cpuSeconds: 10
}
const plain = { color: false, width: 80 }

describe('report of the demo', () => {
  it('fits into 80 columns and has no colours unless asked for', () => {
    const lines = demoReportLines(report, plain)
    // The command to copy stays in one piece.
    for (const line of lines.filter(text => !/tables read|Delta tables are/.test(text))) {
      assert.ok(line.length <= 80, line)
    }
    assert.doesNotMatch(lines.join(''), /\u001b/)
    assert.match(demoReportLines(report, { ...plain, color: true }).join(''), /\u001b\[32m/)
  })

  it('says what came in, what it became, what it cost and what failed', () => {
    const text = demoReportLines(report, plain).join('\n')
    assert.match(text, /2,000 events for 200 claims: 1,960 distinct, 38 repeated, 2 unreadable/)
    assert.match(text, /claimx_events +1,960/)
    assert.match(text, /900 API calls; the same events one by one: 1,800 \(50 % saved\)/)
    assert.match(text, /up to 19 ms, 95 % up to 49 ms, the slowest 1\.3 s/)
    assert.match(text, /1 api server error 1, 2 api server error 2/)
    assert.match(text, /Dead letters: 12\n {4}claimx\.events\.dlq: 2\n/)
    assert.doesNotMatch(text, /other: 0/)
    assert.match(text, /They belong there/)
  })

  it('ends in OK and a command to copy, or in what differs', () => {
    const good = demoReportLines(report, plain).join('\n')
    assert.match(good, /OK: all 2 checks/)
    assert.match(good, /tables read claimx_projects --limit 5 --data-dir '\/data\/a demo'$/)
    const checks = [{ name: 'files', ok: false, detail: `${'x'.repeat(90)}\u001b[2J` }]
    const bad = demoReportLines({ ...report, ok: false, checks }, plain).join('\n')
    assert.match(bad, /NOT OK: 1 of 1 checks differ/)
    assert.match(bad, /x{90}·\[2J/, 'what differs is shown whole, and harmless')
    assert.doesNotMatch(bad, /They belong there/)
  })
})
