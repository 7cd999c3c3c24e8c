/** The operations of a Delta table (methods of `DeltaTable`), and the command for each, or why there is none. */

interface Operation {
  readonly method: string
  readonly command?: string
  /** Why there is no command. */
  readonly reason?: string
}

const rows =
  'rows come from programs: `claims-pipeline/delta` (docs/delta/README.md), or the pipeline'

export const operations: readonly Operation[] = [
  { method: 'openOrCreate', reason: `a table is made by whoever knows its rows; ${rows}` },
  { method: 'append', reason: rows },
  { method: 'merge', reason: rows },
  { method: 'findKeys', command: 'tables read' },
  { method: 'read', command: 'tables read' },
  { method: 'readBatches', command: 'tables read' },
  { method: 'export', command: 'tables read' },
  { method: 'changes', command: 'tables changes' },
  { method: 'changeBatches', command: 'tables changes' },
  { method: 'exportChanges', command: 'tables changes' },
  { method: 'update', command: 'tables update' },
  { method: 'delete', command: 'tables delete' },
  { method: 'snapshot', command: 'tables show' },
  { method: 'countRows', command: 'tables show' },
  { method: 'transactionVersion', command: 'tables show' },
  { method: 'history', command: 'tables history' },
  { method: 'versionAt', command: 'tables read' },
  { method: 'setProperties', command: 'tables alter' },
  { method: 'addColumns', command: 'tables alter' },
  { method: 'renameColumn', command: 'tables alter' },
  { method: 'dropColumn', command: 'tables alter' },
  { method: 'addConstraint', command: 'tables alter' },
  { method: 'dropConstraint', command: 'tables alter' },
  { method: 'setClustering', command: 'tables alter' },
  { method: 'verify', command: 'tables verify' },
  { method: 'optimize', command: 'tables optimize' },
  { method: 'vacuum', command: 'tables vacuum' },
  { method: 'restore', command: 'tables restore' },
  { method: 'checkpoint', command: 'tables checkpoint' },
  {
    method: 'maintain',
    reason: 'workers do it by themselves; by hand there are `tables optimize` and `tables vacuum`'
  },
  {
    method: 'compactLog',
    reason:
      'writers do it by themselves; by hand `tables checkpoint` shortens the way from the log to the table'
  },
  { method: 'setDomain', reason: 'texts of programs, which only they understand' },
  { method: 'removeDomain', reason: 'texts of programs, which only they understand' }
]

/** A section of `docs/cli.md`. */
export function operationsMarkdown(): string[] {
  return [
    '## Operations of Delta tables',
    '',
    'What a program can do with a table (`docs/delta/api.md`), and the command that does it.',
    '',
    '| operation | command |',
    '| --- | --- |',
    ...operations.map(
      ({ method, command, reason }) =>
        `| \`${method}\` | ${command === undefined ? `none: ${reason}` : `\`${command}\``} |`
    ),
    ''
  ]
}
