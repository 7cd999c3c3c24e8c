/**
 * The contract of the message-log port (G1 to G6 in `src/ports/message-log.ts`), as tests through the
 * port alone. Every adapter runs it.
 */
import { administrationTests } from './message-log/administration.ts'
import { consumingTests } from './message-log/consuming.ts'
import { groupTests } from './message-log/groups.ts'
import { type OpenedLog, type SuiteLimits, suiteFor } from './message-log/harness.ts'
import { producingTests } from './message-log/producing.ts'

export type { OpenedLog, SuiteLimits }

/** `open` is called once a test; what `reopen` gives is closed by `close` too. */
export function messageLogConformance(
  name: string,
  open: () => Promise<OpenedLog>,
  limits: SuiteLimits = {}
): void {
  const suite = suiteFor(name, open, limits)
  producingTests(suite)
  consumingTests(suite)
  groupTests(suite)
  administrationTests(suite)
}
