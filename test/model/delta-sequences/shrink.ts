/** Takes away from a program that fails whatever is not needed for it to fail. */
import { NO_FAULTS } from '../../helpers/simulated-world.ts'
import type { Program, Round, Task } from './program.ts'

const MOST_TRIES = 400

export async function shrink(
  program: Program,
  fails: (program: Program) => Promise<boolean>
): Promise<Program> {
  let smallest = program
  let tries = 0
  for (let shrunk = true; shrunk; ) {
    shrunk = false
    for (const smaller of smallerThan(smallest)) {
      if (tries++ > MOST_TRIES) return smallest
      if (!(await fails(smaller))) continue
      smallest = smaller
      shrunk = true
      break
    }
  }
  return smallest
}

function* smallerThan(program: Program): Generator<Program> {
  const { rounds, faults } = program
  for (const index of rounds.keys()) {
    if (rounds.length > 1) yield { ...program, rounds: rounds.toSpliced(index, 1) }
  }
  for (const name of ['refused', 'answerLost', 'late', 'slow'] as const) {
    if (faults[name] > 0) yield { ...program, faults: { ...faults, [name]: 0 } }
  }
  if (faults.partialListings) yield { ...program, faults: { ...faults, partialListings: false } }
  if (faults !== NO_FAULTS) yield { ...program, faults: NO_FAULTS }
  for (const [at, round] of rounds.entries()) {
    const replaced = (other: Round): Program => ({ ...program, rounds: rounds.with(at, other) })
    for (const [writer, tasks] of round.tasks.entries()) {
      const withTasks = (other: readonly Task[]): Program =>
        replaced({ ...round, tasks: round.tasks.with(writer, other) })
      if (tasks.length > 1) yield withTasks([])
      for (const [index, task] of tasks.entries()) {
        yield withTasks(tasks.toSpliced(index, 1))
        for (const simpler of simplerThan(task)) yield withTasks(tasks.with(index, simpler))
      }
    }
  }
  if (program.partitioned) yield { ...program, partitioned: false }
}

function* simplerThan(task: Task): Generator<Task> {
  const { beside, dieAfter, ...alone } = task
  if (beside !== undefined) yield dieAfter === undefined ? alone : { ...alone, dieAfter }
  if (dieAfter !== undefined) yield beside === undefined ? alone : { ...alone, beside }
  const { action } = task
  if (action.kind !== 'merge' && action.kind !== 'append') return
  if (action.rows.length < 2) return
  for (const index of action.rows.keys()) {
    const rows = action.rows.toSpliced(index, 1)
    if (action.kind === 'append') yield { ...task, action: { ...action, rows } }
    else {
      const deletes = action.deletes
        .filter(one => one !== index)
        .map(one => (one > index ? one - 1 : one))
      yield { ...task, action: { ...action, rows, deletes } }
    }
  }
}
