/** A broker that a rig names: whether it is there, who it is, and whether it lets the bench in. */
import { readFileSync } from 'node:fs'
import { connect as tcpConnect, isIP } from 'node:net'
import { connect as tlsConnect } from 'node:tls'
import { X509Certificate } from 'node:crypto'
import mqtt from 'mqtt'
import type { IClientOptions } from 'mqtt'
import { messageOf } from '../../../drivers/errors.ts'
import type { LabDoor } from '../../rigs/lab.ts'
import { inTime, judge } from './certificate.ts'
import { missing, ok } from './finding.ts'
import type { Finding } from './finding.ts'

/** How long a broker may take to answer, ms; ours. */
const patience = 5000

function readable(what: string, file: string, found: Finding[]): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (e) {
    found.push(
      missing(
        'file',
        `${what} cannot be read: ${messageOf(e)}`,
        'put the file where the rig names it, readable by this user',
      ),
    )
    return undefined
  }
}

/** Looks at one door of a rig; `name` as the rig calls it. */
export async function broker(name: string, door: LabDoor, now = Date.now()): Promise<readonly Finding[]> {
  const found: Finding[] = []
  const place = `${door.host}:${door.port}`
  const tls = door.tls
  const ca = tls === undefined ? undefined : readable(`the authority of ${name}`, tls.ca, found)
  const certificate =
    tls?.cert === undefined ? undefined : readable(`the certificate for ${name}`, tls.cert, found)
  const key = tls?.key === undefined ? undefined : readable(`the key for ${name}`, tls.key, found)
  if (ca !== undefined && certificate !== undefined)
    found.push(
      ...judge({
        what: `the certificate for ${name}`,
        certificate,
        ...(key === undefined ? {} : { key }),
        ca,
        name: door.clientId,
        now,
      }),
    )
  const there = await reached(door)
  if (there !== undefined)
    return [
      ...found,
      missing(
        'broker',
        `${name} at ${place} is not reached: ${there}`,
        'is it on, is the address right, does a firewall stand between?',
      ),
    ]
  found.push(ok('broker', `${name} at ${place} takes connections`))
  if (tls !== undefined && ca === undefined) return found
  if (ca !== undefined) found.push(...(await peer(name, door, ca, now)))
  const refused = await refusal(door, { ca, certificate, key })
  found.push(
    refused === undefined
      ? ok('login', `${name} lets '${door.clientId}' in`)
      : missing(
          'login',
          `${name} does not let '${door.clientId}' in: ${refused}`,
          'look at its log; enrol the certificate, client ID and user name of the bench there',
        ),
  )
  return found
}

/** Why no TCP connection comes about; nothing where one does. */
function reached(door: LabDoor): Promise<string | undefined> {
  return new Promise((done) => {
    const socket = tcpConnect({ host: door.host, port: door.port })
    const end = (why: string | undefined): void => {
      socket.destroy()
      done(why)
    }
    socket.setTimeout(patience, () => end(`no answer within ${patience / 1000} s`))
    socket.once('error', (e) => end(messageOf(e)))
    socket.once('connect', () => end(undefined))
  })
}

/** The broker's own certificate: its authority, its time, its names. */
function peer(name: string, door: LabDoor, ca: string, now: number): Promise<readonly Finding[]> {
  const wanted = door.tls?.serverName ?? door.host
  const what = `the certificate of ${name}`
  return new Promise((done) => {
    const socket = tlsConnect({
      host: door.host,
      port: door.port,
      ca,
      servername: isIP(wanted) === 0 ? wanted : '',
      // It is judged here, so that each reason is told.
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    })
    const end = (found: readonly Finding[]): void => {
      socket.destroy()
      done(found)
    }
    socket.setTimeout(patience, () =>
      end([
        missing('tls', `${name} does not answer by TLS within ${patience / 1000} s`, 'is it a plain port?'),
      ]),
    )
    socket.on('error', (e) =>
      end([
        missing('tls', `no TLS with ${name}: ${messageOf(e)}`, 'is it a plain port, or its TLS too old?'),
      ]),
    )
    socket.once('secureConnect', () => {
      const raw = socket.getPeerCertificate().raw as Buffer | undefined
      const found: Finding[] = [ok('tls', `${name} speaks ${socket.getProtocol() ?? 'TLS'}`)]
      if (raw === undefined)
        return end([
          ...found,
          missing('certificate', `${name} shows no certificate`, 'look at its configuration'),
        ])
      const c = new X509Certificate(raw)
      found.push(inTime(what, c, now))
      if (!socket.authorized && !/EXPIRED|NOT_YET/.test(String(socket.authorizationError)))
        found.push(
          missing(
            'chain',
            `${what} is of another authority than the file given as ca (${String(socket.authorizationError)})`,
            'take the ca that issued it',
          ),
        )
      const fits = isIP(wanted) === 0 ? c.checkHost(wanted) : c.checkIP(wanted)
      found.push(
        fits === undefined
          ? missing(
              'name',
              `${what} is not for '${wanted}' but for ${c.subjectAltName ?? c.subject.replaceAll('\n', ', ')}`,
              'set tls.serverName in the rig to a name that it bears',
            )
          : ok('name', `${what} is for '${wanted}'`),
      )
      end(found)
    })
  })
}

interface Pems {
  readonly ca: string | undefined
  readonly certificate: string | undefined
  readonly key: string | undefined
}

/** Why the broker does not let the bench in; nothing where it does. */
function refusal(door: LabDoor, p: Pems): Promise<string | undefined> {
  let password: string | undefined
  try {
    password =
      door.passwordFile === undefined ? undefined : readFileSync(door.passwordFile, 'utf8').split(/\r?\n/)[0]
  } catch (e) {
    return Promise.resolve(messageOf(e))
  }
  const options: IClientOptions = {
    protocol: door.tls === undefined ? 'mqtt' : 'mqtts',
    host: door.host,
    port: door.port,
    clientId: door.clientId,
    ...(door.username === undefined ? {} : { username: door.username }),
    ...(password === undefined ? {} : { password }),
    ...(p.ca === undefined ? {} : { ca: p.ca }),
    ...(p.certificate === undefined ? {} : { cert: p.certificate }),
    ...(p.key === undefined ? {} : { key: p.key }),
    // Who the broker is has been judged; here it is asked for the bench's own rights alone.
    rejectUnauthorized: false,
    reconnectPeriod: 0,
    connectTimeout: patience,
  }
  return new Promise((done) => {
    const client = mqtt.connect(options)
    const end = (why: string | undefined): void => {
      client.end(true)
      done(why)
    }
    client.once('connect', () => end(undefined))
    client.on('error', (e) => end(messageOf(e)))
    client.once('close', () => end('it closed the connection'))
  })
}
