/** DuckDB's complaints about an expression, in the words of whoever wrote it and knows nothing of DuckDB. */

const RULES: readonly (readonly [RegExp, (...parts: string[]) => string])[] = [
  [
    /^Binder Error: Referenced column "(.+?)" not found in FROM clause!(?:\s*Candidate bindings: (.*))?/,
    (name = '', near) =>
      `there is no column ${name}${near ? `; near it: ${near}` : ''} (text stands in single quotes, names in double ones)`
  ],
  [
    /^Binder Error: Referenced table "(.+?)" not found/,
    name => `there is no table ${name}: columns are named alone`
  ],
  [
    /^Binder Error: No function matches the given name and argument types '(.+?)'/,
    call => `there is no ${call}: a cast may help, as in CAST(column AS VARCHAR)`
  ],
  [
    /^Catalog Error: (?:Scalar |Aggregate |Table )?(Function|Type) with name (.+?) does not exist!(?:\s*Did you mean (".+?"))?/,
    (kind = '', name, near) =>
      `there is no ${kind.toLowerCase()} ${name}${near ? `; did you mean ${near}?` : ''}`
  ],
  [
    /^(?:Parser Error: )?syntax error at (?:end of input|or near "\)")/,
    () => 'it ends too early, or has a bracket too many'
  ],
  [
    /^(?:Parser Error: )?syntax error at or near "(.+)"/,
    word =>
      `syntax error at or near "${word}" (a column named like a word of SQL stands in double quotes)`
  ]
]

/** `message` of DuckDB; what is not known here loses only what shows our own SQL. */
export function queryProblem(message: string): string {
  const [text = ''] = message.split(/\s*\n\s*LINE \d+:/)
  for (const [pattern, say] of RULES) {
    const match = pattern.exec(text)
    if (match !== null) return say(...match.slice(1))
  }
  return text.replace(/^[A-Z][\w ]* Error: /, '').split(/\s*\n/, 1)[0] ?? text
}
