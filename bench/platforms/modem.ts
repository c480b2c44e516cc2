/**
 * A serial modem between a meter reader and the network, played by the bench. Hayes style, the part of ITU-T V.250 that a
 * reader needs: `AT`, `ATZ`, `ATH`, `ATD<host>:<port>`, and `+++` between two seconds of silence; answers OK, ERROR, CONNECT,
 * BUSY, NO CARRIER. While a connection stands the line is transparent both ways. What passes is TLS: it sees no reading.
 */
import { connect, type Socket } from 'node:net'
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Conn, Json, Realm, SerialLine, SerialSettings, World } from '../../drivers/faces.ts'
import type { Emit, Fault } from '../../sim/faces.ts'
import type { Modem } from '../faces.ts'

export interface ModemOptions {
  readonly world: World
  readonly realm: Realm
  readonly settings: SerialSettings
  readonly emit: Emit
}

export interface PlayedModem extends AsyncDisposable {
  readonly role: Modem
  /** Where the reader finds it, and how its line is set. */
  readonly line: { readonly path: string; readonly settings: SerialSettings }
  /** Another line: what stands is hung up. */
  rewire(settings: Partial<SerialSettings>): Promise<void>
}

/** Silence before and after the escape, ms (V.250, S-register 12). */
const guardTime = 1_000
/** From a reset until it takes commands again, ms. Ours. */
const booting = 3_000

const nothing = z.strictObject({})
const kinds = {
  /** It hangs: says nothing and passes nothing on. Lifted, it starts anew. */
  silent: nothing,
  /** Reaches nobody, and loses what it has reached. */
  'no-carrier': nothing,
  /** Others have its line: what it had reached is lost, and a call is answered BUSY. */
  busy: nothing,
  /** Starts anew, now and then, without a word to what it had reached. */
  resetting: z.strictObject({ everyMs: z.int().min(5_000).max(600_000).default(20_000) }),
  /** Whatever comes from the network is so much later on the line. */
  slow: z.strictObject({ ms: z.int().min(1).max(60_000).default(2_000) }),
} as const
type Kind = keyof typeof kinds

export async function playModem(o: ModemOptions): Promise<PlayedModem> {
  const { world, realm, emit } = o
  let settings = o.settings
  let line: SerialLine | undefined
  let conn: Conn | undefined
  let socket: Socket | undefined
  let mode: 'command' | 'dialling' | 'online' = 'command'
  let text = ''
  let lastHeard = Number.NEGATIVE_INFINITY
  let escape: NodeJS.Timeout | undefined
  let bootedAt = Number.NEGATIVE_INFINITY
  const waiting: { readonly b: Buffer; readonly due: number }[] = []
  let pumping: NodeJS.Timeout | undefined
  let faults = 0
  const inForce = new Map<string, { readonly kind: Kind; readonly params: { readonly [k: string]: Json } }>()
  const timers = new Set<NodeJS.Timeout>()
  const has = (kind: Kind): boolean => [...inForce.values()].some((f) => f.kind === kind)

  const say = (word: string): void => {
    if (!has('silent')) void conn?.send(Buffer.from(`\r\n${word}\r\n`)).catch(() => undefined)
  }
  const later = (ms: number, f: () => void): void => {
    const t = setTimeout(() => {
      timers.delete(t)
      f()
    }, ms)
    timers.add(t)
  }
  const toReader = (b: Buffer): void => {
    if (has('silent')) return
    const now = world.now()
    const slow = [...inForce.values()].map((f) => (f.kind === 'slow' ? Number(f.params['ms']) : 0))
    waiting.push({ b, due: now + Math.max(0, ...slow) })
    pump()
  }
  /** In the order in which it came: what is slow holds up what is behind it. */
  const pump = (): void => {
    clearTimeout(pumping)
    const now = world.now()
    for (let next = waiting[0]; next !== undefined && next.due <= now; next = waiting[0]) {
      waiting.shift()
      void conn?.send(next.b).catch(() => undefined)
    }
    const [next] = waiting
    if (next !== undefined) pumping = setTimeout(pump, Math.max(1, next.due - now))
  }
  /** Lets the connection go. `word`: what the reader is told. */
  const hangUp = (word?: string): void => {
    const s = socket
    socket = undefined
    mode = 'command'
    text = ''
    clearTimeout(escape)
    escape = undefined
    s?.destroy()
    waiting.length = 0
    if (word !== undefined) say(word)
  }
  const dial = (host: string, port: number): void => {
    emit('note', { what: 'the modem dials', host, port, busy: has('busy') })
    if (has('busy')) return say('BUSY')
    if (has('no-carrier')) return say('NO CARRIER')
    mode = 'dialling'
    const s = connect({ host, port })
    socket = s
    s.on('connect', () => {
      if (socket !== s) return
      mode = 'online'
      say('CONNECT')
    })
    s.on('data', (b: Buffer) => {
      if (socket === s) toReader(b)
    })
    s.on('error', () => undefined)
    s.on('close', () => {
      if (socket === s) hangUp('NO CARRIER')
    })
  }
  const command = (given: string): void => {
    // What stands before AT is let go (V.250, 5.2.1).
    const word = /AT.*$/i.exec(given)?.[0].trim() ?? ''
    const called = /^ATD(.+):(\d{1,5})$/i.exec(word)
    if (called !== null) dial(called[1] ?? '', Number(called[2]))
    else if (/^AT(Z|H0?)$/i.test(word)) hangUp('OK')
    else if (/^AT(E[01])?$/i.test(word)) say('OK')
    else if (/^AT/i.test(word)) say('ERROR')
  }
  const heard = (b: Uint8Array): void => {
    const now = world.now()
    if (now < bootedAt || has('silent')) return
    if (mode === 'online') {
      const quiet = now - lastHeard >= guardTime
      lastHeard = now
      if (escape !== undefined) {
        clearTimeout(escape)
        escape = undefined
        socket?.write('+++')
      }
      if (quiet && Buffer.from(b).toString('latin1') === '+++') {
        escape = setTimeout(() => {
          escape = undefined
          mode = 'command'
          say('OK')
        }, guardTime)
      } else socket?.write(b)
      return
    }
    // Any character ends a call that has not come about (V.250, 5.6.1).
    if (mode === 'dialling') return hangUp('NO CARRIER')
    text = (text + Buffer.from(b).toString('latin1')).slice(-1_000)
    for (let end = text.indexOf('\r'); end >= 0; end = text.indexOf('\r')) {
      const one = text.slice(0, end)
      text = text.slice(end + 1)
      command(one)
    }
  }
  const reset = (): void => {
    hangUp()
    bootedAt = world.now() + booting
    later(booting, () => say('RDY'))
  }
  const again = (id: string, everyMs: number): void => {
    if (!inForce.has(id)) return
    reset()
    later(everyMs, () => again(id, everyMs))
  }

  const open = async (): Promise<void> => {
    line = await world.serial({ name: 'modem/serial', realm, settings, ciphered: true })
    await realm.run(() =>
      line?.wire.open((c) => {
        conn = c
        c.onBytes((b) => heard(b))
        c.onEnd(() => {
          if (conn === c) conn = undefined
          hangUp()
        })
      }),
    )
  }
  const shut = async (): Promise<void> => {
    for (const t of timers) clearTimeout(t)
    clearTimeout(pumping)
    timers.clear()
    realm.run(() => hangUp())
    await line?.[Symbol.asyncDispose]()
    conn = undefined
  }
  await open()

  return {
    role: {
      faults: Object.keys(kinds),
      inflict(name, given = {}): Fault {
        if (!Object.hasOwn(kinds, name))
          throw new GridproofError('no-such', `the modem has no fault '${name}'`)
        const kind = name as Kind
        const r = kinds[kind].safeParse(given)
        if (!r.success)
          throw new GridproofError('bad-value', `a fault of the modem: ${z.prettifyError(r.error)}`)
        const params = r.data as { readonly [k: string]: Json }
        const id = `modem-${++faults}`
        inForce.set(id, { kind, params })
        emit('fault', { phase: 'on', id, name, params })
        realm.run(() => {
          if (kind === 'resetting') again(id, Number(params['everyMs']))
          if ((kind === 'no-carrier' || kind === 'busy') && mode === 'online') hangUp('NO CARRIER')
        })
        return {
          id,
          params,
          lift() {
            if (!inForce.delete(id)) return
            emit('fault', { phase: 'lifted', id, name, params })
            // What hung has been started anew: bytes of a connection are missing.
            if (kind === 'silent') realm.run(reset)
          },
        }
      },
    },
    get line() {
      return { path: line?.path ?? '', settings }
    },
    async rewire(change) {
      await shut()
      settings = { ...settings, ...change }
      await open()
    },
    [Symbol.asyncDispose]: shut,
  }
}
