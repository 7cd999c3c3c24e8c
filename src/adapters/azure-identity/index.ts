/** Tokens of Microsoft Entra ID by the default Azure chain: environment, workload identity, managed identity, CLI. */
import type { TokenCredential } from '@azure/identity'
import { BrokerError } from '../../core/index.ts'

/** Gives a token for the scope that is valid for a while; the library keeps and refreshes it. */
export function entraToken(scope: string): () => Promise<string> {
  let credential: Promise<TokenCredential> | undefined
  return async () => {
    // Loaded at the first use: most deployments never need it.
    credential ??= import('@azure/identity').then(azure => new azure.DefaultAzureCredential())
    try {
      const token = await (await credential).getToken(scope)
      if (token !== null) return token.token
    } catch (error) {
      throw new BrokerError('BROKER_ACCESS', `No Entra ID token for ${scope} can be had`, {
        cause: error
      })
    }
    throw new BrokerError('BROKER_ACCESS', `No Entra ID token for ${scope} can be had`)
  }
}
