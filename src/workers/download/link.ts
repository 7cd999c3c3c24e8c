/**
 * Presigned links: when they expire, and fresh ones from the API (reference/operations.md section 2.4).
 * Refreshes of one project that fall together share one media call.
 */
import { type Micros, microsFromMillis, parseInstant, TransferError } from '../../core/index.ts'
import {
  type DownloadTask,
  downloadLinkOf,
  EXPIRY_MARGIN_MS,
  expiresAtOf,
  isExpired,
  mediaIdOf,
  withFreshUrl
} from '../../domains/claimx/index.ts'
import type { ClaimxApi, Clock } from '../../ports/index.ts'

/** Refreshes of one task; reference/operations.md section 2.4. */
export const MAX_REFRESHES = 3

interface Refresh {
  readonly ids: Set<string>
  readonly links: Promise<ReadonlyMap<string, Link>>
  /** Of the batch that asks. */
  readonly signal: AbortSignal
}

interface Link {
  readonly url: string
  readonly expiresAt: Micros | null
}

export class Links {
  readonly #api: ClaimxApi
  readonly #clock: Clock
  readonly #marginMs: number
  /** Refreshes that are not on their way yet, by project. */
  readonly #gathering = new Map<string, Refresh>()

  constructor(ports: { api: ClaimxApi; clock: Clock }, marginMs: number = EXPIRY_MARGIN_MS) {
    this.#api = ports.api
    this.#clock = ports.clock
    this.#marginMs = marginMs
  }

  /** True when the link has expired or is about to; an unknown expiry counts as not expired. */
  isStale(task: DownloadTask): boolean {
    const expiresAt = task.expiresAt ?? expiresAtOf(task.downloadUrl)
    return isExpired(expiresAt, microsFromMillis(this.#clock.now()), this.#marginMs)
  }

  /**
   * The task with a fresh link. Rejects with `DOWNLOAD_EXPIRED` (permanent) after too many refreshes or
   * when the API has no link, and with the API's error when the call fails.
   */
  async refresh(task: DownloadTask, signal: AbortSignal): Promise<DownloadTask> {
    if (task.refreshCount >= MAX_REFRESHES) {
      throw new TransferError('DOWNLOAD_EXPIRED', `the link expired ${MAX_REFRESHES} times`)
    }
    const links = await this.#freshLinks(task, signal)
    const link = links.get(task.mediaId)
    if (link === undefined) {
      throw new TransferError('DOWNLOAD_EXPIRED', 'the API has no new link for the media')
    }
    const fresh = { downloadUrl: link.url, expiresAt: link.expiresAt }
    return withFreshUrl(task, fresh, microsFromMillis(this.#clock.now()))
  }

  async #freshLinks(task: DownloadTask, signal: AbortSignal): Promise<ReadonlyMap<string, Link>> {
    for (;;) {
      const asked = this.#askTogether(task, signal)
      try {
        return await asked.links
      } catch (error) {
        // A batch that asked for us too may have been abandoned; that is no failure of ours.
        if (signal.aborted || !asked.signal.aborted) throw error
      }
    }
  }

  #askTogether(task: DownloadTask, signal: AbortSignal): Refresh {
    const gathering = this.#gathering.get(task.projectId)
    if (gathering !== undefined) {
      gathering.ids.add(task.mediaId)
      return gathering
    }
    const ids = new Set([task.mediaId])
    // One turn of the event loop collects what expired together.
    const links = this.#clock.sleep(0, signal).then(() => {
      this.#gathering.delete(task.projectId)
      return this.#ask(task.projectId, [...ids], signal)
    })
    const refresh = { ids, links, signal }
    links.catch(() => {
      if (this.#gathering.get(task.projectId) === refresh) this.#gathering.delete(task.projectId)
    })
    this.#gathering.set(task.projectId, refresh)
    return refresh
  }

  async #ask(
    projectId: string,
    ids: readonly string[],
    signal: AbortSignal
  ): Promise<ReadonlyMap<string, Link>> {
    const { value } = await this.#api.getMedia(projectId, ids, { signal, urgent: true })
    const links = new Map<string, Link>()
    for (const item of value) {
      const id = mediaIdOf(item)
      const url = downloadLinkOf(item)
      if (id === null || url === null) continue
      const given = typeof item['expiresAt'] === 'string' ? item['expiresAt'] : ''
      links.set(id, { url, expiresAt: parseInstant(given) ?? expiresAtOf(url) ?? null })
    }
    return links
  }
}
