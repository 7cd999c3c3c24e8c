import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { createLogger, type LoggerOptions } from '../../../../src/adapters/telemetry/index.ts'
import { ApiError, InvariantError } from '../../../../src/core/index.ts'

function capture(options: Partial<LoggerOptions> = {}) {
  const lines: string[] = []
  const log = createLogger(
    { level: 'debug', json: true, color: false, ...options },
    { clock: { now: () => Date.UTC(2026, 0, 2) }, write: line => lines.push(line) },
    { worker: 'enricher' }
  )
  const parsed = (): Record<string, unknown>[] => lines.map(line => JSON.parse(line))
  return { log, lines, parsed }
}

describe('logger', () => {
  it('writes one JSON object a line with time, level, message and bindings', () => {
    const { log, lines, parsed } = capture()
    log.child({ topic: 'raw', worker: 'other' }).info('batch\ndone', { offset: 12n, rows: 3 })
    assert.equal(lines[0]?.indexOf('\n'), (lines[0]?.length ?? 0) - 1)
    assert.deepEqual(parsed(), [
      {
        timestamp: '2026-01-02T00:00:00.000Z',
        level: 'info',
        message: 'batch\ndone',
        worker: 'other',
        topic: 'raw',
        offset: 12,
        rows: 3
      }
    ])
  })

  it('drops lines below the level', () => {
    const { log, lines } = capture({ level: 'warn' })
    log.debug('a')
    log.info('b')
    log.warn('c')
    log.error('d')
    assert.equal(lines.length, 2)
  })

  it('never writes secrets, presigned queries or payloads, in fields, texts, errors or causes', () => {
    const { log, lines } = capture()
    const secret = 's3cr3tvalue'
    const url = `https://files.example.com/a.jpg?X-Amz-Signature=${secret}&sign=${secret}`
    const cause = new Error(`GET ${url} with Authorization: Basic ${secret}`)
    log.info(`fetching ${url}`, { token: secret, api_key: secret, url, payload: secret })
    log.info('connection', {
      broker: `https://user:${secret}@host/path`,
      text: `password=${secret}`
    })
    log.error('failed', {}, new ApiError('API_REJECTED', `Bearer ${secret}`, { cause }))
    log.error('defect', {}, new Error(`sig=${secret}`))
    assert.ok(!lines.join('').includes(secret))
    assert.ok(lines[0]?.includes('https://files.example.com/a.jpg'))
  })

  it('gives code, class, remedy and details of an error, and the stack of a defect only', () => {
    const { log, parsed } = capture()
    const error = new ApiError('API_THROTTLED', 'too many', { details: { status: 429 } })
    log.error('call failed', { endpoint: 'E1' }, error)
    log.error('broken', {}, new InvariantError('INVARIANT', 'impossible'))
    log.error('broken', {}, new TypeError('x is not a function'))
    const [first, second, third] = parsed()
    assert.equal(first?.['error_code'], 'API_THROTTLED')
    assert.equal(first?.['error_category'], 'transient')
    assert.equal(first?.['status'], 429)
    assert.equal(first?.['stack'], undefined)
    assert.match(String(second?.['stack']), /impossible/)
    assert.equal(third?.['error_category'], 'unknown')
  })

  it('writes lines for people without letting a value forge a line or move the cursor', () => {
    const { log, lines } = capture({ json: false })
    log.warn('slow\u001b[2J', { path: 'a b\nINFO fake', n: 1 })
    assert.equal(lines.length, 1)
    assert.equal(lines[0], '00:00:00.000 WARN  slow [2J worker=enricher path="a b INFO fake" n=1\n')
  })
})
