/**
 * Whoever commands the breakers, played by the bench: LoadSense, with LoadSense's own certificate on its control topics,
 * in every form that a command may take; and impostors, who command with a certificate of their own.
 */
import { connect } from 'mqtt'
import type { MqttClient } from 'mqtt'
import { GridproofError } from '../../drivers/errors.ts'
import type { Conn, Host, Instant, Json, Realm, SerialLine } from '../../drivers/faces.ts'
import type { Emit, Phase } from '../../sim/faces.ts'
import type { CommandForm, Commander } from '../faces.ts'
import { automationApps } from './apps.ts'
import { connectionAt } from './observer.ts'
import type { Door } from './observer.ts'
import { publisherApid, publishers } from './storage.ts'

/** Who the commander is, and who impostors are, for the marketplace's list of who may publish. */
export const commanderGuests: readonly { readonly apid: string; readonly iid: string }[] = [
  { apid: automationApps.loadsense.apid, iid: automationApps.loadsense.iid },
  { apid: publisherApid, iid: publishers.first },
]

export interface CommanderOptions {
  readonly door: Omit<Door, 'name'>
  readonly host: Pick<Host, 'kill'>
  readonly realm: Realm
  readonly emit: Emit
  readonly now: () => Instant
}

/** How long an acknowledgement may take, in ms: ours. */
const patience = 10_000
/** What commands that are not to be obeyed are dated by, in s: beyond the minute that a command may be old. Ours. */
const tooOld = 90
const tooEarly = 120

const all = ['l1', 'l2', 'l3'] as const

interface Message {
  readonly text: string
  /** LoadSense's word, to be obeyed by itself. */
  readonly counts: boolean
  readonly retain?: true
  readonly close: boolean
}

export function makeCommander(o: CommanderOptions): Commander & AsyncDisposable {
  const clients = new Map<string, { readonly client: MqttClient; readonly gone: Set<() => void> }>()
  /** What was last sent as a plain command, by phase and direction. */
  const last = new Map<string, string>()
  const clientOf = (apid: string): { readonly client: MqttClient; readonly gone: Set<() => void> } => {
    let c = clients.get(apid)
    if (c === undefined) {
      const client = connect({
        ...connectionAt({ ...o.door, name: apid }),
        clean: true,
        keepalive: 30,
        reconnectPeriod: 500,
        connectTimeout: patience,
      })
      const gone = new Set<() => void>()
      client.on('error', () => undefined)
      client.on('close', () => {
        for (const f of gone) f()
      })
      c = { client, gone }
      clients.set(apid, c)
    }
    return c
  }

  const scalar = (stamp: number, value: Json, valid = true): string =>
    JSON.stringify({ Timestamp: stamp, Value: value, Valid: valid, ToStore: true })

  const messagesOf = (phase: Phase, close: boolean, form: CommandForm, times: number): readonly Message[] => {
    const now = Math.floor(o.now() / 1000)
    const plain = scalar(now, close)
    const one = (text: string, counts = false): readonly Message[] => [{ text, counts, close }]
    switch (form) {
      case 'plain':
        return one(plain, true)
      case 'duplicate':
        return [...one(plain, true), ...one(plain)]
      case 'repeated': {
        const text = last.get(`${phase} ${String(close)}`)
        if (text === undefined)
          throw new GridproofError('bad-value', `no command of ${phase} has been sent that could be repeated`)
        return one(text)
      }
      case 'stale':
        return one(scalar(now - tooOld, close))
      case 'future':
        return one(scalar(now + tooEarly, close))
      case 'invalid':
        return one(scalar(now, close, false))
      case 'non-boolean':
        return [close ? 1 : 0, close ? 'true' : 'false', null, [close], { Value: close }].flatMap((v) =>
          one(scalar(now, v)),
        )
      case 'text':
        return [close ? 'close' : 'open', String(close), '', '{"Value":', '\u0000', `[${plain}]`].flatMap(
          (t) => one(t),
        )
      case 'retained':
        return [{ text: plain, counts: false, retain: true, close }]
      case 'storm':
        // To and fro, each dated another second, and the last one as wanted.
        return Array.from({ length: times }, (_, i) => {
          const way = (times - 1 - i) % 2 === 0 ? close : !close
          return { text: scalar(now - Math.min(times - 1 - i, 50), way), counts: true, close: way }
        })
    }
    return form satisfies never
  }

  const send = async (apid: string, iid: string, phase: Phase, form: string, m: Message): Promise<void> => {
    const topic = `algorithm/data/${iid}/control/${phase}`
    const cause = o.emit('sent', {
      alias: `command.${phase}`,
      by: iid,
      topic,
      text: m.text,
      form,
      phase,
      close: m.close,
      counts: m.counts,
    })
    const { client, gone } = clientOf(apid)
    const done = Promise.withResolvers<string>()
    const timer = setTimeout(() => done.resolve('no acknowledgement'), patience)
    // Refused publications are not acknowledged: the broker ends the session.
    const ended = (): void => done.resolve('the connection was ended')
    gone.add(ended)
    client.publish(topic, m.text, { qos: 1, retain: m.retain === true }, (e) =>
      done.resolve(e === undefined || e === null ? 'acknowledged' : e.message),
    )
    const outcome = await done.promise
    clearTimeout(timer)
    gone.delete(ended)
    o.emit('seen', { alias: `commander.${form}`, topic, payload: { outcome } }, { cause })
    // What was not acknowledged would be sent again at the next connection.
    if (outcome !== 'acknowledged') {
      clients.delete(apid)
      await client.endAsync(true).catch(() => undefined)
    }
  }

  return {
    outcomes: { src: 'commander', kind: 'seen', select: 'commander.*' },
    commands: { src: 'commander', kind: 'sent', select: 'command.*' },
    command: ({ phases = all, close, form = 'plain', times = 20 }) =>
      o.realm.run(async () => {
        const loadsense = automationApps.loadsense
        for (const phase of phases) {
          const messages = messagesOf(phase, close, form, times)
          if (form === 'plain' || form === 'duplicate')
            last.set(`${phase} ${String(close)}`, messages[0]?.text ?? '')
          if (form === 'storm')
            await Promise.all(messages.map((m) => send(loadsense.apid, loadsense.iid, phase, form, m)))
          else for (const m of messages) await send(loadsense.apid, loadsense.iid, phase, form, m)
        }
      }),
    pretend: ({ phases = all, close, as }) =>
      o.realm.run(async () => {
        const iid = as === 'loadsense' ? automationApps.loadsense.iid : publishers.first
        for (const phase of phases) {
          const text = scalar(Math.floor(o.now() / 1000), close)
          await send(publisherApid, iid, phase, `pretend-${as}`, { text, counts: false, close })
        }
      }),
    crash() {
      const proc = automationApps.meshing.iid
      o.emit('host', { what: 'the process of the meshing app is killed', proc })
      if (!o.host.kill(proc))
        throw new GridproofError('timeout', 'the meshing app does not run, so it cannot be made to crash')
    },
    async [Symbol.asyncDispose]() {
      for (const { client: c } of clients.values())
        await o.realm.run(() => c.endAsync(true).catch(() => undefined))
    },
  }
}

/** What rehearsals are given: it does nothing. */
export function idleCommander(): Commander {
  return {
    outcomes: { src: 'commander', kind: 'seen', select: 'commander.*' },
    commands: { src: 'commander', kind: 'sent', select: 'command.*' },
    command: async () => undefined,
    pretend: async () => undefined,
    crash: () => undefined,
  }
}

/**
 * The end of the breakers' line where no breaker is fitted: nobody answers. What the platform sends is told: `seen`, src
 * `line`, alias `line.read` or `line.write`.
 */
export async function listenAtEmptyLine(line: SerialLine, emit: Emit): Promise<AsyncDisposable> {
  const open = await line.wire.open((conn: Conn) => {
    let rest: readonly number[] = []
    conn.onBytes((bytes) => {
      rest = [...rest, ...bytes]
      for (;;) {
        const asked = requestAt(rest)
        if (asked === undefined) break
        rest = rest.slice(asked.length)
        if (asked.payload !== undefined)
          emit('seen', {
            alias: asked.payload.function === 6 || asked.payload.function === 16 ? 'line.write' : 'line.read',
            payload: { ...asked.payload },
          })
      }
      // No request is longer (Modbus over serial line, 2.5.1).
      if (rest.length > 256) rest = rest.slice(-256)
    })
    conn.onEnd(() => undefined)
  })
  return open
}

interface Asked {
  /** Bytes that it takes; one where no request begins there. */
  readonly length: number
  readonly payload?: {
    readonly unit: number
    readonly function: number
    readonly address: number
    readonly value: number
  }
}

/** Requests that read or write one thing take eight bytes; one of function 16 tells its length. */
function requestAt(b: readonly number[]): Asked | undefined {
  if (b.length < 8) return undefined
  const length = b[1] === 16 ? 9 + (b[6] ?? 0) : 8
  if (length > 256) return { length: 1 }
  if (b.length < length) return undefined
  // With its CRC behind it, low byte first, a frame has the CRC 0.
  if (crcOf(b.slice(0, length)) !== 0) return { length: 1 }
  const word = (i: number): number => ((b[i] ?? 0) << 8) | (b[i + 1] ?? 0)
  return {
    length,
    payload: { unit: b[0] ?? 0, function: b[1] ?? 0, address: word(2), value: word(b[1] === 16 ? 7 : 4) },
  }
}

/** CRC-16 of Modbus RTU (Modbus over serial line V1.02, 6.2.2). */
function crcOf(bytes: readonly number[]): number {
  let crc = 0xffff
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc & 1) === 1 ? (crc >>> 1) ^ 0xa001 : crc >>> 1
  }
  return crc
}
