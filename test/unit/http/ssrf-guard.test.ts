import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isPipelineError } from '../../../src/core/index.ts'
import { isPublicIp, type ResolvedAddress, SsrfGuard } from '../../../src/http/index.ts'

const allowedHosts = ['files.example.com', 'www.claimxperience.com', '10.0.0.5', '[::1]', '8.8.8.8']
const guard = new SsrfGuard({ allowedHosts, allowInsecureLocalhost: false })
const localGuard = new SsrfGuard({ allowedHosts, allowInsecureLocalhost: true })

/** The list even names private addresses, so that the address check is seen to hold by itself. */
const hostile = [
  // scheme
  'http://files.example.com/a.jpg',
  'ftp://files.example.com/a.jpg',
  'file:///etc/passwd',
  'gopher://files.example.com/',
  'data:text/plain,x',
  'javascript:alert(1)',
  'blob:https://files.example.com/x',
  'ws://files.example.com/',
  '//files.example.com/a.jpg',
  'files.example.com/a.jpg',
  '',
  // host
  'https://evil.example/a.jpg',
  'https://files.example.com.evil.example/a.jpg',
  'https://evil-files.example.com/a.jpg',
  'https://sub.files.example.com/a.jpg',
  'https://example.com/files.example.com',
  'https://evil.example#files.example.com',
  'https://evil.example?files.example.com',
  'https://evil.example/?x=https://files.example.com/',
  'https://evil.example\\files.example.com/',
  'https:\\\\files.example.com\\a.jpg',
  'https://files.example.com..evil.example/',
  'https://files.example.com../',
  'https://fіles.example.com/a.jpg', // Cyrillic letter
  'https://files%2eexample.com.evil.example/',
  'https://files.example.com%00.evil.example/',
  'https://files.example.com%2f@evil.example/',
  'https://exa\tmple.com/',
  'https://files.example.com\n.evil.example/',
  'https://files.example.com\r\nHost: evil.example/',
  'https://[files.example.com]/',
  'https:///evil.example/',
  // user information
  'https://files.example.com@evil.example/',
  'https://evil.example@files.example.com/',
  'https://user:pass@files.example.com/a.jpg',
  'https://@files.example.com/a.jpg',
  'https://:@files.example.com/a.jpg',
  'https://files.example.com:443@evil.example/',
  'https:files.example.com@evil.example/',
  // port
  'https://files.example.com:8443/a.jpg',
  'https://files.example.com:22/',
  'https://files.example.com:80/',
  'https://files.example.com:65536/',
  'https://files.example.com:0/',
  // names of this machine and of metadata services
  'https://localhost/',
  'https://LOCALHOST/',
  'https://localhost./',
  'https://metadata.google.internal/computeMetadata/v1/',
  'https://metadata.aws.internal/latest/meta-data/',
  'https://metadata/',
  // addresses in many spellings
  'https://127.0.0.1/',
  'https://127.1/',
  'https://0/',
  'https://0.0.0.0/',
  'https://2130706433/',
  'https://0x7f000001/',
  'https://0x7f.0.0.1/',
  'https://0177.0.0.1/',
  'https://017700000001/',
  'https://127.0.0.1./',
  'https://10.0.0.5/',
  'https://0xa000005/',
  'https://012.0.0.5/',
  'https://169.254.169.254/latest/meta-data/',
  'https://2852039166/',
  'https://0xA9FEA9FE/',
  'https://169.254.43518/',
  'https://[::1]/',
  'https://[0:0:0:0:0:0:0:1]/',
  'https://[::]/',
  'https://[::ffff:127.0.0.1]/',
  'https://[::ffff:7f00:1]/',
  'https://[::ffff:a9fe:a9fe]/',
  'https://[::127.0.0.1]/',
  'https://[64:ff9b::a9fe:a9fe]/',
  'https://[2002:7f00:1::]/',
  'https://[fe80::1]/',
  'https://[fe80::1%25eth0]/',
  'https://[fd00:ec2::254]/',
  'https://[ff02::1]/',
  'https://①②⑦.⓪.⓪.①/',
  'https://127。0。0。1/'
]

test('refuses every hostile URL as URL_REFUSED, permanently', () => {
  assert.ok(hostile.length >= 60)
  for (const url of hostile) {
    assert.throws(
      () => guard.check(url),
      error => isPipelineError(error) && error.code === 'URL_REFUSED' && !error.retryable,
      url
    )
  }
})

test('the test mode opens nothing but localhost', () => {
  const local =
    /^https:\/\/(localhost|127|0177|0x7f|2130706433|017700000001|\[::1\]|\[0:0|①|LOCALHOST)/
  for (const url of hostile) {
    if (local.test(url)) continue
    assert.throws(() => localGuard.check(url), url)
  }
  assert.equal(localGuard.check('http://localhost:8080/a.jpg').port, '8080')
  for (const url of [
    'http://localhost:8080/a/%2e%2e%2fb',
    'http://localhost/x?u=file:///etc/passwd',
    'http://localhost/x?u=gopher%3A%2F%2Fh',
    'http://user@localhost/x',
    'ftp://localhost/x'
  ]) {
    assert.throws(() => localGuard.check(url), url)
  }
})

test('accepts the allowed hosts, whatever the case or a trailing dot', () => {
  for (const url of [
    'https://files.example.com/a.jpg?X-Amz-Signature=1',
    'https://FILES.Example.com/a.jpg',
    'https://files.example.com./a.jpg',
    'https://files.example.com:443/a b.jpg',
    'https://8.8.8.8/a.jpg'
  ]) {
    assert.ok(guard.check(url), url)
  }
  assert.equal(guard.check('https://files.example.com./a#frag').href, 'https://files.example.com/a')
})

test('checks a redirect like a first URL and never leaves https', () => {
  const from = guard.check('https://www.claimxperience.com/get/1')
  assert.equal(guard.check('/other?x=1', from).href, 'https://www.claimxperience.com/other?x=1')
  assert.equal(guard.check('//files.example.com/a', from).hostname, 'files.example.com')
  for (const target of [
    'http://files.example.com/a',
    'https://evil.example/',
    '//evil.example/',
    'https://169.254.169.254/',
    '//user@files.example.com/'
  ]) {
    assert.throws(() => guard.check(target, from), target)
  }
  const secure = localGuard.check('https://files.example.com/a')
  assert.throws(() => localGuard.check('http://localhost/a', secure))
})

test('errors hold neither path nor query of the URL', () => {
  assert.throws(
    () => guard.check('https://evil.example/CANARY?sign=CANARY'),
    error => error instanceof Error && !error.message.includes('CANARY')
  )
})

const notPublic = [
  '0.0.0.0',
  '0.1.2.3',
  '10.1.2.3',
  '100.64.0.1',
  '100.127.255.255',
  '127.0.0.1',
  '127.255.255.255',
  '168.63.129.16',
  '169.254.169.254',
  '172.16.0.1',
  '172.31.255.255',
  '192.0.0.1',
  '192.0.2.1',
  '192.88.99.1',
  '192.168.1.1',
  '198.18.0.1',
  '198.19.255.255',
  '198.51.100.1',
  '203.0.113.1',
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '::',
  '::1',
  '::ffff:8.8.8.8',
  '::8.8.8.8',
  '64:ff9b::808:808',
  '64:ff9b:1::1',
  '100::1',
  '2001::1',
  '2001:db8::1',
  '2002:808:808::',
  '3fff::1',
  'fc00::1',
  'fd00:ec2::254',
  'fe80::1',
  'fe80::1%eth0',
  'fec0::1',
  'ff02::1',
  '5f00::1',
  '',
  '1.2.3',
  '1.2.3.4.5',
  '01.2.3.4',
  '0x1.2.3.4',
  '1.2.3.256',
  ' 8.8.8.8',
  '8.8.8.8 ',
  '1:2:3',
  '2607::1::2',
  '2607:g::1',
  '12345::1',
  'example.com'
]

test('takes no special, private or unreadable address for public', () => {
  for (const address of notPublic) assert.equal(isPublicIp(address), false, address)
  for (const address of ['8.8.8.8', '52.218.1.1', '100.63.255.255', '172.32.0.1', '2607:f8b0::1']) {
    assert.equal(isPublicIp(address), true, address)
  }
})

function connect(
  lookup: ReturnType<SsrfGuard['lookup']>,
  hostname: string
): Promise<string | readonly ResolvedAddress[]> {
  return new Promise((resolve, reject) => {
    lookup(hostname, { all: true }, (error, addresses) => {
      if (error === null) resolve(addresses as string | readonly ResolvedAddress[])
      else reject(error)
    })
  })
}

test('the connection gets exactly the addresses that were checked, from one resolution', async () => {
  const answers = [
    [{ address: '52.218.1.1', family: 4 }],
    [{ address: '169.254.169.254', family: 4 }]
  ]
  let asked = 0
  const lookup = guard.lookup((_host, done) => done(null, answers[asked++] ?? []))
  assert.deepEqual(await connect(lookup, 'files.example.com'), answers[0])
  assert.equal(asked, 1)
  await assert.rejects(connect(lookup, 'files.example.com'), { code: 'URL_REFUSED' })
})

test('one bad address among good ones refuses the name; no address does too', async () => {
  const mixed = guard.lookup((_host, done) =>
    done(null, [
      { address: '52.218.1.1', family: 4 },
      { address: '::ffff:10.0.0.1', family: 6 }
    ])
  )
  await assert.rejects(connect(mixed, 'files.example.com'), { code: 'URL_REFUSED' })
  const none = guard.lookup((_host, done) => done(null, []))
  await assert.rejects(connect(none, 'files.example.com'), { code: 'URL_REFUSED' })
})

test('in the test mode localhost must be this machine and other names must not', async () => {
  const loop = localGuard.lookup((_host, done) => done(null, [{ address: '127.0.0.1', family: 4 }]))
  assert.equal((await connect(loop, 'localhost')).length, 1)
  await assert.rejects(connect(loop, 'files.example.com'), { code: 'URL_REFUSED' })
  const far = localGuard.lookup((_host, done) => done(null, [{ address: '8.8.8.8', family: 4 }]))
  await assert.rejects(connect(far, 'localhost'), { code: 'URL_REFUSED' })
})
