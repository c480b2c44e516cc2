/**
 * Serial lines without hardware: pseudo terminals. The device's end is a wire, the platform's end is a path that any
 * program opens as a serial port. A pseudo terminal carries bytes and nothing else: the kernel clears parity, there
 * is no break and there are no modem lines, so checks of those are not observable here.
 */
import { spawnSync } from 'node:child_process'
import { closeSync } from 'node:fs'
import { GridproofError } from '../errors.ts'
import type { Conn, Instant, SerialLine, SerialSettings, Wire, WireCan } from '../faces.ts'
import { connOver, createInbox, type Inbox } from '../wires/inbox.ts'
import { benchNow } from './clock.ts'
import { loadLibc, type Libc } from './libc.ts'
import { characterMs, createDirection, createDue } from './pace.ts'
import { openKoffiEnd, openSocatEnd, type PtyEnd } from './pty-end.ts'

export type PtyProvider = { readonly kind: 'koffi' | 'socat' } | { readonly lacks: string }

/** How bytes of the device are handed on: a frame at once at its end, or each byte at its own end. */
export type PtyPacing = 'frame' | 'byte'

export interface PtyOptions {
  readonly name: string
  readonly settings: SerialSettings
  /** `frame` unless given. `byte` keeps gaps between bytes, at the cost of a thread; it needs koffi. */
  readonly pacing?: PtyPacing
  /** Which maker of pairs to use; the best there is unless given. */
  readonly provider?: 'koffi' | 'socat'
  /** The bench clock; it must be monotonic. */
  readonly now?: () => Instant
}

export interface PtyLine extends SerialLine {
  readonly provider: 'koffi' | 'socat'
  /**
   * Bits a second that the platform has asked its end for; nothing where it has not yet, or where this machine does
   * not tell. The bytes get through at any speed: whoever wants to know whether the platform has set its port right
   * asks here.
   */
  askedSpeed(): number | undefined
  /** Bytes that the platform did not fetch in time: a full buffer, as with a UART, loses what comes. */
  lost(): number
}

/** What makes pseudo terminals on this machine: koffi where it loads, else socat, else what is lacking. */
export function ptyProvider(only?: 'koffi' | 'socat'): PtyProvider {
  const lacks: string[] = []
  if (only !== 'socat') {
    const libc = probeLibc()
    if (!('lacks' in libc)) return { kind: 'koffi' }
    lacks.push(libc.lacks)
  }
  if (only !== 'koffi') {
    if (spawnSync('socat', ['-V'], { stdio: 'ignore' }).status === 0) return { kind: 'socat' }
    lacks.push('socat is not installed')
  }
  return { lacks: `no pseudo terminals: ${lacks.join('; ')}` }
}

/** Loads the C library and opens a pair, as a container without /dev/ptmx would fail only then. */
function probeLibc(): Libc | { lacks: string } {
  const libc = loadLibc()
  if ('lacks' in libc) return libc
  try {
    const { master, slave } = libc.openPair()
    closeSync(slave)
    closeSync(master)
    return libc
  } catch (e) {
    return { lacks: String(e instanceof Error ? e.message : e) }
  }
}

/**
 * Opens a line. Times follow the settings in both directions, stop and parity bits counted, although the pair itself
 * knows no speed: what the device sends is handed on at the computed end of its last bit, never before, and what it
 * hears reaches it then. Throws `rig-lacks` where this machine has no pseudo terminals.
 */
export async function openPty(o: PtyOptions): Promise<PtyLine> {
  const provider = ptyProvider(o.provider)
  if ('lacks' in provider) throw new GridproofError('rig-lacks', `${o.name}: ${provider.lacks}`)
  const pacing = o.pacing ?? 'frame'
  const msPerCharacter = characterMs(o.settings)
  if (!(msPerCharacter > 0 && Number.isFinite(msPerCharacter)))
    throw new GridproofError('bad-value', `${o.name}: ${o.settings.baudRate} baud is no speed`)
  const now = o.now ?? benchNow
  const end = await (provider.kind === 'koffi'
    ? openKoffiEnd(msPerCharacter, pacing, now)
    : openSocatEnd(o.name, msPerCharacter, pacing, now))
  const can: WireCan[] = pacing === 'byte' ? ['byte-gap'] : []
  const wire = ptyWire(o.name, new Set(can), end, msPerCharacter, now)
  let closing: Promise<void> | undefined
  return {
    wire: wire.wire,
    path: end.path,
    provider: provider.kind,
    askedSpeed: () => end.askedSpeed(),
    lost: () => end.lost(),
    [Symbol.asyncDispose]() {
      closing ??= wire.close().then(() => end.close())
      return closing
    },
  }
}

interface Current {
  readonly conn: Conn
  readonly inbox: Inbox
  readonly drop: () => void
}

/** The wire over our end of a pair. */
function ptyWire(
  name: string,
  can: ReadonlySet<WireCan>,
  end: PtyEnd,
  msPerCharacter: number,
  now: () => Instant,
): { wire: Wire; close(): Promise<void> } {
  const arriving = createDirection(msPerCharacter)
  const arrivals = createDue(now)
  let current: Current | undefined
  let gone = false

  end.onBytes((b) => {
    const { end: at } = arriving(b.length, now())
    arrivals.when(at, () => current?.inbox.bytes(b, now()))
  })
  end.onLost(() => {
    gone = true
    current?.inbox.end('lost')
  })
  const close = async (): Promise<void> => {
    current?.drop()
    current = undefined
    arrivals.clear()
  }
  return {
    close,
    wire: {
      name,
      can,
      async open(f) {
        if (current !== undefined)
          throw new GridproofError(
            'bad-value',
            `${name} is open already: dispose it before it is opened again`,
          )
        if (gone) throw new GridproofError('rig-broke', `${name}: the pseudo terminal is gone`)
        const mine = ptyConn(name, end)
        current = mine
        f(mine.conn)
        return {
          async [Symbol.asyncDispose]() {
            if (current === mine) await close()
          },
        }
      },
    },
  }
}

function ptyConn(name: string, end: PtyEnd): Current {
  const inbox = createInbox()
  let over = false
  const drop = (): void => {
    over = true
    inbox.shut()
  }
  const send = async (b: Uint8Array): Promise<Instant> => {
    if (over) throw new GridproofError('rig-broke', `${name}: this end is closed; nothing can be sent`)
    return end.send(Uint8Array.from(b))
  }
  return {
    inbox,
    drop,
    // A serial line has no way to tell its peer of an end: all three fall silent.
    conn: connOver(name, inbox, { send, end: drop }),
  }
}
