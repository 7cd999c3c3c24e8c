import { openTempLog } from '../helpers/embedded-log.ts'
import { messageLogConformance } from './message-log.conformance.ts'

messageLogConformance(
  'embedded log',
  async () => {
    const temp = await openTempLog()
    return {
      log: temp.log,
      reopen: async () => {
        await temp.log.close()
        return temp.another()
      },
      close: () => temp.close()
    }
  },
  { shortSessionMs: 1_000 }
)
