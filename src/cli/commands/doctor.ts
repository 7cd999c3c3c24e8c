import { diagnose } from '../../app/index.ts'
import { type Command, configOptions, jsonOption } from '../command.ts'
import { configOf } from '../open.ts'
import { toJson, writeLine } from '../terminal.ts'

const marks = { ok: 'ok     ', warning: 'warning', failed: 'FAILED ' } as const

export const doctor: Command = {
  name: 'doctor',
  summary: 'Try everything the program needs here: disk, log, tables, API.',
  description: 'Exits 1 when something failed. Warnings do not count.',
  options: { ...configOptions, ...jsonOption },
  examples: ['claims-pipeline doctor', 'claims-pipeline doctor --json'],
  run: async (args, terminal) => {
    const results = await diagnose(configOf(args))
    const ok = results.every(result => result.state !== 'failed')
    if (args.flag('json')) {
      await writeLine(terminal.stdout, toJson({ ok, checks: results }))
      return ok ? 0 : 1
    }
    for (const { name, state, detail, remedy } of results) {
      await writeLine(terminal.stdout, `${marks[state]}  ${name}: ${detail}`)
      if (remedy !== '') await writeLine(terminal.stdout, `         To do: ${remedy}`)
    }
    return ok ? 0 : 1
  }
}
