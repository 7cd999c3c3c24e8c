/**
 * What a 429 was: the server's limit, an outage (for a moment everything is refused) or chance (one call
 * refused, its neighbours not). The calls sent after the refused one, while its answer was on its way,
 * tell: beyond a limit L at rate r about (r - L) / r of them are refused, in an outage all, by chance
 * next to none; and chance comes
 * after very different numbers of calls, a limit does not.
 */
export type Verdict = 'limit' | 'outage' | 'chance' | 'unknown'

/** The first 429, and the answers to calls sent after it until the hold ends. */
export class Episode {
  readonly sentAt: number
  readonly at: number
  /** No verdict before: later answers are under way. */
  judgeAt: number
  heldMs = 0
  #refused = 0
  #accepted = 0

  constructor(sentAt: number, now: number) {
    this.sentAt = sentAt
    this.at = now
    this.judgeAt = now + (now - sentAt)
  }

  /** Refused among the later calls. */
  get refused(): number {
    return this.#refused
  }

  get answered(): number {
    return this.#refused + this.#accepted
  }

  onRefused(sentAt: number): void {
    if (sentAt > this.sentAt) this.#refused += 1
  }

  onAccepted(sentAt: number): void {
    if (sentAt > this.sentAt) this.#accepted += 1
  }

  onHold(ms: number, until: number): void {
    this.heldMs += ms
    this.judgeAt = Math.max(this.judgeAt, until)
  }
}

/** Weight of former episodes: at a low rate one episode alone shows too few calls. */
const memory = 0.85
/** A large volley counts as so many later calls, so that it does not outweigh what follows. */
const mostWeight = 4
/** So many later answers, at least, before chance is concluded from. */
const leastAnswers = 1.5
/** Refused share of the later calls below which it was chance. */
const chanceShare = 0.15
/** Of this many refused calls one may be accepted in an outage: answers overtake one another. */
const outageShare = 16

/** Intervals, in accepted calls, that are looked at; longer ones are a limit's slow rhythm. */
const intervals = 7
const longestInterval = 250
/** Longest interval divided by the shortest: a limit refuses regularly, chance does not. */
const irregularRatio = 3

/** Judges one episode after the other. */
export class EpisodeJudge {
  #refused = 0
  #answered = 0
  #intervals: readonly number[] = []

  /** The 429 came after very different numbers of accepted calls. */
  get irregular(): boolean {
    const shortest = Math.max(1, Math.min(...this.#intervals))
    return this.#intervals.length >= 3 && Math.max(...this.#intervals) >= irregularRatio * shortest
  }

  /**
   * `paced`: a rate is known. Unpaced calls come in volleys, so that more of them must agree.
   * `interval`: calls accepted since the 429 before.
   */
  judge(episode: Episode, paced: boolean, interval: number): Verdict {
    const verdict = this.#ofNeighbours(episode, paced)
    const clear = episode.refused > 0 && verdict !== 'chance'
    if (clear || interval > longestInterval) this.#intervals = []
    else this.#intervals = [...this.#intervals.slice(1 - intervals), interval]
    // Unpaced calls have no rate yet that chance could wrongly lower.
    return verdict === 'chance' && paced && !this.irregular ? 'limit' : verdict
  }

  #ofNeighbours({ refused, answered }: Episode, paced: boolean): Verdict {
    if (refused >= (paced ? 1 : 3) && (answered - refused) * outageShare <= refused) return 'outage'
    const weight = Math.min(1, mostWeight / Math.max(1, answered))
    this.#refused = this.#refused * memory + refused * weight
    this.#answered = this.#answered * memory + answered * weight
    const share = this.#answered === 0 ? 0 : this.#refused / this.#answered
    if (this.#answered >= leastAnswers && share < chanceShare) return 'chance'
    if (paced) return answered === 0 ? 'unknown' : 'limit'
    const volley = refused >= 3 && refused * 4 >= answered
    return volley || this.#refused >= 3 ? 'limit' : 'unknown'
  }
}
