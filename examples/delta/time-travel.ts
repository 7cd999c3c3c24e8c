/** Time travel: history, older versions, what a version changed, and bringing one back. Run it: node time-travel.ts */
import { isDeltaError, openDelta } from 'claims-pipeline/delta'

await using lake = await openDelta({ root: './lake' })
const prices = await lake.openOrCreate('prices', {
  columns: { item: { type: 'string', nullable: false }, price: 'double' },
  // Has each version keep which rows it added, changed and deleted.
  properties: { 'delta.enableChangeDataFeed': 'true' }
})
await prices.merge([{ item: 'roof', price: 900 }], { keys: ['item'] })
await prices.merge([{ item: 'door', price: 150 }], { keys: ['item'] })
await prices.merge([{ item: 'roof', price: 9 }], { keys: ['item'] }) // a mistake

for (const { version, operation } of await prices.history()) console.log(version, operation)

const total = async (version: number): Promise<number> =>
  (await prices.read({ version })).reduce((sum, row) => sum + (row.price ?? 0), 0)
for (const version of [1, 2, 3]) console.log(`version ${version}: ${await total(version)}`)

for (const row of await prices.changes({ fromVersion: 3, toVersion: 3 })) {
  console.log(row['_change_type'], row['item'], row['price'])
}

const restored = await prices.restore({ version: 2 })
console.log(`restored as version ${restored.version}: ${await total(restored.version)}`)

try {
  await prices.read({ version: 99 })
} catch (error) {
  if (!isDeltaError(error, 'DELTA_VERSION_NOT_FOUND')) throw error
  console.log('there is no version 99')
}
