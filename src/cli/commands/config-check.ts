import { effectiveSettings } from '../../config/index.ts'
import { type Command, configOptions, jsonOption } from '../command.ts'
import { configOf } from '../open.ts'
import { toJson, writeLine } from '../terminal.ts'
import { textTable } from '../text-table.ts'

export const configCheck: Command = {
  name: 'config check',
  summary: 'Check the configuration; show every value in force and its origin.',
  description: 'Secrets are shown as set or not set, never in part.',
  options: { ...configOptions, ...jsonOption },
  examples: ['claims-pipeline config check', 'claims-pipeline config check --config claims.yaml'],
  run: async (args, terminal) => {
    const config = configOf(args)
    const rows = effectiveSettings(config)
    if (args.flag('json')) {
      await writeLine(terminal.stdout, toJson({ ok: true, settings: rows }))
      return 0
    }
    const lines = textTable(
      [{ header: 'SETTING' }, { header: 'VALUE' }, { header: 'ORIGIN' }],
      rows.map(row => [row.variable, row.value, row.origin]),
      terminal.interactive ? terminal.width : undefined
    )
    await writeLine(terminal.stdout, lines.join('\n'))
    await writeLine(terminal.stdout, '\nThe configuration is valid.')
    return 0
  }
}
