/**
 * Classifies IP addresses on their bytes. Own code, because libraries for this have let spellings
 * through (field-notes.md section 6): what does not parse strictly is not public.
 */

/** 4 or 16 bytes; undefined when the text is not a plain, canonical-syntax address. */
export function parseIp(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseV6(text) : parseV4(text)
}

/** True when the address is globally reachable unicast: the only kind a download may go to. */
export function isPublicIp(text: string): boolean {
  const bytes = parseIp(text)
  return bytes !== undefined && isPublicBytes(bytes)
}

export function isLoopbackIp(text: string): boolean {
  const bytes = parseIp(text)
  if (bytes === undefined) return false
  if (bytes.length === 4) return bytes[0] === 127
  return bytes.every((byte, i) => byte === (i === 15 ? 1 : 0))
}

/** Network, prefix length: what is not public in IPv4 (IANA special-purpose registry, multicast). */
const BLOCKED_V4: readonly (readonly [readonly number[], number])[] = [
  [[0, 0, 0, 0], 8],
  [[10, 0, 0, 0], 8],
  [[100, 64, 0, 0], 10],
  [[127, 0, 0, 0], 8],
  [[168, 63, 129, 16], 32],
  [[169, 254, 0, 0], 16],
  [[172, 16, 0, 0], 12],
  [[192, 0, 0, 0], 24],
  [[192, 0, 2, 0], 24],
  [[192, 88, 99, 0], 24],
  [[192, 168, 0, 0], 16],
  [[198, 18, 0, 0], 15],
  [[198, 51, 100, 0], 24],
  [[203, 0, 113, 0], 24],
  [[224, 0, 0, 0], 3]
]

/** Inside 2000::/3, the only global unicast block in use. */
const BLOCKED_V6: readonly (readonly [readonly number[], number])[] = [
  [[0x20, 0x01, 0x00], 23],
  [[0x20, 0x01, 0x0d, 0xb8], 32],
  [[0x20, 0x02], 16],
  [[0x3f, 0xfe], 16],
  [[0x3f, 0xff, 0x00], 20]
]

function isPublicBytes(bytes: Uint8Array): boolean {
  if (bytes.length === 4) return !BLOCKED_V4.some(([net, bits]) => inNetwork(bytes, net, bits))
  // Everything outside 2000::/3 is refused as a whole: loopback, unspecified, mapped and compatible
  // IPv4, NAT64 (64:ff9b::/96 and 64:ff9b:1::/48), discard, unique local, link local, multicast.
  if (!inNetwork(bytes, [0x20], 3)) return false
  return !BLOCKED_V6.some(([net, bits]) => inNetwork(bytes, net, bits))
}

function inNetwork(bytes: Uint8Array, network: readonly number[], bits: number): boolean {
  for (let bit = 0; bit < bits; bit += 8) {
    const mask = bits - bit >= 8 ? 0xff : (0xff << (8 - (bits - bit))) & 0xff
    const index = bit >> 3
    if (((bytes[index] ?? 0) & mask) !== ((network[index] ?? 0) & mask)) return false
  }
  return true
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  const bytes = new Uint8Array(4)
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9]\d{0,2})$/.test(part) || Number(part) > 255) return undefined
    bytes[i] = Number(part)
  }
  return bytes
}

function parseV6(text: string): Uint8Array | undefined {
  // A zone names an interface of this machine; no public address has one.
  if (!/^[0-9a-fA-F:.]+$/.test(text)) return undefined
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0] ?? '')
  const tail = halves.length === 2 ? groups(halves[1] ?? '') : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 16 - head.length - tail.length
  if (halves.length === 2 ? missing < 2 : missing !== 0) return undefined
  return Uint8Array.from([...head, ...new Array<number>(missing).fill(0), ...tail])
}

function groups(text: string): number[] | undefined {
  if (text === '') return []
  const bytes: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (part.includes('.')) {
      const v4 = i === parts.length - 1 ? parseV4(part) : undefined
      if (v4 === undefined) return undefined
      bytes.push(...v4)
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined
      const value = Number.parseInt(part, 16)
      bytes.push(value >> 8, value & 0xff)
    }
  }
  return bytes
}
