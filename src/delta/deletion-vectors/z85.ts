/**
 * Z85 (https://rfc.zeromq.org/spec/32/): four bytes as five characters that need no escape in JSON. The
 * log uses it for inline deletion vectors and for the ids of their files.
 */
const ALPHABET =
  '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#'
const DIGITS = new Map([...ALPHABET].map((character, value) => [character, value]))

/** Bytes beyond a multiple of four are filled up with zeros; the reader knows the true length. */
export function encodeZ85(bytes: Uint8Array): string {
  let text = ''
  for (let i = 0; i < bytes.length; i += 4) {
    let word = 0
    for (let j = 0; j < 4; j++) word = word * 256 + (bytes[i + j] ?? 0)
    let block = ''
    for (let j = 0; j < 5; j++) {
      block = `${ALPHABET[word % 85]}${block}`
      word = Math.floor(word / 85)
    }
    text += block
  }
  return text
}

/** Undefined when the text is no Z85 or holds fewer bytes than wanted. */
export function decodeZ85(text: string, length = (text.length / 5) * 4): Uint8Array | undefined {
  if (text.length % 5 !== 0 || (text.length / 5) * 4 < length) return undefined
  const bytes = new Uint8Array((text.length / 5) * 4)
  for (let i = 0; i < text.length; i += 5) {
    let word = 0
    for (let j = 0; j < 5; j++) {
      const digit = DIGITS.get(text[i + j] ?? '')
      if (digit === undefined) return undefined
      word = word * 85 + digit
    }
    if (word > 0xffff_ffff) return undefined
    const at = (i / 5) * 4
    for (let j = 3; j >= 0; j--) {
      bytes[at + j] = word % 256
      word = Math.floor(word / 256)
    }
  }
  return bytes.subarray(0, length)
}

export function encodeUuid(uuid: string): string {
  return encodeZ85(Buffer.from(uuid.replaceAll('-', ''), 'hex'))
}

/** The canonical text of the id, undefined when it is none. */
export function decodeUuid(text: string): string | undefined {
  const bytes = decodeZ85(text, 16)
  if (bytes === undefined || text.length !== 20) return undefined
  const hex = Buffer.from(bytes).toString('hex')
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
