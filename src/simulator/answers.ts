/** Bodies of API answers: the envelopes of claimx-api.md section 3 around the world's entities. */
import type { JsonObject, JsonValue } from '../core/index.ts'
import { hash32 } from './rng.ts'
import type { World } from './types.ts'

export type MakeLink = (mediaId: number) => JsonObject

/** Undefined everywhere: 404. An entity always gets the same envelope. */
export class Answers {
  readonly #world: World
  readonly #makeLink: MakeLink

  constructor(world: World, makeLink: MakeLink) {
    this.#world = world
    this.#makeLink = makeLink
  }

  project(projectId: number): JsonValue | undefined {
    const answer = this.#world.projectAnswer(projectId)
    if (answer === undefined) return undefined
    return this.#roll(1, projectId) < 80 ? { data: answer } : answer
  }

  projectIdByNumber(claimNumber: string): JsonValue | undefined {
    const projectId = this.#world.projectIdOf(claimNumber)
    if (projectId === undefined) return undefined
    const roll = this.#roll(2, projectId)
    return roll < 60 ? projectId : roll < 80 ? { projectId } : { id: projectId }
  }

  /** `wanted` undefined: the whole list. Unknown ids are ignored; now and then one more comes along. */
  media(projectId: number, wanted: readonly number[] | undefined): JsonValue | undefined {
    if (this.#world.projectAnswer(projectId) === undefined) return undefined
    const listed = this.#world.mediaIdsOf(projectId)
    const ids = wanted === undefined ? listed : listed.filter(id => wanted.includes(id))
    const roll = this.#roll(3, projectId)
    const extra = listed.find(id => !ids.includes(id))
    if (wanted !== undefined && roll % 10 === 0 && extra !== undefined) ids.unshift(extra)
    const items = ids.flatMap(id => {
      const item = this.#world.mediaAnswer(id)
      return item === undefined ? [] : [{ ...item, ...this.#makeLink(id) }]
    })
    const [first] = items
    if (items.length === 1 && first !== undefined && roll % 7 === 0) {
      return roll % 2 === 0 ? first : { data: first }
    }
    return roll < 75 ? { data: items } : roll < 90 ? items : { media: items }
  }

  contacts(projectId: number): JsonValue | undefined {
    const answer = this.#world.projectAnswer(projectId)
    return answer === undefined ? undefined : { data: answer['teamMembers'] ?? [] }
  }

  conversations(projectId: number): JsonValue | undefined {
    return this.#world.projectAnswer(projectId) === undefined ? undefined : { conversations: [] }
  }

  task(assignmentId: number): JsonValue | undefined {
    const answer = this.#world.taskAnswer(assignmentId)
    if (answer === undefined) return undefined
    return this.#roll(6, assignmentId) < 5 ? { data: answer } : answer
  }

  projectTasks(projectId: number): JsonValue | undefined {
    if (this.#world.projectAnswer(projectId) === undefined) return undefined
    const data = this.#world.taskIdsOf(projectId).flatMap(id => {
      const task = this.#world.taskAnswer(id)
      return task === undefined ? [] : [{ assignmentId: id, status: task['status'] ?? null }]
    })
    return { success: true, data }
  }

  videos(projectId: number): JsonValue | undefined {
    if (this.#world.projectAnswer(projectId) === undefined) return undefined
    const items = this.#world.videoAnswers(projectId)
    const roll = this.#roll(8, projectId)
    const [first] = items
    if (first === undefined) return roll < 50 ? { data: [] } : roll < 75 ? [] : { data: null }
    if (items.length === 1 && roll % 3 === 0) {
      return roll % 2 === 0 ? first : { videoCollaboration: first }
    }
    return roll < 70 ? { data: items } : roll < 85 ? items : { collaborations: items }
  }

  #roll(endpoint: number, id: number): number {
    return hash32(this.#world.options.seed, 0xa5, endpoint, id) % 100
  }
}
