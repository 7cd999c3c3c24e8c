/**
 * The public declarations of a module, as the TypeScript compiler sees them: signatures in the words of the
 * source, doc comments, members with those that are inherited.
 */
import { join } from 'node:path'
import { API, type Checker, type Project, type Symbol as TsSymbol } from 'typescript/unstable/sync'

export interface Member {
  readonly name: string
  /** On one line, without the body. */
  readonly signature: string
  readonly doc: string
}

export interface Declaration {
  readonly name: string
  readonly kind: 'function' | 'class' | 'interface' | 'type'
  /** Without bodies and members. */
  readonly signature: string
  readonly doc: string
  readonly members: readonly Member[]
}

/** What a node of the compiler's tree has, as far as it is used here. */
interface SourceNode {
  readonly pos: number
  readonly end: number
  readonly body?: SourceNode
  readonly members?: { readonly pos: number }
  getText(): string
  getStart(): number
  getSourceFile(): { readonly fileName: string; readonly text: string }
}

/** Sorted by name. `module` is a file below `root`, part of the project `tsconfig.build.json`. */
export function publicDeclarations(root: string, module: string): Declaration[] {
  const api = new API({ cwd: root })
  try {
    const openProjects = [join(root, 'tsconfig.build.json')]
    const [project] = api.updateSnapshot({ openProjects }).getProjects()
    const file = project?.program.getSourceFile(join(root, module))
    const symbol = file && project?.checker.getSymbolAtLocation(file)
    if (project === undefined || symbol === undefined) throw new Error(`${module} is not there`)
    const reader = new Reader(project, root)
    return project.checker
      .getExportsOfModule(symbol)
      .map(item => reader.declaration(item))
      .sort((a, b) => (a.name < b.name ? -1 : 1))
  } finally {
    api.close()
  }
}

class Reader {
  readonly #project: Project
  readonly #checker: Checker
  readonly #sources: string

  constructor(project: Project, root: string) {
    this.#project = project
    this.#checker = project.checker
    this.#sources = join(root, 'src/')
  }

  declaration(exported: TsSymbol): Declaration {
    // Names that are exported from elsewhere are aliases; only an alias has another symbol behind it.
    const symbol = isAlias(exported) ? this.#checker.getAliasedSymbol(exported) : exported
    const node = this.#node(symbol)
    if (node === undefined) throw new Error(`${exported.name} has no declaration`)
    const text = headOf(node)
    const kind = /^(?:async )?(function|class|interface|type)\b/.exec(text)?.[1]
    if (kind === undefined)
      throw new Error(`${exported.name} is no function, class or type: ${text}`)
    const own = new RegExp(`\\b${symbol.name}\\b`)
    return {
      name: exported.name,
      kind: kind as Declaration['kind'],
      signature: text.replace(own, exported.name),
      doc: symbol.getDocumentationComment(this.#checker),
      members: kind === 'class' || kind === 'interface' ? this.#members(symbol) : []
    }
  }

  #members(symbol: TsSymbol): Member[] {
    const type = this.#checker.getDeclaredTypeOfSymbol(symbol)
    const inherited = type === undefined ? [] : this.#checker.getPropertiesOfType(type)
    const statics = [...symbol.getExports().values()]
    return [...statics, ...inherited].flatMap(member => {
      const node = this.#node(member)
      if (node === undefined || /^__(#|@brand)|^prototype$/.test(member.name)) return []
      if (!node.getSourceFile().fileName.startsWith(this.#sources)) return []
      const signature = memberSignature(headOf(node))
      if (signature.startsWith('private ')) return []
      const name = member.name.startsWith('__@') ? '[Symbol.asyncDispose]' : member.name
      return [{ name, signature, doc: member.getDocumentationComment(this.#checker) }]
    })
  }

  #node(symbol: TsSymbol): SourceNode | undefined {
    return symbol.declarations[0]?.resolve(this.#project) as unknown as SourceNode | undefined
  }
}

/** A getter reads like the property that it is. */
function memberSignature(head: string): string {
  const getter = /^get (\w+)\(\)(: .*)$/s.exec(head)
  const text = getter === null ? head : `${getter[1]}${getter[2]}`
  return oneLine(text.replace(/^(public |readonly |async )+/, ''))
}

const ALIAS = 2 ** 21

function isAlias(symbol: TsSymbol): boolean {
  return (symbol.flags & ALIAS) !== 0
}

/** The text of a declaration up to its body or members, without `export`, `async` and `*`. */
function headOf(node: SourceNode): string {
  const start = node.getStart()
  const end = node.body?.pos ?? node.end
  const whole = node.getSourceFile().text.slice(start, end).trim()
  const head = /^export (?:abstract )?(?:class|interface)\b/.test(whole)
    ? whole.slice(0, bodyStart(whole))
    : whole
  return head
    .replace(/^export /, '')
    .replace(/^((?:static )?)async \*?/, '$1')
    .replace(/^\*/, '')
    .trim()
}

/** Where the members of a class or interface begin: the first brace outside of angle brackets. */
function bodyStart(text: string): number {
  let depth = 0
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]
    if (letter === '<') depth++
    else if (letter === '>' && text[i - 1] !== '=') depth--
    else if (letter === '{' && depth === 0) return i
  }
  return text.length
}

/** Comments inside are left out; members of a type in braces are separated. */
function oneLine(text: string): string {
  return text
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/([^{;,(<|&\s])\n\s+(?=[\w?]+[(:?])/g, '$1; ')
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/([(<]) /g, '$1')
    .replaceAll(/ ([)>])/g, '$1')
    .trim()
}
