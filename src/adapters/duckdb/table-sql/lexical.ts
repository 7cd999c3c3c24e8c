/**
 * The text of an expression that a table holds, which is Spark's SQL, as text that DuckDB's parser takes for
 * the same. What the two read differently is refused: see `NotPortable`.
 */
import { identifier, literal } from '../sql.ts'

/** Says why an expression means something else to DuckDB, or may. */
export class NotPortable extends Error {}

const TOKEN =
  /\s+|`((?:[^`]|``)*)`|(["'])((?:\\[\s\S]|(?!\2)[^\\])*)\2|(\d[\w.]*(?:(?<=[eE])[+-]\d+)?)|([A-Za-z_]\w*)|([\s\S])/gy
const NUMBER = /^\d+(\.\d*)?([eE][+-]?\d+)?$/
/** A decimal without digits has others in DuckDB. */
const DECIMAL = /^(dec|decimal|numeric)$/i

/** Words of the grammar, which no bare name can be. */
const GRAMMAR = new Set(
  (
    'and as between case cast distinct else end escape exists false from in is like not null or ' +
    'select then true when'
  ).split(' ')
)

/** `names`: of columns, which may be words of DuckDB's grammar; they are quoted. */
export function portableText(sql: string, names: readonly string[]): string {
  const columns = new Set(names.map(name => name.toLowerCase()))
  let text = ''
  let last: 'name' | 'text' | 'number' | undefined
  let depth = 0
  for (const match of sql.matchAll(TOKEN)) {
    const [token, quoted, quote, content, number, word] = match
    const next = sql.slice(match.index + token.length)
    if (token.trim() === '') {
      text += ' '
      continue
    }
    if (quoted !== undefined) {
      text += identifier(quoted.replaceAll('``', '`'))
      last = 'name'
    } else if (quote !== undefined) {
      // r'...' and x'...' are no plain texts, and two in a row are one to Spark.
      const glued = last === 'name' && /\w$/.test(text)
      if (glued || last === 'text' || /^\s*["']/.test(next)) {
        throw new NotPortable(`the text ${token} is not a plain one`)
      }
      text += literal(unescaped(content ?? '', token))
      last = 'text'
    } else if (number !== undefined) {
      if (!NUMBER.test(number)) throw new NotPortable(`${number} is not a plain number`)
      text += number
      last = 'number'
    } else {
      if (word !== undefined && DECIMAL.test(word) && !/^\s*\(/.test(next)) {
        throw new NotPortable(`${word} has no precision`)
      }
      assertPlain(token, next)
      if (token === '(') depth++
      else if (token === ')') depth--
      if (depth < 0) throw new NotPortable('a parenthesis is not open')
      const name = word !== undefined && isColumn(word, columns, text, next)
      text += name ? identifier(word) : token
      last = word === undefined ? undefined : 'name'
    }
  }
  return text
}

/** Not a function, nor a type such as that of `DATE '2024-02-29'` or of a cast. */
function isColumn(
  word: string,
  columns: ReadonlySet<string>,
  before: string,
  next: string
): boolean {
  const lower = word.toLowerCase()
  if (!columns.has(lower) || GRAMMAR.has(lower)) return false
  return !/^\s*[('"]/.test(next) && !/\bas\s*$/i.test(before)
}

/** Spark's escapes in texts, as far as they stand for themselves. */
function unescaped(content: string, token: string): string {
  return content.replace(/\\([\s\S])/g, (_, character: string) => {
    if (/["'\\]/.test(character)) return character
    throw new NotPortable(`the text ${token} has an escape`)
  })
}

function assertPlain(token: string, next: string): void {
  const two = token + next.slice(0, 1)
  if (two === '--' || two === '/*') throw new NotPortable('it has a comment')
  if (/^[;?$#@:!\\~]$/.test(token) && two !== '!=') {
    throw new NotPortable(`of ${token} in it`)
  }
  if (token === '"' || token === "'" || token === '`')
    throw new NotPortable('a quote is not closed')
}
