import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { redactError, redactText, redactUrl, urlWithoutQuery } from '../../../src/core/index.ts'

const secretNames = [
  'sig',
  'signature',
  'sign',
  'sv',
  'se',
  'st',
  'sp',
  'sr',
  'spr',
  'x-amz-signature',
  'x-amz-credential',
  'x-amz-security-token',
  'token',
  'access_token',
  'api_key',
  'apikey',
  'key',
  'secret',
  'password',
  'pwd',
  'auth',
  'authorization'
]

test('masks every listed parameter in any spelling of its name', () => {
  for (const name of secretNames) {
    for (const spelling of [name, name.toUpperCase(), name.replaceAll('-', '%2D')]) {
      const url = `https://h.example/p?a=1&${spelling}=CANARY%2F1&b=2`
      assert.ok(!redactUrl(url).includes('CANARY'), spelling)
      assert.ok(redactUrl(url).includes('a=1') && redactUrl(url).includes('b=2'), spelling)
    }
  }
})

test('masks user information, headers and connection strings in texts', () => {
  const text =
    'GET https://user:CANARY@h.example/x failed; Authorization: Basic Q0FOQVJZ, Bearer CANARY.abc; AccountKey=CANARY== end'
  const safe = redactText(text)
  assert.ok(!safe.includes('CANARY'), safe)
  assert.ok(!safe.includes('Q0FOQVJZ'), safe)
  assert.ok(safe.endsWith('end'))
})

test('a redacted error keeps name, code and causes, and drops stack and other properties', () => {
  const cause = Object.assign(new Error('bad https://h/x?X-Amz-Signature=CANARY'), {
    code: 'ECONNRESET',
    request: { url: 'CANARY' }
  })
  const safe = redactError(new TypeError('failed sign=CANARY', { cause }))
  const seen = `${safe.name} ${safe.message} ${safe.stack} ${JSON.stringify(safe.cause)} ${(safe.cause as Error).stack}`
  assert.ok(!seen.includes('CANARY'), seen)
  assert.equal(safe.name, 'TypeError')
  assert.equal((safe.cause as { code?: string }).code, 'ECONNRESET')
  assert.equal('request' in (safe.cause as object), false)
})

test('no secret value survives, wherever the parameter stands', () => {
  const value = fc.stringMatching(/^[A-Za-z0-9+/%_.~-]{8,40}$/).map(text => `CANARY${text}`)
  fc.assert(
    fc.property(fc.constantFrom(...secretNames), value, fc.webUrl(), (name, secret, url) => {
      const safe = redactText(`prefix ${url}?q=1&${name}=${secret}&z=2 suffix`)
      assert.ok(!safe.includes('CANARY'), safe)
    })
  )
})

test('an URL without its query keeps host and path only', () => {
  assert.equal(urlWithoutQuery('https://u:p@h.example/a/b?x=1#y'), 'https://***@h.example/a/b')
})
