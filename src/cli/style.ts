/** Colours of the terminal, or none. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
  warn(text: string): string
  accent(text: string): string
}

export function createStyle(color: boolean): Style {
  const paint =
    (code: string) =>
    (text: string): string =>
      color ? `\x1b[${code}m${text}\x1b[0m` : text
  return {
    bold: paint('1'),
    dim: paint('2'),
    good: paint('32'),
    bad: paint('31'),
    warn: paint('33'),
    accent: paint('36')
  }
}
