import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RateController } from '../../../src/http/index.ts'
import { run, type Scenario } from './rate-scenarios.ts'

/** A hidden limit that moves: 100, then 40, then 80 calls per second, 30 s each. */
const moving = (seconds: number) => (seconds < 30 ? 100 : seconds < 60 ? 40 : 80)
const until = (end: number, perSecond: number) => (seconds: number) =>
  seconds < end ? perSecond : undefined

/** A volley of `calls` sent from `sentAt` on, all refused, 10 ms later. */
function refuse(rate: RateController, sentAt: number, calls: number): void {
  for (let i = 0; i < calls; i += 1) rate.onThrottled(sentAt + i, sentAt + calls + 10)
}

test('knows no limit until a first volley of 429', () => {
  const rate = new RateController()
  for (let now = 0; now < 1000; now += 1) {
    assert.equal(rate.delay(now), 0)
    rate.take(now)
    rate.onAccepted(now, now)
  }
  assert.equal(rate.rate, undefined)
  rate.onThrottled(1000, 1010)
  assert.equal(rate.delay(1100), 0)
  assert.equal(rate.rate, undefined, 'one 429 among many answers is no limit')
  refuse(rate, 1100, 4)
  assert.ok(rate.delay(1200) > 0 && rate.rate !== undefined)
})

for (const [burst, holdMs] of [
  [0.2, 200],
  [0.5, 1000],
  [1, 200],
  [1, 1000],
  [2, 200],
  [2, 1000]
] as const) {
  test(`holds a limit moving 100, 40, 80 within 10 % with under 1 % refused (burst ${burst} s, hold ${holdMs} ms)`, () => {
    const course = run({ seconds: 90, limitAt: moving, burstSeconds: burst, holdMs })
    const held = [course.mean(10, 30) / 100, course.mean(40, 60) / 40, course.mean(70, 90) / 80]
    for (const ratio of held) assert.ok(ratio > 0.9 && ratio < 1.1, JSON.stringify(held))
    assert.ok(course.refusedShare < 0.01, String(course.refusedShare))
  })
}

/** Calls per second that twenty callers get when `every` call waits `holdMs` after each 429 by chance. */
const underChance = (perSecond: number, chance: number, holdMs: number) =>
  1 / (1 / perSecond + (chance * holdMs) / 1000)

const recoveries: readonly (Scenario & {
  readonly name: string
  /** Calls per second the server takes in the last third. */
  readonly takes: number
  readonly least: number
})[] = [
  { name: 'moments each 7 s', moments: [400, 7000], seconds: 90, takes: 1000, least: 0.8 },
  {
    name: 'moments each 7 s after a limit of 50',
    moments: [400, 7000],
    limitAt: until(10, 50),
    seconds: 120,
    takes: 1000,
    least: 0.8
  },
  {
    name: 'moments each 7 s after a limit of 20',
    moments: [400, 7000],
    limitAt: until(20, 20),
    seconds: 120,
    takes: 1000,
    least: 0.8
  },
  {
    name: 'moments each 7 s, 200 ms round trip, after a limit of 50',
    moments: [400, 7000],
    limitAt: until(10, 50),
    roundTripMs: 200,
    seconds: 120,
    takes: 100,
    least: 0.75
  },
  {
    name: 'moments each 15 s after a limit of 50',
    moments: [400, 15_000],
    limitAt: until(10, 50),
    seconds: 120,
    takes: 1000,
    least: 0.9
  },
  {
    name: 'moments each 7 s with a limit of 300',
    moments: [400, 7000],
    limitAt: () => 300,
    seconds: 90,
    takes: 300,
    least: 0.75
  },
  {
    name: 'moments each 7 s with a limit of 40',
    moments: [400, 7000],
    limitAt: () => 40,
    seconds: 90,
    takes: 40,
    least: 0.75
  },
  ...[0.01, 0.02].flatMap(chance =>
    [200, 1000].flatMap(holdMs => [
      {
        name: `chance ${chance}, hold ${holdMs} ms`,
        ...{ chance, holdMs, seconds: 90, least: 0.5 },
        takes: underChance(1000, chance, holdMs)
      },
      {
        name: `chance ${chance}, hold ${holdMs} ms, with a limit of 100`,
        ...{ chance, holdMs, seconds: 120, limitAt: () => 100, least: 0.5 },
        takes: underChance(100, chance, holdMs)
      },
      {
        name: `chance ${chance}, hold ${holdMs} ms, after a limit of 100`,
        ...{ chance, holdMs, seconds: 120, limitAt: until(20, 100), least: 0.5 },
        takes: underChance(1000, chance, holdMs)
      }
    ])
  )
]
for (const { name, takes, least, ...scenario } of recoveries) {
  test(`keeps ${least * 100} % of what the server takes: ${name}`, () => {
    const share = run(scenario).mean((scenario.seconds * 2) / 3, scenario.seconds) / takes
    assert.ok(share >= least, String(share))
  })
}

test('a moment in which everything is refused is no limit when the rate was good before', () => {
  const rate = new RateController()
  for (let now = 0; now < 4000; now += 1) {
    rate.delay(now)
    rate.take(now)
    rate.onAccepted(now, now)
  }
  refuse(rate, 4000, 20)
  rate.onHold(4030, 5030)
  assert.equal(rate.delay(5030), 0)
  assert.equal(rate.rate, undefined)
  for (let now = 5030; now < 5100; now += 1) {
    rate.take(now)
    rate.onAccepted(now, now)
  }
  refuse(rate, 5100, 20)
  rate.delay(5200)
  assert.ok(rate.rate !== undefined, 'refused again at once: a limit')
})

test('a volley of 429 for calls under way counts as one', () => {
  const rate = limited()
  const after = rate.rate
  for (let i = 1002; i < 1020; i += 1) rate.onThrottled(i, 1300)
  rate.delay(1400)
  assert.equal(rate.rate, after)
})

test('does not climb while callers ask for less than is allowed', () => {
  const rate = limited()
  const before = rate.rate
  for (let now = 2000; now < 60_000; now += 500) {
    assert.equal(rate.delay(now), 0)
    rate.take(now)
    rate.onAccepted(now, now + 20)
  }
  assert.equal(rate.rate, before)
})

/** One that has just met its first limit. */
function limited(): RateController {
  const rate = new RateController()
  for (let i = 0; i < 100; i += 1) {
    rate.take(i * 10)
    rate.onAccepted(i * 10, i * 10)
  }
  refuse(rate, 1001, 4)
  rate.onHold(1015, 1200)
  rate.delay(1200)
  assert.ok(rate.rate !== undefined)
  return rate
}

test('429 by chance, without a limit behind them, do not slow it down', () => {
  const rate = new RateController()
  for (let i = 0; i < 5000; i += 1) {
    rate.delay(i)
    rate.take(i)
    if (i % 50 === 49) rate.onThrottled(i - 20, i)
    else rate.onAccepted(i - 20, i)
  }
  assert.equal(rate.rate, undefined)
})
