/** The terminal of the process: signals, closed pipes, and an orderly exit. */
import type { Terminal } from './terminal.ts'

/** Exit codes of a process ended by a signal: 128 and the signal's number. */
const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const

export function systemTerminal(): { terminal: Terminal; exit(code: number): void } {
  const { stdout, stderr } = process
  const controller = new AbortController()
  for (const stream of [stdout, stderr]) {
    stream.on('error', error => {
      if ((error as NodeJS.ErrnoException).code === 'EPIPE') process.exit(0)
      throw error
    })
  }
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (controller.signal.aborted) process.exit(signalCodes[name])
      controller.abort(new DOMException(`stopped by ${name}`, 'AbortError'))
    })
  }
  const terminal: Terminal = {
    stdout,
    stderr,
    interactive: stdout.isTTY === true,
    get width() {
      return stdout.isTTY === true ? stdout.columns : 80
    },
    errInteractive: stderr.isTTY === true,
    stopSignal: controller.signal
  }
  return { terminal, exit: code => exitWhenWritten(code) }
}

/** Leaves when everything written has reached the pipe, even if something still holds the process. */
function exitWhenWritten(code: number): void {
  process.exitCode = code
  process.stdout.write('', () => process.stderr.write('', () => process.exit(code)))
}
