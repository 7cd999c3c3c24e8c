/** Runs a command of the program in this process; what it printed, and its exit code. */
import { Writable } from 'node:stream'
import { main } from '../../src/cli/main.ts'

export async function runCli(
  ...words: string[]
): Promise<{ code: number; out: string; err: string }> {
  const texts = { out: '', err: '' }
  const sink = (name: 'out' | 'err') =>
    new Writable({
      write(chunk, _encoding, done) {
        texts[name] += String(chunk)
        done()
      }
    })
  const code = await main(words, {
    stdout: sink('out'),
    stderr: sink('err'),
    interactive: false,
    width: 80,
    errInteractive: false,
    stopSignal: new AbortController().signal
  })
  return { code, ...texts }
}
