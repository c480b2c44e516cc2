/**
 * The Data Marketplace with Debian's mosquitto as its broker: a child process that this program configures, watches and
 * ends. Certificates, rights and the list of revoked certificates say the same as with the other broker (main.ts); what
 * differs stands in the platform's README. The kernel ends mosquitto when this program is gone, however that came about.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { marketplaceSchema, parseConfig, type MarketplaceConfig } from '../config.ts'
import { aborted, wallClock, type Json, type ProgramEnv } from '../env.ts'
import { LvcapError, textOf } from '../errors.ts'
import { openSession, type Session } from '../sdk/session.ts'
import { lists } from '../x509.ts'
import { identityOf, mayPublish, type Directory } from './acl.ts'
import { aclText, configText, ownName } from './mosquitto-files.ts'
import { logReader, type Told } from './mosquitto-log.ts'
import { findProgram, mosquittoLacks } from './mosquitto-programs.ts'
import { errorOf, type Refusal } from './refusals.ts'

/** How long mosquitto may take to end when it is asked to, in ms. Ours. */
const patience = 3_000

/** Serves until `env.term`; 0 then, 1 where mosquitto cannot be started or ends by itself. */
export async function main(env: ProgramEnv): Promise<number> {
  const config = parseConfig(marketplaceSchema, env.config, 'the configuration of the Data Marketplace')
  let child: ChildProcess
  try {
    child = startBroker(config, env)
  } catch (error) {
    env.log({ event: 'failed', text: textOf(error) })
    return 1
  }
  const ended = endOf(child)
  const directory: Directory = { managerIid: config.managerIid, apps: config.apps }
  let session: Session | undefined
  let lastTrouble = ''

  const hear = (told: Told): void => {
    if (told.tells === 'running') {
      session = openOwn(config, env)
      env.log({ event: 'listening', address: config.address, port: config.port })
      return
    }
    if (told.tells === 'trouble') lastTrouble = told.text
    const { entry, refusal } = judge(told, directory)
    if (entry !== undefined) env.log(entry)
    if (refusal !== undefined && session !== undefined) publish(session, config, refusal, env)
  }
  const read = logReader()
  if (child.stderr !== null)
    createInterface({ input: child.stderr }).on('line', (line) => {
      for (const told of read(line)) hear(told)
    })

  await Promise.race([ended, aborted(env.term)])
  const byItself = !env.term.aborted
  await session?.close(1_000)
  if (byItself) {
    const text = lastTrouble === '' ? `it ended (${String(await ended)})` : lastTrouble
    env.log({ event: 'failed', text: `${session === undefined ? 'Cannot listen' : 'mosquitto'}: ${text}` })
    return 1
  }
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), patience)
  await ended
  clearTimeout(timer)
  return 0
}

/**
 * Writes its files into a folder of the program's own, and starts it.
 * @throws LvcapError `config` where it is not installed; `certificate` where a revoked certificate is not on the list
 * that the authority has signed, so that it would be let in.
 */
function startBroker(config: MarketplaceConfig, env: ProgramEnv): ChildProcess {
  const lacks = mosquittoLacks()
  const [mosquitto, setpriv] = [findProgram('mosquitto'), findProgram('setpriv')]
  if (mosquitto === undefined || setpriv === undefined) throw new LvcapError('config', lacks.join('; '))
  const revocationList = readFileSync(join(config.pki, 'ca.crl'), 'utf8')
  const unlisted = config.revoked.filter((serial) => !lists(revocationList, serial))
  if (unlisted.length > 0)
    throw new LvcapError(
      'certificate',
      `ca.crl in ${config.pki} does not list ${unlisted.join(', ')}: the authority must sign a list that does`,
    )
  const folder = join(env.disk, 'marketplace')
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const file = join(folder, 'mosquitto.conf')
  writeFileSync(file, configText(config, folder, userInfo().username), { mode: 0o600 })
  writeFileSync(join(folder, 'acl'), aclText(config), { mode: 0o600 })
  return spawn(setpriv, ['--pdeathsig', 'KILL', '--', mosquitto, '-c', file], {
    cwd: folder,
    env: {},
    stdio: ['ignore', 'ignore', 'pipe'],
  })
}

/** Exit code, name of the signal, or why it could not be started. */
function endOf(child: ChildProcess): Promise<number | string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(textOf(error)))
    child.once('close', (code, signal) => resolve(code ?? signal ?? 1))
  })
}

/** What is written of it in the log, and what is published as a refusal. */
function judge(
  told: Exclude<Told, { tells: 'running' }>,
  directory: Directory,
): { readonly entry?: Json; readonly refusal?: Refusal } {
  const refused = (refusal: Refusal): { entry: Json; refusal: Refusal } => ({
    entry: { event: 'refused', ...refusal },
    refusal,
  })
  if ('name' in told && told.name === ownName) return {}
  switch (told.tells) {
    case 'connected':
      // The client ID that was claimed is not told: the name on the certificate has taken its place.
      return { entry: { event: 'connected', identity: told.name, address: told.address } }
    case 'will':
      // It is let in, and its last will is not spoken.
      if (mayPublish(identityOf(told.name, directory), told.topic)) return {}
      return refused({
        reason: 'will-topic',
        identity: told.name,
        address: told.address,
        topic: told.topic,
      })
    case 'disconnected':
      return { entry: { event: 'disconnected', identity: told.name } }
    case 'replaced':
      return {
        entry: {
          event: 'warning',
          identity: told.name,
          text: 'a second session with the same certificate has ended the first',
        },
      }
    case 'denied':
      return refused({
        reason: 'publish-topic',
        identity: told.name,
        address: 'unknown',
        topic: told.topic,
      })
    case 'refused':
      return refused({
        reason: told.reason,
        identity: 'unknown',
        address: told.address,
        detail: told.detail,
      })
    case 'trouble':
      return { entry: { event: 'trouble', text: told.text } }
    default:
      return told satisfies never
  }
}

/** The marketplace's own session, to publish refusals. */
function openOwn(config: MarketplaceConfig, env: ProgramEnv): Session {
  return openSession(
    { pki: config.pki, name: 'broker', address: config.address, port: config.port },
    { clientId: ownName, username: ownName, clean: true },
    (text) => env.log({ event: 'trouble', text }),
  )
}

/** Refusals are errors, which are stored (section 8.2.4). */
function publish(session: Session, config: MarketplaceConfig, refusal: Refusal, env: ProgramEnv): void {
  const { topic, payload } = errorOf(refusal, config.iid, wallClock())
  session.publish({ topic, payload, qos: 1, retain: false }).catch((error: unknown) => {
    if (error instanceof LvcapError && error.code === 'closed') return
    env.log({ event: 'trouble', text: textOf(error) })
  })
}
