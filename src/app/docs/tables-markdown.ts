/** `docs/tables.md` as text, from the table definitions; a test keeps the file equal to it. */
import type { ColumnDef, TableDef } from '../../core/index.ts'
import { claimxTables, writeOrder } from '../../domains/claimx/index.ts'

/** The whole page, ending in a newline. */
export function tablesMarkdown(): string {
  return `${[...intro, ...writeOrder.flatMap(name => tableSection(claimxTables[name]))].join('\n')}\n`
}

const intro = [
  '# Tables',
  '',
  'Generated from `src/domains/claimx/tables`; a test keeps it equal. In the order in which a batch',
  'writes them: parents before children and the log last, but contacts before projects, because the',
  'row of a project tells a repeated batch that nothing of the project is missing.',
  '',
  'Rules: `key` never changes; `first` keeps the first insert’s value; `coalesce` takes a new value',
  'unless it is null; `replace` takes it even when null; `min` keeps the earliest; `or` keeps true;',
  '`with:X` is replaced together with column X; `audit` is set when anything else changes. A row that',
  'lacks a column (a patch) leaves it as it is.'
]

function tableSection(table: TableDef): string[] {
  return [
    '',
    `## ${table.name}`,
    '',
    table.doc,
    '',
    `- Merge key: ${codes(table.mergeKey)}`,
    `- Update: ${updateRule(table)}`,
    ...(table.partitionBy === undefined ? [] : [`- Partitioned by: ${codes(table.partitionBy)}`]),
    '',
    '| column | type | null | rule | meaning or API field |',
    '| --- | --- | --- | --- | --- |',
    ...table.columns.map(columnLine)
  ]
}

function updateRule(table: TableDef): string {
  if (table.insertOnly === true) return 'never; a row whose key is stored already is left as it is'
  if (table.guard === undefined) return 'always, column by column'
  const { columns, strict, parse } = table.guard
  const how = parse === 'instant' ? ', compared as points in time' : ''
  return `only when ${codes(columns)} ${strict ? 'is newer' : 'is newer or equal'}${how}`
}

function columnLine({ name, type, nullable, policy, doc }: ColumnDef): string {
  return `| \`${name}\` | ${type} | ${nullable ? 'yes' : 'no'} | ${policy} | ${doc} |`
}

function codes(names: readonly string[]): string {
  return names.map(name => `\`${name}\``).join(', ')
}
