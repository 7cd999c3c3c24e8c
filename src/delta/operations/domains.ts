/**
 * Domain metadata (PROTOCOL.md "Domain Metadata"): texts that programs keep in the log of a table under names
 * of their own. Two writers of one domain conflict; of different ones they do not.
 */
import { DeltaError } from '../../core/index.ts'
import type { Action, DomainMetadataAction } from '../actions.ts'
import type { Snapshot } from '../log-state.ts'
import { protocolWith } from '../protocol/versions.ts'
import type { TableLog } from '../table-log.ts'

/**
 * Sets the domain, or removes it where the configuration is undefined. Resolves to the version that says so;
 * to the newest one when there was nothing to remove. Rejects with `DELTA_CONFLICT` when another writer
 * changed the same domain meanwhile, with `DELTA_UNSUPPORTED` for the names of Delta itself.
 */
export async function changeDomain(
  log: TableLog,
  domain: string,
  configuration: string | undefined
): Promise<number> {
  assertOwn(domain, log.where)
  const first = await log.refresh()
  const before = first.domains.get(domain)
  for (let snapshot = first, conflicts = 0; ; ) {
    if (snapshot.domains.get(domain) !== before) {
      throw new DeltaError(
        'DELTA_CONFLICT',
        `Another writer changed the domain ${domain} of ${log.where} meanwhile: look at it and decide again`
      )
    }
    const action = actionOf(domain, configuration, before)
    if (action === undefined) return snapshot.version
    const response = await log.commit(
      snapshot,
      {
        operation: configuration === undefined ? 'REMOVE DOMAIN METADATA' : 'SET DOMAIN METADATA',
        operationParameters: { domain },
        isolationLevel: 'Serializable',
        isBlindAppend: false
      },
      [...protocolActions(log, snapshot), { domainMetadata: action }]
    )
    if (response.kind === 'committed') return response.version
    conflicts++
    await log.pause(conflicts)
    snapshot = await log.refresh()
  }
}

function actionOf(
  domain: string,
  configuration: string | undefined,
  before: DomainMetadataAction | undefined
): DomainMetadataAction | undefined {
  if (configuration !== undefined) return { domain, configuration, removed: false }
  // What it was stays in the log.
  return before === undefined ? undefined : { ...before, removed: true }
}

/** The feature is added to tables that lack it. */
function protocolActions(log: TableLog, snapshot: Snapshot): Action[] {
  const protocol = protocolWith(snapshot.protocol, ['domainMetadata'])
  log.assertWritable({ ...snapshot, protocol })
  return protocol === snapshot.protocol ? [] : [{ protocol }]
}

function assertOwn(domain: string, where: string): void {
  if (domain !== '' && !domain.toLowerCase().startsWith('delta.')) return
  throw new DeltaError(
    'DELTA_UNSUPPORTED',
    domain === ''
      ? `A domain of ${where} needs a name`
      : `The domain ${domain} of ${where} belongs to Delta itself; take a name that does not begin with delta.`
  )
}
