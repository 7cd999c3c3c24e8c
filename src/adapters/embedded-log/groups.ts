/**
 * Consumer groups in the file: members, generations, assignments, committed offsets
 * (docs/specs/embedded-log.md section 4). Everything that changes a group runs inside a transaction of
 * the writer, so that a generation, its members and its assignments are always one consistent state.
 */
import type { DatabaseSync } from 'node:sqlite'
import { BrokerError } from '../../core/index.ts'
import { assignPartitions, type Subscriber } from './assignment.ts'
import type { Topics } from './topics.ts'

export interface MemberRow {
  readonly memberId: string
  readonly beat: number
  readonly sessionTimeoutMs: number
  readonly process: string | null
}

export interface JoinRequest {
  readonly group: string
  readonly memberId: string
  readonly topicIds: readonly number[]
  readonly sessionTimeoutMs: number
  readonly process: string | null
  /** True for members whose process is known to be gone. */
  isGone(member: MemberRow): boolean
}

export interface OwnedPartition {
  readonly partitionId: number
  readonly committed: number | undefined
}

export interface Groups {
  /** Adds the member, drops members that are gone, starts a generation. Returns the group's id. */
  join(request: JoinRequest): number
  /** Removes the members and starts a generation, if any of them was there with this beat. */
  remove(groupId: number, members: readonly { memberId: string; beat?: number }[]): boolean
  /** False: the member is not in the group any more. */
  beat(groupId: number, memberId: string): boolean
  members(groupId: number): MemberRow[]
  /** The group's generation, or undefined when this member is not in the group. */
  generationOf(groupId: number, memberId: string): number | undefined
  owned(groupId: number, memberId: string): OwnedPartition[]
  /** Throws `BROKER_FENCED` unless the member owns all of them in the current generation. */
  commit(
    groupId: number,
    memberId: string,
    generation: number,
    offsets: readonly { partitionId: number; offset: number }[]
  ): void
  /** Throws `BROKER_GROUP_IN_USE` while the group has members that live. */
  setOffsets(
    group: string,
    offsets: readonly { partitionId: number; offset: number }[],
    isGone: (member: MemberRow) => boolean
  ): void
  groupId(name: string): number | undefined
  committed(groupId: number, partitionId: number): number | undefined
  /**
   * Offset up to which every group of the topic has committed in this partition; undefined without any
   * group. A group belongs to a topic when it has a member that reads it now, or has ever committed in
   * one of its partitions.
   */
  consumedUntil(topicId: number, partitionId: number): number | undefined
}

export function createGroups(db: DatabaseSync, topics: Topics): Groups {
  const sql = prepare(db)

  function groupId(name: string): number | undefined {
    const id = sql.groupId.get(name)?.['id']
    return id === undefined ? undefined : Number(id)
  }

  function rebalance(id: number): void {
    sql.raiseGeneration.run(id)
    sql.clearAssignments.run(id)
    const subscribers: Subscriber[] = sql.subscribers.all(id).map(row => ({
      memberId: String(row['member_id']),
      topicIds: JSON.parse(String(row['topic_ids'])) as number[]
    }))
    const topicIds = [...new Set(subscribers.flatMap(member => member.topicIds))]
    const known = topicIds.flatMap(topicId => {
      const topic = topics.byId(topicId)
      return topic === undefined ? [] : [{ topicId, partitionIds: topic.partitionIds }]
    })
    for (const [partitionId, memberId] of assignPartitions(subscribers, known)) {
      sql.assign.run(id, partitionId, memberId)
    }
  }

  function members(id: number): MemberRow[] {
    return sql.members.all(id).map(row => ({
      memberId: String(row['member_id']),
      beat: Number(row['beat']),
      sessionTimeoutMs: Number(row['session_timeout_ms']),
      process: row['process'] === null ? null : String(row['process'])
    }))
  }

  function generationOf(id: number, memberId: string): number | undefined {
    const row = sql.generationOf.get(id, memberId)
    return row === undefined ? undefined : Number(row['generation'])
  }

  return {
    join(request) {
      sql.createGroup.run(request.group)
      const id = groupId(request.group) ?? 0
      sql.removeMember.run(id, request.memberId)
      for (const member of members(id)) {
        if (request.isGone(member)) sql.removeMember.run(id, member.memberId)
      }
      sql.addMember.run(
        id,
        request.memberId,
        JSON.stringify(request.topicIds),
        request.sessionTimeoutMs,
        request.process
      )
      rebalance(id)
      return id
    },
    remove(id, list) {
      let removed = 0
      for (const { memberId, beat } of list) {
        const result =
          beat === undefined
            ? sql.removeMember.run(id, memberId)
            : sql.removeSilent.run(id, memberId, beat)
        removed += Number(result.changes)
      }
      if (removed > 0) rebalance(id)
      return removed > 0
    },
    beat: (id, memberId) => Number(sql.beat.run(id, memberId).changes) > 0,
    members,
    generationOf,
    owned(id, memberId) {
      return sql.owned.all(id, memberId).map(row => ({
        partitionId: Number(row['partition_id']),
        committed: row['next_offset'] === null ? undefined : Number(row['next_offset'])
      }))
    },
    commit(id, memberId, generation, offsets) {
      const current = generationOf(id, memberId)
      if (current !== generation) throw fenced(memberId, generation, current)
      for (const { partitionId } of offsets) {
        if (sql.owner.get(id, partitionId)?.['member_id'] !== memberId) {
          throw fenced(memberId, generation, current)
        }
      }
      for (const { partitionId, offset } of offsets) sql.commit.run(id, partitionId, offset)
    },
    setOffsets(group, offsets, isGone) {
      sql.createGroup.run(group)
      const id = groupId(group) ?? 0
      const living = members(id).filter(member => !isGone(member))
      if (living.length > 0) throw inUse(group, living.length)
      for (const { partitionId, offset } of offsets) sql.commit.run(id, partitionId, offset)
    },
    groupId,
    committed(id, partitionId) {
      const row = sql.committed.get(id, partitionId)
      return row === undefined ? undefined : Number(row['next_offset'])
    },
    consumedUntil(topicId, partitionId) {
      const until = sql.consumedUntil.get(topicId, topicId, partitionId)?.['until']
      return until === null || until === undefined ? undefined : Number(until)
    }
  }
}

/** What `commit` rejects with when the member is not the owner any more. */
export function fenced(
  memberId: string,
  generation: number,
  current: number | undefined
): BrokerError {
  const now = current === undefined ? 'it is not in the group any more' : `it is now ${current}`
  return new BrokerError(
    'BROKER_FENCED',
    `Commit of member ${memberId} for generation ${generation} refused: ${now}.`
  )
}

function inUse(group: string, members: number): BrokerError {
  return new BrokerError(
    'BROKER_GROUP_IN_USE',
    `The group "${group}" has ${members} members: its position is theirs to set`
  )
}

function prepare(db: DatabaseSync) {
  return {
    groupId: db.prepare('SELECT id FROM groups WHERE name = ?'),
    createGroup: db.prepare(
      'INSERT INTO groups (name, generation) VALUES (?, 0) ON CONFLICT DO NOTHING'
    ),
    raiseGeneration: db.prepare('UPDATE groups SET generation = generation + 1 WHERE id = ?'),
    addMember: db.prepare(
      `INSERT INTO members (group_id, member_id, topic_ids, session_timeout_ms, beat, process)
       VALUES (?, ?, ?, ?, 0, ?)`
    ),
    removeMember: db.prepare('DELETE FROM members WHERE group_id = ? AND member_id = ?'),
    removeSilent: db.prepare(
      'DELETE FROM members WHERE group_id = ? AND member_id = ? AND beat = ?'
    ),
    beat: db.prepare('UPDATE members SET beat = beat + 1 WHERE group_id = ? AND member_id = ?'),
    members: db.prepare(
      'SELECT member_id, beat, session_timeout_ms, process FROM members WHERE group_id = ? ORDER BY id'
    ),
    subscribers: db.prepare(
      'SELECT member_id, topic_ids FROM members WHERE group_id = ? ORDER BY id'
    ),
    generationOf: db.prepare(
      `SELECT g.generation FROM members m JOIN groups g ON g.id = m.group_id
       WHERE m.group_id = ? AND m.member_id = ?`
    ),
    clearAssignments: db.prepare('DELETE FROM assignments WHERE group_id = ?'),
    assign: db.prepare(
      'INSERT INTO assignments (group_id, partition_id, member_id) VALUES (?, ?, ?)'
    ),
    owner: db.prepare('SELECT member_id FROM assignments WHERE group_id = ? AND partition_id = ?'),
    owned: db.prepare(
      `SELECT a.partition_id, c.next_offset FROM assignments a
       LEFT JOIN committed c ON c.group_id = a.group_id AND c.partition_id = a.partition_id
       WHERE a.group_id = ? AND a.member_id = ? ORDER BY a.partition_id`
    ),
    commit: db.prepare(
      `INSERT INTO committed (group_id, partition_id, next_offset) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET next_offset = excluded.next_offset`
    ),
    // Of a group that has committed elsewhere in the topic, but not here, nothing here is consumed.
    consumedUntil: db.prepare(
      `SELECT min(ifnull(c.next_offset, 0)) AS until FROM (
         SELECT k.group_id FROM partitions p JOIN committed k ON k.partition_id = p.id
         WHERE p.topic_id = ?
         UNION
         SELECT m.group_id FROM members m JOIN json_each(m.topic_ids) t WHERE t.value = ?
       ) g LEFT JOIN committed c ON c.group_id = g.group_id AND c.partition_id = ?`
    ),
    committed: db.prepare(
      'SELECT next_offset FROM committed WHERE group_id = ? AND partition_id = ?'
    )
  }
}
