import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'

const root = join(import.meta.dirname, '../..')

interface Manifest {
  readonly dependencies: Readonly<Record<string, string>>
  readonly devDependencies: Readonly<Record<string, string>>
}

const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

describe('package', () => {
  it('has exactly the runtime dependencies that docs/dependencies.md gives a reason for', () => {
    const names = Object.keys(manifest.dependencies)
    assert.deepEqual(names, [
      '@azure/identity',
      '@duckdb/node-api',
      '@platformatic/kafka',
      'undici',
      'yaml'
    ])
    const reasons = readFileSync(join(root, 'docs/dependencies.md'), 'utf8')
    for (const name of [...names, ...Object.keys(manifest.devDependencies)]) {
      assert.ok(reasons.includes(`\`${name}\``), `docs/dependencies.md lacks ${name}`)
    }
  })

  it('pins every version exactly', () => {
    const all = { ...manifest.dependencies, ...manifest.devDependencies }
    for (const [name, version] of Object.entries(all)) {
      assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name)
    }
  })

  it('has a lockfile without addresses of a registry or of a machine', () => {
    const lockfile = readFileSync(join(root, 'package-lock.json'), 'utf8')
    assert.ok(!lockfile.includes('"resolved"'))
    assert.ok(
      !/https?:\/\/(?!(github\.com|opencollective\.com|feross\.org|www\.patreon\.com|[\w.]*tidelift\.com))/.test(
        lockfile
      )
    )
  })

  it('installs the same Node everywhere', () => {
    const wanted = manifest.devDependencies['node'] ?? ''
    const launcher = readFileSync(join(root, 'bin/claims-pipeline.js'), 'utf8')
    assert.ok(launcher.includes(`wantedVersion = '${wanted}'`))
  })
})
