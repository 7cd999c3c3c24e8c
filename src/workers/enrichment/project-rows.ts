/**
 * Pre-flight: every project that a batch's rows belong to has a row (reference/claimx-events.md section
 * 3.2). Looks into the table, fetches what is missing, and knows what batches in flight are about to
 * write. No cache of what exists: only work under way is remembered, until its batch ends.
 */
import { type Answer, claimxTables } from '../../domains/claimx/index.ts'
import type { ProjectAnswer, TableStore } from '../../ports/index.ts'

export type ProjectPromise = Promise<Answer<ProjectAnswer>>

export interface Claim {
  /** Fetched by this batch, which writes their rows. */
  readonly own: ReadonlyMap<string, ProjectPromise>
  /** Fetched by an earlier batch in flight, which writes their rows before this batch's. */
  readonly shared: ReadonlyMap<string, ProjectPromise>
  /** When the batch is applied or given up. */
  readonly release: () => void
}

export class ProjectRows {
  readonly #tables: TableStore
  /** By project id: the call of the batch in flight that will write the row. */
  readonly #pending = new Map<string, ProjectPromise>()
  #turn: Promise<unknown> = Promise.resolve()

  constructor(tables: TableStore) {
    this.#tables = tables
  }

  /** Which of the ids have a row in the table now. */
  existing(ids: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#tables.existingKeys(claimxTables.claimx_projects, ids)
  }

  /**
   * Fetches those of the ids that have no row and that no batch in flight is fetching. One claim at a
   * time, so that two batches never fetch the same project.
   */
  claim(ids: readonly string[], fetch: (id: string) => ProjectPromise): Promise<Claim> {
    const claim = this.#turn.then(() => this.#claim(ids, fetch))
    this.#turn = claim.catch(() => undefined)
    return claim
  }

  async #claim(ids: readonly string[], fetch: (id: string) => ProjectPromise): Promise<Claim> {
    const shared = new Map<string, ProjectPromise>()
    const unknown: string[] = []
    for (const id of ids) {
      const pending = this.#pending.get(id)
      if (pending === undefined) unknown.push(id)
      else shared.set(id, pending)
    }
    const known = unknown.length === 0 ? new Set() : await this.existing(unknown)
    const own = new Map<string, ProjectPromise>()
    for (const id of unknown) {
      if (!known.has(id)) own.set(id, fetch(id))
    }
    return { own, shared, release: this.#hold(own) }
  }

  #hold(own: ReadonlyMap<string, ProjectPromise>): () => void {
    const forget = (id: string, answer: ProjectPromise): void => {
      if (this.#pending.get(id) === answer) this.#pending.delete(id)
    }
    for (const [id, answer] of own) {
      this.#pending.set(id, answer)
      // It rejects when its batch is abandoned; then whoever needs the project next asks for it.
      answer.catch(() => forget(id, answer))
    }
    return () => {
      for (const [id, answer] of own) forget(id, answer)
    }
  }
}
