/**
 * What a file is, by its first bytes, and whether that agrees with its name and with the type that the
 * server declared (reference/operations.md section 4.2, its gaps closed).
 */

/** Bytes that `sniff` wants to see, if the file has them. */
export const sniffBytes = 1024

export type Content =
  | 'jpeg'
  | 'png'
  | 'gif'
  | 'bmp'
  | 'tiff'
  | 'webp'
  | 'heic'
  | 'pdf'
  | 'mp4'
  | 'mov'
  | 'zip'
  | 'ole'
  | 'html'
  | 'xml'
  | 'text'
  | 'unknown'

interface FileType {
  /** Contents that a file of this extension may have. */
  readonly contents: readonly Content[]
  /** Types that a server may declare for it, beside the generic ones; the first is its own. */
  readonly types: readonly string[]
}

const jpeg: FileType = { contents: ['jpeg'], types: ['image/jpeg', 'image/jpg', 'image/pjpeg'] }
const tiff: FileType = { contents: ['tiff'], types: ['image/tiff', 'image/tif'] }
const html: FileType = {
  contents: ['html', 'xml', 'text'],
  types: ['text/html', 'application/xhtml+xml']
}
const heic: FileType = {
  contents: ['heic'],
  types: ['image/heic', 'image/heif', 'image/heic-sequence', 'image/heif-sequence']
}
const zipTypes = ['application/zip', 'application/x-zip-compressed']

const byExtension: Readonly<Record<string, FileType>> = {
  pdf: { contents: ['pdf'], types: ['application/pdf', 'application/x-pdf'] },
  xml: { contents: ['xml'], types: ['application/xml', 'text/xml', 'text/plain'] },
  txt: { contents: ['text'], types: ['text/plain'] },
  csv: {
    contents: ['text'],
    types: ['text/csv', 'application/csv', 'text/plain', 'application/vnd.ms-excel']
  },
  json: { contents: ['text'], types: ['application/json', 'text/json', 'text/plain'] },
  html,
  htm: html,
  xls: { contents: ['ole'], types: ['application/vnd.ms-excel'] },
  doc: { contents: ['ole'], types: ['application/msword'] },
  xlsx: {
    contents: ['zip'],
    types: ['application/vnd.openxmlformats-officedocument.spreadsheetml.sheet', ...zipTypes]
  },
  docx: {
    contents: ['zip'],
    types: ['application/vnd.openxmlformats-officedocument.wordprocessingml.document', ...zipTypes]
  },
  esx: { contents: ['zip'], types: zipTypes },
  jpg: jpeg,
  jpeg,
  png: { contents: ['png'], types: ['image/png', 'image/x-png'] },
  gif: { contents: ['gif'], types: ['image/gif'] },
  bmp: { contents: ['bmp'], types: ['image/bmp', 'image/x-bmp', 'image/x-ms-bmp'] },
  tif: tiff,
  tiff,
  webp: { contents: ['webp'], types: ['image/webp'] },
  heic,
  heif: heic,
  // Phones and servers use the two containers' names interchangeably.
  mov: { contents: ['mov', 'mp4'], types: ['video/quicktime', 'video/mp4'] },
  mp4: { contents: ['mp4', 'mov'], types: ['video/mp4', 'video/quicktime'] }
}

const genericTypes = new Set([
  'application/octet-stream',
  'binary/octet-stream',
  'application/force-download'
])

const typeOfContent: Readonly<Partial<Record<Content, string>>> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  gif: 'image/gif',
  bmp: 'image/bmp',
  tiff: 'image/tiff',
  webp: 'image/webp',
  heic: 'image/heic',
  pdf: 'application/pdf',
  mp4: 'video/mp4',
  mov: 'video/quicktime'
}

/** Lower case, without parameters; null when absent or empty. */
export function normalType(header: string | undefined): string | null {
  const type = header?.split(';')[0]?.trim().toLowerCase() ?? ''
  return type === '' ? null : type
}

/** Extension that decides, in lower case: of the name, else of the URL's path, else of its query. */
export function extensionOf(fileName: string, url: URL): string | undefined {
  const { searchParams } = url
  const queryName = ['filename', 'file', 'name'].map(key => searchParams.get(key))
  for (const name of [fileName, url.pathname, ...queryName]) {
    const extension = /\.([A-Za-z0-9]{1,10})$/.exec(name?.trim() ?? '')?.[1]
    if (extension !== undefined) return extension.toLowerCase()
  }
  return undefined
}

export type TypeVerdict =
  | { readonly ok: true; readonly contentType: string | null }
  | { readonly ok: false; readonly why: string }

/** Compares content, name and declared type. A name without extension leaves it to the content. */
export function judge(
  content: Content,
  extension: string | undefined,
  declared: string | null
): TypeVerdict {
  const type = extension === undefined ? typeFor(content) : byExtension[extension]
  if (type === undefined) {
    return { ok: false, why: `files of type .${extension ?? 'unknown'} are not allowed` }
  }
  if (!type.contents.includes(content)) {
    return { ok: false, why: `the name says .${extension ?? 'unknown'}, the content is ${content}` }
  }
  if (declared !== null && !genericTypes.has(declared) && !type.types.includes(declared)) {
    return { ok: false, why: `the server says ${declared.slice(0, 80)}, the content is ${content}` }
  }
  return { ok: true, contentType: typeOfContent[content] ?? type.types[0] ?? declared }
}

function typeFor(content: Content): FileType | undefined {
  const own = typeOfContent[content]
  return Object.values(byExtension).find(type => own !== undefined && type.types[0] === own)
}

/** Content by its first bytes; `unknown` is binary that no allowed type has. */
export function sniff(head: Buffer): Content {
  return bySignature(head) ?? isoMedia(head) ?? text(head)
}

function bySignature(head: Buffer): Content | undefined {
  const ascii = head.toString('latin1', 0, 16)
  if (head[0] === 0xff && head[1] === 0xd8 && head[2] === 0xff) return 'jpeg'
  if (ascii.startsWith('\x89PNG\r\n\x1a\n')) return 'png'
  if (ascii.startsWith('GIF87a') || ascii.startsWith('GIF89a')) return 'gif'
  if (ascii.startsWith('BM') && head.length > 26 && head.readUInt32LE(6) === 0) return 'bmp'
  if (/^(II[*+]\0|MM\0[*+])/.test(ascii)) return 'tiff'
  if (ascii.startsWith('RIFF') && ascii.slice(8, 12) === 'WEBP') return 'webp'
  if (ascii.startsWith('PK\x03\x04') || ascii.startsWith('PK\x05\x06')) return 'zip'
  if (ascii.startsWith('\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1')) return 'ole'
  // Readers accept a header that does not start the file.
  return head.subarray(0, 1024).includes('%PDF-') ? 'pdf' : undefined
}

const HEIC_BRANDS = new Set([
  'heic',
  'heix',
  'heim',
  'heis',
  'hevc',
  'hevx',
  'hevm',
  'hevs',
  'mif1',
  'msf1'
])
const QUICKTIME_BOXES = new Set(['moov', 'mdat', 'wide', 'free', 'skip', 'pnot'])

function isoMedia(head: Buffer): Content | undefined {
  const box = head.toString('latin1', 4, 8)
  if (box === 'ftyp') {
    const brand = head.toString('latin1', 8, 12)
    if (HEIC_BRANDS.has(brand)) return 'heic'
    if (brand === 'avif' || brand === 'avis') return 'unknown'
    return brand === 'qt  ' ? 'mov' : 'mp4'
  }
  return QUICKTIME_BOXES.has(box) && head.includes(0) ? 'mov' : undefined
}

function text(head: Buffer): Content {
  const utf16 = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)
  if (!utf16 && /[\x00-\x08\x0e-\x1a\x1c-\x1f]/.test(head.toString('latin1'))) return 'unknown'
  const start = head
    .toString(utf16 ? 'utf16le' : 'utf8')
    .replace(/^\ufeff/, '')
    .trimStart()
  if (/^(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|script)[\s>]/is.test(start)) return 'html'
  if (/^<(\?xml|!--|!doctype|[a-z_])/i.test(start)) return isXhtml(start) ? 'html' : 'xml'
  return 'text'
}

function isXhtml(start: string): boolean {
  return /<html[\s>]/i.test(start)
}
