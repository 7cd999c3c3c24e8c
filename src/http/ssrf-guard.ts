/**
 * Which URLs a download may touch (reference/operations.md section 4.1): https, exact host from a
 * list, default port, no user information, a public address. The check of the name happens before the
 * request, the check of the address inside the connection's own lookup, so that what is checked is
 * what is connected to. Used for every redirect hop.
 */
import { lookup as dnsLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { TransferError } from '../core/index.ts'
import { isLoopbackIp, isPublicIp, parseIp } from './ip-address.ts'

export interface SsrfGuardOptions {
  readonly allowedHosts: readonly string[]
  /** For tests: http and any port, but only to `localhost`, `127.0.0.1` and `[::1]`. */
  readonly allowInsecureLocalhost: boolean
}

export interface ResolvedAddress {
  readonly address: string
  readonly family: number
}

export type Resolve = (
  hostname: string,
  done: (error: Error | null, addresses: readonly ResolvedAddress[]) => void
) => void

const LOCAL_NAMES = new Set(['localhost', '127.0.0.1', '[::1]'])
const FOREIGN_SCHEME = /(file|dict|gopher|ftp|tftp|ldap|jar|data):(\/\/|%2f%2f)/i
const CONTROL_OR_BACKSLASH = /[\u0000-\u001f\u007f\\]/

export class SsrfGuard {
  readonly #hosts: ReadonlySet<string>
  readonly #insecure: boolean

  constructor(options: SsrfGuardOptions) {
    this.#hosts = new Set(options.allowedHosts.map(normalHost).filter(host => host !== ''))
    this.#insecure = options.allowInsecureLocalhost
  }

  /**
   * The URL, parsed, or `URL_REFUSED`. `from` is the URL that redirected here. A trailing dot of the
   * host is removed, so that the name that was checked is the one that is resolved.
   */
  check(text: string, from?: URL): URL {
    // The URL parser strips or rewrites these; a text that needs that is not from an honest API.
    if (CONTROL_OR_BACKSLASH.test(text)) throw refused('holds control characters or backslashes')
    const url = parse(text, from)
    if (url.username !== '' || url.password !== '' || hasUserinfo(text)) {
      throw refused('holds user information')
    }
    url.hostname = url.hostname.replace(/\.$/, '')
    url.hash = ''
    if (from?.protocol === 'https:' && url.protocol !== 'https:') {
      throw refused('redirects from https to another scheme')
    }
    if (this.#insecure && LOCAL_NAMES.has(url.hostname)) {
      checkLocal(url)
      return url
    }
    if (url.protocol !== 'https:') throw refused('is not https')
    if (url.port !== '') throw refused('names a port')
    if (!this.#hosts.has(url.hostname)) throw refused(`names a host that is not allowed`, url)
    const literal = url.hostname.replace(/^\[|\]$/g, '')
    if (looksLikeIp(url.hostname) && !isPublicIp(literal)) {
      throw refused('names an address that is not public', url)
    }
    return url
  }

  /**
   * The lookup of a connection: resolves, refuses the name when any of its addresses is not public, and
   * hands exactly the checked addresses to the connection.
   */
  lookup(resolve: Resolve = systemResolve): LookupFunction {
    return (hostname, options, callback) => {
      resolve(hostname, (error, addresses) => {
        const problem = error ?? this.#problem(hostname, addresses)
        const first = addresses[0]
        if (problem !== undefined || first === undefined) {
          callback(problem ?? refused('has no address'), [])
        } else if (options.all === true) callback(null, [...addresses])
        else callback(null, first.address, first.family)
      })
    }
  }

  #problem(hostname: string, addresses: readonly ResolvedAddress[]): Error | undefined {
    if (addresses.length === 0) return refused('resolves to no address')
    const local = this.#insecure && LOCAL_NAMES.has(hostname)
    const good = (address: string) => (local ? isLoopbackIp(address) : isPublicIp(address))
    return addresses.every(({ address }) => good(address))
      ? undefined
      : refused('resolves to an address that is not allowed')
  }
}

function parse(text: string, from: URL | undefined): URL {
  try {
    return new URL(text, from)
  } catch {
    throw refused('is not a URL')
  }
}

/** `https://@host` parses to an empty user name; look at the text as well. */
function hasUserinfo(text: string): boolean {
  const authority = /^(?:[a-z][a-z0-9+.-]*:)?\/\/([^/?#]*)/i.exec(text)?.[1]
  return authority?.includes('@') === true
}

function checkLocal(url: URL): void {
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw refused('is not http')
  const decoded = safeDecode(url.pathname)
  if (decoded.split(/[/\\]/).includes('..')) throw refused('climbs in its path')
  if (FOREIGN_SCHEME.test(url.search) || FOREIGN_SCHEME.test(safeDecode(url.search))) {
    throw refused('names a foreign scheme in its query')
  }
}

function safeDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw refused('is wrongly encoded')
  }
}

function looksLikeIp(hostname: string): boolean {
  return hostname.startsWith('[') || parseIp(hostname) !== undefined
}

function normalHost(host: string): string {
  return host.trim().toLowerCase().replace(/\.$/, '')
}

function refused(what: string, url?: URL): TransferError {
  const host = url === undefined ? '' : ` (host ${url.hostname})`
  return new TransferError('URL_REFUSED', `download URL ${what}${host}`)
}

function systemResolve(
  hostname: string,
  done: (error: Error | null, addresses: readonly ResolvedAddress[]) => void
): void {
  dnsLookup(hostname, { all: true, verbatim: true }, (error, addresses) =>
    done(error, addresses ?? [])
  )
}
