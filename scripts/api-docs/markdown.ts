/** The API of `claims-pipeline/delta` as a document: every name, its signature, its comment, its members. */
import { join } from 'node:path'
import { type Declaration, publicDeclarations } from './extract.ts'

const root = join(import.meta.dirname, '../..')
const door = 'src/delta-package/index.ts'

/** Headings, and the names below each in order. Names that are nowhere here are options and results. */
const sections: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['Opening tables', ['openDelta', 'OpenDeltaOptions', 'DeltaLake', 'OpenOrCreateOptions']],
  ['A table', ['DeltaTable']],
  [
    'Definitions',
    [
      'TableSpec',
      'ColumnsSpec',
      'ColumnShorthand',
      'ColumnSpec',
      'TypeSpec',
      'PrimitiveType',
      'StructSpec',
      'ArraySpec',
      'MapSpec'
    ]
  ],
  [
    'Rows',
    [
      'RowOf',
      'NewRow',
      'PartialRow',
      'ColumnName',
      'StoredRow',
      'ColumnCell',
      'Nullable',
      'CellOf',
      'CellTypes',
      'DecimalText',
      'BinaryText',
      'NestedText',
      'Given',
      'InputRow',
      'InputValue',
      'Row',
      'CellValue'
    ]
  ],
  ['Timestamps', ['toMicros', 'isoOfMicros', 'dateOfMicros']],
  ['Merge rules', ['MergeSpec', 'MergePolicies', 'ColumnPolicy', 'MergeGuard', 'MergeRules']],
  ['Options and results', []],
  [
    'Errors',
    [
      'DeltaError',
      'PipelineError',
      'isDeltaError',
      'DeltaErrorCode',
      'StorageErrorCode',
      'ErrorCode',
      'ErrorClass',
      'ErrorOptions'
    ]
  ],
  [
    'Adapters and ports',
    [
      'localFiles',
      'memoryObjectStore',
      'MemoryObjectStoreOptions',
      'duckDbEngine',
      'DuckDbOptions',
      'systemClock',
      'systemIds',
      'ObjectStore',
      'checkObjectStore',
      'ObjectInfo',
      'PutResult',
      'Clock',
      'Ids',
      'DeltaPorts',
      'DeltaOptions'
    ]
  ],
  [
    'What the log says',
    [
      'Snapshot',
      'ProtocolAction',
      'MetadataAction',
      'AddAction',
      'DeletionVectorDescriptor',
      'DomainMetadataAction',
      'SchemaField',
      'DataType',
      'StructType',
      'ArrayType',
      'MapType',
      'isNested',
      'decimalOf',
      'physicalName'
    ]
  ],
  [
    'Parquet engines of your own',
    [
      'ParquetEngine',
      'EngineColumn',
      'DataFile',
      'MatchRequest',
      'Match',
      'FetchRequest',
      'KeyHashes',
      'WriteRequest',
      'Compression',
      'WrittenFile',
      'ColumnStatistics',
      'ScanRequest',
      'FilterTerm',
      'JsonObject',
      'JsonValue',
      'hashKeys',
      'positionsOf',
      'hasPosition'
    ]
  ]
]

/** Read once: the compiler takes a second. */
let known: readonly Declaration[] | undefined

export function deltaDeclarations(): readonly Declaration[] {
  known ??= publicDeclarations(root, door)
  return known
}

export function deltaApiMarkdown(): string {
  const declarations = deltaDeclarations()
  const listed = new Set(sections.flatMap(([, names]) => names))
  const rest = declarations.map(({ name }) => name).filter(name => !listed.has(name))
  const named = new Set(declarations.map(({ name }) => name))
  const parts = [
    '# API of claims-pipeline/delta',
    'Made from the comments of the code by `npm run docs`. How to use it: [README.md](README.md). All error codes: [errors.md](../errors.md).'
  ]
  for (const [title, names] of sections) {
    parts.push(`## ${title}`)
    for (const name of names.length === 0 ? rest : names) {
      const declaration = declarations.find(item => item.name === name)
      if (declaration === undefined) throw new Error(`${door} exports no ${name}: correct ${title}`)
      parts.push(...describe(declaration, named))
    }
  }
  return `${parts.join('\n\n')}\n`
}

function describe(declaration: Declaration, named: ReadonlySet<string>): string[] {
  const { name, kind, signature, doc, members } = declaration
  const plain = signature === `${kind} ${name}`
  const parts = [`### ${name}`, paragraph(doc), plain ? '' : block(signature)]
  if (kind === 'class') {
    for (const member of members) {
      parts.push(`#### ${name}.${member.name}`, paragraph(member.doc), block(member.signature))
    }
  } else if (members.length > 0) {
    const lines = members.map(member => `- \`${member.signature}\`: ${paragraph(member.doc)}`)
    parts.push(lines.join('\n'))
  }
  const links = mentioned(declaration).filter(other => named.has(other) && other !== name)
  if (links.length > 0) {
    parts.push(`See ${links.map(other => `[${other}](#${other.toLowerCase()})`).join(', ')}.`)
  }
  return parts.filter(part => part !== '')
}

/** Names of types in the signatures of a declaration, in order. */
export function mentioned({ signature, members }: Declaration): string[] {
  const text = [signature, ...members.map(member => member.signature)].join('\n')
  const code = text.replaceAll(/'[^']*'|`[^`]*`/g, '')
  return [...new Set([...code.matchAll(/\b[A-Z]\w+\b/g)].map(match => match[0]))]
}

function paragraph(doc: string): string {
  return doc.replaceAll(/\s*\n\s*(?!- )/g, ' ').trim()
}

function block(signature: string): string {
  return `\`\`\`\n${signature}\n\`\`\``
}
