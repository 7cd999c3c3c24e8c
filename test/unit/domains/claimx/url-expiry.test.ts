import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseInstant, redactText, redactUrl } from '../../../../src/core/index.ts'
import { expiresAtOf, isExpired, withoutQuery } from '../../../../src/domains/claimx/index.ts'
import { LINK } from '../../../helpers/claimx-fixtures.ts'

const at = parseInstant('2026-01-01T01:00:00Z')
const claimxQuery = 'systemDate=1767225600000&expires=3600000&sign=x'

describe('when a presigned URL expires', () => {
  it('is computed for every kind of link', () => {
    const s3 = 'https://b.s3.us-east-1.amazonaws.com/k'
    const cases: [string, bigint | undefined][] = [
      [`${s3}?X-Amz-Date=20260101T000000Z&X-Amz-Expires=3600&X-Amz-Signature=s`, at],
      [`${s3}?x-amz-date=20260101T000000Z&x-amz-expires=3600`, at],
      [`${s3}?AWSAccessKeyId=A&Expires=1767229200&Signature=s`, at],
      [LINK, at],
      [`https://files.claimxperience.com/f?${claimxQuery}`, at],
      ['https://a.blob.core.windows.net/c/f?sv=1&se=2026-01-01T01%3A00%3A00Z&sig=s', at],
      [`https://evilclaimxperience.com/f?${claimxQuery}`, undefined],
      [`${s3}?X-Amz-Date=20260101T000000Z`, undefined],
      [`${s3}?X-Amz-Date=20261301T000000Z&X-Amz-Expires=3600`, undefined],
      [`${s3}?X-Amz-Date=yesterday&X-Amz-Expires=3600`, undefined],
      ['https://www.claimxperience.com/f?systemDate=x&expires=1', undefined],
      ['https://www.claimxperience.com/f?systemDate=1&expires=-1', undefined],
      ['https://example.com/file.jpg', undefined],
      ['not a url', undefined]
    ]
    for (const [url, expected] of cases) assert.equal(expiresAtOf(url), expected, url)
  })

  it('is recognised on other hosts by the path of the file service', () => {
    const host = 'http://127.0.0.1:8080'
    assert.equal(expiresAtOf(`${host}/get/1?${claimxQuery}`), undefined)
    assert.equal(expiresAtOf(`${host}/service/cxfileservice/get/1?${claimxQuery}`), at)
  })

  it('counts as over from a minute before, and never when unknown', () => {
    const expiry = at ?? 0n
    assert.equal(isExpired(expiry, expiry - 60_000_001n), false)
    assert.equal(isExpired(expiry, expiry - 60_000_000n), true)
    assert.equal(isExpired(null, expiry), false)
    assert.equal(isExpired(undefined, expiry), false)
  })
})

describe('mentioning a URL', () => {
  it('drops query, fragment and user information', () => {
    assert.equal(withoutQuery('https://u:p@h/p/f.jpg?sign=S#x'), 'https://h/p/f.jpg')
    assert.equal(withoutQuery('https://h/p@q'), 'https://h/p@q')
    assert.equal(withoutQuery('plain'), 'plain')
  })

  it('redacts the values of all secret parameters, in any case and place', () => {
    const secret = 'TOPSECRET'
    const names = `sig signature sign sv se st sp sr spr x-amz-signature X-Amz-Credential
      X-Amz-Security-Token token access_token api_key apikey key secret password pwd auth
      Authorization s%69gn`.split(/\s+/)
    for (const name of names) {
      const url = `https://h/f?a=1&${name}=${secret}&b=2`
      assert.ok(!redactUrl(url).includes(secret), name)
      assert.ok(!redactText(`cannot get ${url}, sorry`).includes(secret), name)
    }
    assert.equal(redactUrl('https://h/f?a=1&b=2'), 'https://h/f?a=1&b=2')
    assert.ok(!redactText(LINK).includes('SECRET'))
    assert.equal(redactText('Basic dXNlcjpwYXNz is refused'), 'Basic *** is refused')
    assert.ok(!redactUrl(`https://user:${secret}@h/f`).includes(secret))
  })
})
