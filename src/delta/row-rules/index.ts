/** Check constraints, invariants, generated columns and defaults of tables. */
export {
  assertNoRules,
  type CheckDefinition,
  CURRENT_DEFAULT,
  constraintsOf,
  GENERATION_EXPRESSION
} from './definitions.ts'
export { assertKept, type Check, generationCheck, RowRules, rowRulesOf } from './row-rules.ts'
