/** All commands, in the order of the help. */
import type { Command } from '../command.ts'
import { configCheck } from './config-check.ts'
import { demo } from './demo.ts'
import { doctor } from './doctor.ts'
import { logCopy } from './log-copy.ts'
import { simulate } from './simulate.ts'
import { tablesList, tablesVerify } from './tables.ts'
import { tablesAlter, tablesCheckpoint } from './tables-alter.ts'
import { tablesChanges } from './tables-changes.ts'
import { tablesRead } from './tables-read.ts'
import { tablesRestore } from './tables-restore.ts'
import { tablesDelete, tablesUpdate } from './tables-rows.ts'
import { tablesHistory, tablesShow } from './tables-show.ts'
import { tablesOptimize, tablesVacuum } from './tables-upkeep.ts'
import { lagCommand, topicsCreate, topicsDescribe, topicsList } from './topics.ts'
import { runCommand, workerCommands } from './workers.ts'

export const commands: readonly Command[] = [
  demo,
  runCommand,
  ...workerCommands,
  topicsCreate,
  topicsList,
  topicsDescribe,
  lagCommand,
  logCopy,
  tablesList,
  tablesShow,
  tablesHistory,
  tablesRead,
  tablesChanges,
  tablesDelete,
  tablesUpdate,
  tablesAlter,
  tablesVerify,
  tablesOptimize,
  tablesVacuum,
  tablesCheckpoint,
  tablesRestore,
  simulate,
  configCheck,
  doctor
]
