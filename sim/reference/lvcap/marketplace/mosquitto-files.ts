/** The files that a mosquitto is given to be the Data Marketplace's broker: mosquitto.conf(5), as of version 2.0. */
import { isIPv4, isIPv6 } from 'node:net'
import { join } from 'node:path'
import { sessionNames, topics } from '../api.ts'
import type { MarketplaceConfig } from '../config.ts'
import { LvcapError } from '../errors.ts'
import { identityOf, publishFilters, type Directory } from './acl.ts'

/** Name on the certificate of the marketplace itself, which is a client of its own broker to publish refusals. */
export const ownName = 'marketplace'

/**
 * Its configuration. `folder` holds the list of rights, and is where it keeps sessions and retained messages; `user` is
 * whom it runs as where it is started by root.
 * @throws LvcapError `config` for a name with a line break in it.
 */
export function configText(config: MarketplaceConfig, folder: string, user: string): string {
  const family = isIPv4(config.address) ? 'ipv4' : isIPv6(config.address) ? 'ipv6' : undefined
  const lines: readonly (readonly [string, string | number | boolean])[] = [
    ['user', user],
    ['listener', `${config.port} ${config.address}`],
    ...(family === undefined ? [] : [['socket_domain', family] as const]),
    // The lowest version; TLS 1.3 is offered too.
    ['tls_version', 'tlsv1.2'],
    ['cafile', join(config.pki, 'ca.crt')],
    ['crlfile', join(config.pki, 'ca.crl')],
    ['certfile', join(config.pki, 'broker.crt')],
    ['keyfile', join(config.pki, 'broker.key')],
    ['require_certificate', true],
    ['allow_anonymous', false],
    // Who somebody is, and which session is whose, follows from the certificate alone: with a client ID of his own
    // choice anybody could end anybody's session.
    ['use_identity_as_username', true],
    ['use_username_as_clientid', true],
    ['acl_file', join(folder, 'acl')],
    // Without it a connection over TLS waits for a delayed acknowledgement of TCP, some 40 ms.
    ['set_tcp_nodelay', true],
    ['persistence', true],
    ['persistence_location', `${folder}/`],
    // Seconds between two times that sessions and retained messages are written. Ours.
    ['autosave_interval', 30],
    // What a session is owed while its client is away is kept, as with the other broker.
    ['max_queued_messages', 0],
    ['sys_interval', 0],
    ['log_dest', 'stderr'],
    ['log_timestamp', false],
    // `debug` tells denied publications and last wills.
    ...['error', 'warning', 'notice', 'information', 'debug'].map((t) => ['log_type', t] as const),
  ]
  const broken = lines.find(([, value]) => /[\r\n]/.test(String(value)))
  if (broken !== undefined)
    throw new LvcapError(
      'config',
      `mosquitto's ${broken[0]} cannot be ${JSON.stringify(broken[1])}: it is one line`,
    )
  return lines.map(([key, value]) => `${key} ${String(value)}\n`).join('')
}

/** Who may publish what: the same as `mayPublish` of acl.ts has it. Everybody with a good certificate may subscribe. */
export function aclText(config: MarketplaceConfig): string {
  const directory: Directory = { managerIid: config.managerIid, apps: config.apps }
  const names = new Set(['container-manager', 'operator', ...config.apps.map((a) => a.apid)])
  const rights = new Map([...names].map((name) => [name, publishFilters(identityOf(name, directory))]))
  const users = [
    ...rights,
    // An application's further sessions are the application.
    ...config.apps.flatMap(({ apid }) =>
      sessionNames.map((s) => [`${apid}.${s}`, rights.get(apid) ?? []] as const),
    ),
    [ownName, [topics.error(config.iid)]] as const,
  ]
  const sections = new Map(users)
  return [
    'pattern read #\n',
    ...[...sections].map(
      ([name, filters]) => `\nuser ${name}\n${filters.map((f) => `topic write ${f}\n`).join('')}`,
    ),
  ].join('')
}
