/** TLS and SASL against a real broker: right credentials work, wrong ones are told clearly and not tried over and over. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, it } from 'node:test'
import { promisify } from 'node:util'
import {
  type KafkaLogOptions,
  openKafkaLog,
  type SaslOptions
} from '../../src/adapters/kafka/index.ts'
import { systemClock, systemIds } from '../../src/adapters/system/index.ts'
import { isPipelineError } from '../../src/core/index.ts'
import type { MessageLog } from '../../src/ports/index.ts'
import { startKafka } from '../helpers/kafka.ts'
import { recordTelemetry } from '../helpers/recorded-telemetry.ts'
import { waitUntil } from '../helpers/whole-pipeline.ts'

const run = promisify(execFile)
const PASSWORD = 'the-secret-of-alice'
const STORE_PASSWORD = 'changeit'
const REAUTHENTICATE_MS = 3000

const directory = mkdtempSync(join(tmpdir(), 'kafka-security-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const ca = await certificate().catch((error: unknown) => {
  if (process.env['CI'] === 'true') throw error
  return undefined
})
const login = 'org.apache.kafka.common.security'
const cluster =
  ca === undefined
    ? undefined
    : await startKafka({
        protocol: 'SASL_SSL',
        format: ['SCRAM-SHA-256', 'SCRAM-SHA-512'].flatMap(mechanism => [
          '--add-scram',
          `${mechanism}=[name=alice,password=${PASSWORD}]`
        ]),
        properties: {
          'sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER',
          'connections.max.reauth.ms': String(REAUTHENTICATE_MS),
          'ssl.keystore.type': 'PKCS12',
          'ssl.keystore.location': join(directory, 'broker.p12'),
          'ssl.keystore.password': STORE_PASSWORD,
          'listener.name.client.plain.sasl.jaas.config': `${login}.plain.PlainLoginModule required user_alice="${PASSWORD}";`,
          'listener.name.client.scram-sha-256.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
          'listener.name.client.scram-sha-512.sasl.jaas.config': `${login}.scram.ScramLoginModule required;`,
          'listener.name.client.oauthbearer.sasl.jaas.config': `${login}.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`
        }
      })
after(() => cluster?.close())

/** A certificate of the broker for 127.0.0.1, and itself as the authority. */
async function certificate(): Promise<Buffer> {
  const store = join(directory, 'broker.p12')
  const common = ['-keystore', store, '-storepass', STORE_PASSWORD, '-alias', 'broker']
  const names = ['-dname', 'CN=broker', '-ext', 'san=ip:127.0.0.1', '-validity', '30']
  await run('keytool', [
    '-genkeypair',
    '-keyalg',
    'RSA',
    '-storetype',
    'PKCS12',
    ...names,
    ...common
  ])
  const file = join(directory, 'ca.pem')
  await run('keytool', ['-exportcert', '-rfc', '-file', file, ...common])
  return readFileSync(file)
}

/** A token that the broker's validator for tests takes: signed by nobody (RFC 7519 section 6). */
function unsecuredToken(subject: string): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  const now = Math.floor(Date.now() / 1000)
  return `${part({ alg: 'none' })}.${part({ sub: subject, iat: now - 5, exp: now + 600 })}.`
}

if (cluster !== undefined && ca !== undefined) {
  const telemetry = recordTelemetry()
  const ports = { clock: systemClock(), ids: systemIds(), log: telemetry.log }
  const open = (sasl: SaslOptions, options: Partial<KafkaLogOptions> = {}): Promise<MessageLog> =>
    openKafkaLog(
      { bootstrapServers: cluster.bootstrapServers, tls: { ca }, sasl, ...options },
      ports
    )

  const passwords = (['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512'] as const).map(
    (mechanism): SaslOptions => ({ mechanism, username: 'alice', password: PASSWORD })
  )
  const token: SaslOptions = {
    mechanism: 'OAUTHBEARER',
    token: async () => unsecuredToken('alice')
  }

  describe('Kafka with TLS and SASL', { timeout: 120_000 }, () => {
    for (const sasl of [...passwords, token]) {
      it(`stores and reads records after ${sasl.mechanism}`, async () => {
        const log = await open(sasl)
        try {
          assert.equal(await roundTrip(log, `secured-${sasl.mechanism}`), 'kept')
        } finally {
          await log.close()
        }
      })
    }

    for (const sasl of passwords) {
      it(`is refused a wrong password of ${sasl.mechanism} at once, and does not print it`, async () => {
        const started = Date.now()
        const wrong = { ...sasl, password: 'not-the-secret' } as SaslOptions
        await assert.rejects(open(wrong), error => {
          assert.ok(isPipelineError(error))
          assert.equal(error.code, 'BROKER_ACCESS')
          assert.doesNotMatch(`${error.message} ${String(error.cause)}`, /not-the-secret/)
          return true
        })
        assert.ok(Date.now() - started < 10_000)
      })
    }

    it('says that a certificate is not trusted, and does not try again', async () => {
      const [plain] = passwords
      assert.ok(plain !== undefined)
      await assert.rejects(open(plain, { tls: {} }), error => {
        assert.ok(isPipelineError(error))
        assert.equal(error.code, 'BROKER_ACCESS')
        assert.match(error.message, /certificate/i)
        return true
      })
    })

    it('authenticates again with a fresh token before the session of the old one ends', async () => {
      let asked = 0
      const log = await open({
        mechanism: 'OAUTHBEARER',
        token: async () => {
          asked++
          return unsecuredToken('alice')
        }
      })
      try {
        await roundTrip(log, 'reauthenticated')
        const before = asked
        const producer = await log.producer()
        const enough = async (): Promise<boolean> => {
          await producer.send([{ topic: 'reauthenticated', value: 'again' }])
          return asked >= before + 3
        }
        await waitUntil(enough, 'three more tokens were asked for', 30_000)
      } finally {
        await log.close()
      }
    })

    it('asks a worker whose token is refused to wait, and not in a hot loop', async () => {
      let asked = 0
      let subject = 'alice'
      const log = await open({
        mechanism: 'OAUTHBEARER',
        token: async () => {
          asked++
          return subject === '' ? 'rubbish' : unsecuredToken(subject)
        }
      })
      try {
        await roundTrip(log, 'revoked')
        const consumer = await log.consumer({ groupId: 'revoked', topics: ['revoked'] })
        subject = ''
        const before = asked
        const refused = async (): Promise<boolean> =>
          await consumer.poll({ maxRecords: 1, timeoutMs: 100 }).then(
            () => false,
            error => isPipelineError(error) && error.retryable
          )
        await waitUntil(refused, 'the poll tells of it', 60_000)
        assert.ok(asked - before < 60, `asked ${asked - before} times`)
        await consumer.close()
      } finally {
        await log.close()
      }
    })
  })
}

async function roundTrip(log: MessageLog, topic: string): Promise<string> {
  await log.createTopics([{ name: topic, partitions: 1 }])
  const producer = await log.producer()
  await producer.send([{ topic, value: 'kept' }])
  const [record] = await log.read({ topic, partition: 0, offset: 0n }, 1)
  await producer.close()
  return Buffer.from(record?.value ?? []).toString()
}
