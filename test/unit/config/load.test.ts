import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, it } from 'node:test'
import { effectiveSettings, type LoadOptions, loadConfig } from '../../../src/config/index.ts'

let dir: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'config-'))
})
afterEach(() => rmSync(dir, { recursive: true }))

function yaml(text: string): string {
  const file = join(dir, 'config.yaml')
  writeFileSync(file, text)
  return file
}

function load(environment: Record<string, string> = {}, options: LoadOptions = {}) {
  return loadConfig({ environment, baseDir: dir, ...options })
}

function problems(environment: Record<string, string>, options: LoadOptions = {}): string[] {
  try {
    load(environment, options)
  } catch (error) {
    assert.ok(error instanceof Error)
    assert.equal((error as Error & { code: string }).code, 'CONFIG_INVALID')
    return error.message
      .split('\n')
      .slice(1)
      .map(line => line.replace(/^ {2}- /, ''))
  }
  return []
}

describe('configuration', () => {
  it('has the documented defaults and puts directories below the data directory', () => {
    const config = load()
    assert.equal(config.dataDir, join(dir, '.claims-pipeline'))
    assert.equal(config.tablesPath, join(dir, '.claims-pipeline/tables'))
    assert.equal(config.filesPath, join(dir, '.claims-pipeline/files/claimx'))
    assert.equal(config.api.maxConcurrent, 20)
    assert.equal(config.api.timeoutSeconds, 30)
    assert.deepEqual(config.retry.delaysSeconds, [300, 600, 1200, 2400])
    assert.equal(config.files.allowedDomains.length, 6)
    assert.equal(config.production, false)
  })

  it('takes the environment before the file, the file before the default', () => {
    const file = yaml('api:\n  maxConcurrent: 7\n  timeoutSeconds: 11\n')
    const config = load({ CLAIMX_API_MAX_CONCURRENT: '9' }, { file })
    assert.equal(config.api.maxConcurrent, 9)
    assert.equal(config.api.timeoutSeconds, 11)
    assert.equal(config.api.rateLimitPerSecond, 10)
    assert.equal(config.origins['api.maxConcurrent'], 'environment CLAIMX_API_MAX_CONCURRENT')
    assert.equal(config.origins['api.timeoutSeconds'], `file ${file}`)
    assert.equal(config.origins['api.rateLimitPerSecond'], 'default')
  })

  it('accepts older names of a variable, the main name first', () => {
    assert.equal(load({ CLAIMX_API_CONCURRENCY: '3' }).api.maxConcurrent, 3)
    const both = load({ CLAIMX_API_CONCURRENCY: '3', CLAIMX_API_MAX_CONCURRENT: '4' })
    assert.equal(both.api.maxConcurrent, 4)
  })

  it('expands names, and names with a default, of the file from the environment', () => {
    const file = yaml(`api:
  token: \${MY_TOKEN}
  senderUsername: \${WHO:-nobody@example.com}
retry:
  delaysSeconds: [1, 2, "\${THIRD}", 9]
`)
    const config = load({ MY_TOKEN: 'c2VjcmV0', THIRD: '4' }, { file })
    assert.equal(config.api.token, 'c2VjcmV0')
    assert.equal(config.api.senderUsername, 'nobody@example.com')
    assert.deepEqual(config.retry.delaysSeconds, [1, 2, 4, 9])
  })

  it('reports every problem at once, each with its setting, value and what is allowed', () => {
    const file = yaml(`api:
  token: \${NOT_THERE}
  tiemoutSeconds: 3
topics: 4
batches: 1
`)
    const found = problems(
      { CLAIMX_API_MAX_CONCURRENT: '51', RETRY_DELAYS: '300,200,100,50', LOG_LEVEL: 'loud' },
      { file }
    )
    assert.equal(found.length, 7)
    const text = found.join('\n')
    assert.match(text, /CLAIMX_API_MAX_CONCURRENT: is "51", must be a whole number from 1 to 50/)
    assert.match(text, /RETRY_DELAYS: is "300,200,100,50", must be 4 positive numbers/)
    assert.match(text, /LOG_LEVEL: is "loud", must be one of debug, info, warn, error/)
    assert.match(text, /api\.token refers to \$\{NOT_THERE\}, which is not set/)
    assert.match(text, /api\.tiemoutSeconds is not a setting/)
    assert.match(text, /topics: a single value is not a setting/)
    assert.match(text, /batches is not a setting/)
  })

  it('suggests the setting whose spelling is meant', () => {
    const [problem] = problems({}, { file: yaml('api:\n  max_concurrent: 3\n') })
    assert.match(problem ?? '', /did you mean api\.maxConcurrent\?/)
  })

  it('reports a file that is missing, is not YAML, or is not a mapping', () => {
    assert.match(problems({}, { file: join(dir, 'no.yaml') })[0] ?? '', /cannot be read \(ENOENT\)/)
    assert.equal(problems({}, { file: yaml('a: [1') }).length, 1)
    assert.match(problems({}, { file: yaml('- 1\n') })[0] ?? '', /must be a mapping/)
    assert.equal(problems({}, { file: yaml('dataDir: a\ndataDir: b\n') }).length, 1)
  })

  it('never shows a secret, neither in problems nor in the effective values', () => {
    const config = load({ CLAIMX_API_TOKEN: 'c2VjcmV0' })
    const rows = effectiveSettings(config)
    assert.ok(!JSON.stringify(rows).includes('c2VjcmV0'))
    assert.equal(rows.find(row => row.setting === 'api.token')?.value, '(secret, set)')
    const wrong = problems({}, { file: yaml('api:\n  token: [hunter2]\n') })
    assert.equal(wrong.length, 1)
    assert.ok(!wrong.join().includes('hunter2'))
  })

  it('refuses what this release does not have', () => {
    assert.match(
      problems({ CLAIMS_TABLES_PATH: 'abfss://w@onelake.dfs.fabric.microsoft.com/l/Tables' })[0] ??
        '',
      /not available in this release yet/
    )
    assert.match(problems({ DISABLE_SSL_VERIFY: 'true' })[0] ?? '', /always checked/)
    assert.match(problems({ CLAIMS_TABLE_PATH: 'x' })[0] ?? '', /no such setting/)
  })

  it('refuses insecure localhost in production, by words and not by parts of words', () => {
    for (const name of ['production', 'PROD', 'eu-live', 'prod.eu']) {
      const found = problems({ ENVIRONMENT: name, CLAIMS_ALLOW_INSECURE_LOCALHOST: 'true' })
      assert.match(found[0] ?? '', /the environment is production/, name)
    }
    for (const name of ['productivity', 'delivery', 'reproduction', 'staging']) {
      const config = load({ ENVIRONMENT: name, CLAIMS_ALLOW_INSECURE_LOCALHOST: 'true' })
      assert.equal(config.production, false, name)
    }
    const other = problems({
      ENVIRONMENT: 'test',
      APP_ENV: 'live',
      CLAIMS_ALLOW_INSECURE_LOCALHOST: 'true'
    })
    assert.equal(other.length, 1)
  })

  it('refuses an API address that would send the token in the clear', () => {
    assert.equal(problems({ CLAIMX_API_URL: 'http://api.example.com' }).length, 1)
    assert.equal(problems({ CLAIMX_API_URL: 'api.example.com' }).length, 1)
    assert.equal(problems({ CLAIMX_API_URL: 'https://u:p@api.example.com' }).length, 1)
    assert.equal(load({ CLAIMX_API_URL: 'http://127.0.0.1:80/' }).api.url, 'http://127.0.0.1:80')
  })

  it('refuses a number of retries that disagrees with the delays', () => {
    assert.equal(problems({ MAX_RETRIES: '3' }).length, 1)
    assert.equal(problems({ MAX_RETRIES: '4' }).length, 0)
    assert.equal(problems({ RETRY_DELAYS: '5,10' }).length, 1)
  })

  it('normalises hosts and refuses anything that is not one', () => {
    const config = load({ ALLOWED_ATTACHMENT_DOMAINS: 'Files.Example.com., cdn.example.com' })
    assert.deepEqual(config.files.allowedDomains, ['files.example.com', 'cdn.example.com'])
    for (const wrong of ['*.example.com', 'https://example.com', 'example.com:443', 'a b']) {
      assert.equal(problems({ ALLOWED_ATTACHMENT_DOMAINS: wrong }).length, 1, wrong)
    }
  })

  it('lets options of the command line win, and freezes the result', () => {
    const config = load({ CLAIMS_DATA_DIR: 'a' }, { overrides: { dataDir: 'b' } })
    assert.equal(config.dataDir, join(dir, 'b'))
    assert.equal(config.cacheDir, join(dir, 'b/cache'))
    assert.throws(() => {
      ;(config.api as { maxConcurrent: number }).maxConcurrent = 1
    }, TypeError)
  })
})
