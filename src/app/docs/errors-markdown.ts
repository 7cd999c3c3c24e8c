/** `docs/errors.md` as text, from the table of error codes; a test keeps the file equal to it. */
import { errorCodes } from '../../core/index.ts'

/** The whole page, ending in a newline. */
export function errorsMarkdown(): string {
  const rows = Object.entries(errorCodes).map(
    ([code, { errorClass, meaning, remedy }]) =>
      `| \`${code}\` | ${errorClass} | ${meaning} | ${remedy} |`
  )
  return `${[...intro, ...rows].join('\n')}\n`
}

const intro = [
  '# Errors',
  '',
  'Generated from `src/core/error-codes.ts` by `npm run docs`; a test keeps both equal.',
  '',
  'The class says whether a retry can help: `transient`, `unknown` and `auth` errors are tried again,',
  '`permanent` ones are not, `circuit_open` waits without using up an attempt. Who throws an error may',
  'give it another class than the one listed, when more is known.',
  '',
  '| Code | Class | Meaning | What to do |',
  '| --- | --- | --- | --- |'
]
