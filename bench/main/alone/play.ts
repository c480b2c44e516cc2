/** Plays one device alone, for whatever platform asks it: opens its wire, tells what happens, takes commands. */
import { lstatSync, symlinkSync } from 'node:fs'
import { resolve } from 'node:path'
import { GridproofError } from '../../../drivers/errors.ts'
import type { Instant, Json, SerialSettings, Wire } from '../../../drivers/faces.ts'
import { streams } from '../../../drivers/random.ts'
import { benchNow } from '../../../drivers/real/clock.ts'
import { clearLeftovers, openLedger } from '../../../drivers/real/ledger.ts'
import { openPty } from '../../../drivers/real/pty.ts'
import { serialWire } from '../../../drivers/wires/serial.ts'
import { listenTcp } from '../../../drivers/wires/tcp.ts'
import type { Device, Kind } from '../../../sim/faces.ts'
import { createConsole } from './console.ts'
import type { Console } from './console.ts'
import { followRtu, followTcp, toldWire } from './exchanges.ts'
import type { Exchange } from './exchanges.ts'
import type { AloneKind, AloneOptions } from './kinds.ts'
import { listOf } from './lists.ts'

/** Where a device is to be reached. */
export type Door =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  /** A serial port of this machine. */
  | { readonly kind: 'port'; readonly path: string }
  /** A pseudo terminal, with a link to it that has a name of the user's choice. */
  | { readonly kind: 'pty'; readonly link?: string }

/** What is told while it plays. */
export type News =
  | { readonly what: 'exchange'; readonly at: Instant; readonly exchange: Exchange }
  | { readonly what: 'event'; readonly at: Instant; readonly kind: Kind; readonly data: Json }
  | { readonly what: 'trouble'; readonly at: Instant; readonly text: string }

export interface Played extends AsyncDisposable {
  readonly console: Console
  /** Where it is reached, in words. */
  readonly place: string
  /** How many requests have come; of a device that only talks, how many lists have gone. */
  readonly asked: () => number
}

export interface PlayOptions {
  readonly name: string
  readonly kind: AloneKind
  readonly options: AloneOptions
  readonly door: Door
  readonly seed: number
  readonly onNews: (n: News) => void
}

/** On a line of a real driver a frame's end shows late; ours, as the devices' own (kinds.ts). */
const rtuSilenceMs = 20

/**
 * Starts it. Throws before anything is open where options do not fit, and `rig-lacks` where the port cannot be had.
 * Disposed, it leaves no port, lock, pty or link behind.
 */
export async function play(o: PlayOptions): Promise<Played> {
  const device = o.kind.make(o.options)
  const stack = new AsyncDisposableStack()
  try {
    const line = o.kind.line?.(o.options)
    const { wire, place } = await openDoor(
      {
        name: o.name,
        door: o.door,
        settings: line,
        onTrouble: (text) => o.onNews({ what: 'trouble', at: benchNow(), text }),
      },
      stack,
    )
    let asked = 0
    const tell = (exchange: Exchange): void => {
      if (exchange.request !== undefined) asked++
      o.onNews({ what: 'exchange', at: benchNow(), exchange })
    }
    const units = new Set(o.kind.units(o.options))
    const told =
      o.kind.speaks === 'lists'
        ? peersTold(wire, o.door.kind === 'tcp', (data) =>
            o.onNews({ what: 'event', at: benchNow(), kind: 'wire', data }),
          )
        : toldWire(wire, (peer) =>
            o.kind.speaks === 'modbus-tcp' || line === undefined
              ? followTcp(peer, tell)
              : followRtu(peer, line, units, rtuSilenceMs, tell),
          )
    const random = streams(o.seed)
    let seq = 0
    await device.start(told, {
      now: benchNow,
      random: (s) => random(`${device.role}/${s}`),
      emit(kind, data) {
        if (o.kind.speaks === 'lists' && listOf(data) !== undefined) asked++
        o.onNews({ what: 'event', at: benchNow(), kind, data })
        return ++seq
      },
    })
    // Before its wire: nothing answers on a line that is being closed.
    stack.use(device satisfies Device)
    return {
      place,
      console: createConsole(o.kind, device, benchNow),
      asked: () => asked,
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    }
  } catch (e) {
    await stack.disposeAsync()
    throw e
  }
}

/**
 * The same wire; who comes and goes is told, for a device that does not tell it itself. A line's own first opening is no
 * news (`first`).
 */
function peersTold(wire: Wire, first: boolean, tell: (data: Json) => void): Wire {
  let now = 0
  let told = first
  return {
    name: wire.name,
    can: wire.can,
    open: (f) =>
      wire.open((c) => {
        now++
        if (told) tell({ what: 'connected', peer: c.peer, payload: now })
        told = true
        f({
          peer: c.peer,
          send: (b) => c.send(b),
          onBytes: (g) => c.onBytes(g),
          onEnd: (g) =>
            c.onEnd((how) => {
              tell({ what: 'gone', peer: c.peer, payload: --now })
              g(how)
            }),
          end: (how) => c.end(how),
        })
      }),
  }
}

/** What is needed to open a door. */
export interface DoorOptions {
  readonly name: string
  readonly door: Door
  /** Of a serial line. */
  readonly settings: SerialSettings | undefined
  readonly onTrouble: (text: string) => void
}

/** Opens it; what is opened is closed with `stack`. */
export async function openDoor(
  o: DoorOptions,
  stack: AsyncDisposableStack,
): Promise<{ wire: Wire; place: string }> {
  const { door, name, settings } = o
  if (door.kind === 'tcp') {
    const port = await listenTcp({
      name,
      host: door.host,
      port: door.port,
      now: benchNow,
      onTrouble: (e) => o.onTrouble(e.message),
    })
    stack.use(port)
    const host = door.host.includes(':') ? `[${door.host}]` : door.host
    return { wire: port.wire, place: `${host}:${port.port}` }
  }
  if (settings === undefined)
    throw new GridproofError('internal', `${name} has no settings for a serial line`)
  const how = `${settings.baudRate} baud, ${settings.dataBits}${settings.parity[0]?.toUpperCase() ?? ''}${settings.stopBits}`
  if (door.kind === 'port') {
    const wire = serialWire({ name, path: door.path, settings, now: benchNow })
    return { wire, place: `${door.path}, ${how}` }
  }
  const line = await openPty({ name, settings })
  stack.use(line)
  if (door.link === undefined) return { wire: line.wire, place: `${line.path}, ${how}` }
  const link = resolve(door.link)
  clearLeftovers()
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined)
    throw new GridproofError('rig-lacks', `${link} is there already: remove it, or take another name`)
  const ledger = openLedger()
  const close = (): void => void ledger.close()
  process.once('exit', close)
  stack.defer(() => {
    process.off('exit', close)
    close()
  })
  ledger.link(link)
  symlinkSync(line.path, link)
  return { wire: line.wire, place: `${link} (${line.path}), ${how}` }
}
