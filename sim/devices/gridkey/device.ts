/**
 * The feeder monitor: GridKey MCU520 stand-in over Modbus/TCP. Its truth is the mean over the averaging period that
 * ended with the last whole second (grid.ts); what it answers is that truth through its error model and its faults.
 */
import { z } from 'zod'
import type { Conn, Instant, Json, Wire } from '../../../drivers/faces.ts'
import { GridproofError, messageOf } from '../../../drivers/errors.ts'
import { hooksInOrder } from '../../../drivers/protocols/modbus/hooks.ts'
import type { Hooks } from '../../../drivers/protocols/modbus/hooks.ts'
import { exceptions } from '../../../drivers/protocols/modbus/model.ts'
import type { DataModel } from '../../../drivers/protocols/modbus/model.ts'
import { getUint32, putFloat32, putUint32 } from '../../../drivers/protocols/modbus/registers.ts'
import { serveModbusTcp } from '../../../drivers/protocols/modbus/serve.ts'
import type { Session } from '../../../drivers/protocols/modbus/serve.ts'
import type { DeviceEnv, Emit, GridKey, GridKeySource, ProfileSpec } from '../../faces.ts'
import { createFaults, wireFaults } from '../faults.ts'
import { channel, noise } from '../noise.ts'
import { profile } from '../profile.ts'
import { tellsAnswers } from '../said.ts'
import { accuracyOf } from './accuracy.ts'
import { changed, gridkeyCommand } from './command.ts'
import type { GridKeyCommand } from './command.ts'
import { allValid, gridkeyFaults, raise, states } from './faults.ts'
import type { Reading } from './faults.ts'
import { createFedGrid, createGrid, createMeter } from './grid.ts'
import type { Grid, GridSettings } from './grid.ts'
import { at, feeders, phases, quantitiesOf, quantityCount, registerMask } from './map.ts'
import type { Quantity } from './map.ts'
import type { GridKeyPersonality } from './personality.ts'
import { createPort } from './port.ts'
import type { Port } from './port.ts'

export interface GridKeyOptions {
  /** What it follows from the start; the personality's profile otherwise. */
  readonly profile?: ProfileSpec
  /** `gridkey` unless given. */
  readonly role?: GridKey['role']
}

/** What there is once it has been started. */
interface Life {
  readonly env: DeviceEnv
  readonly seed: number
  readonly mean: Grid['mean']
  /** Its own grid, where no network feeds it. */
  readonly own: Grid | undefined
  readonly meter: ReturnType<typeof createMeter>
  readonly port: Port
}

/**
 * Makes a feeder monitor of a personality. It keeps no clock of its own and has no timers but that of a reboot:
 * everything is computed when it is asked for.
 */
export function createGridKey(personality: GridKeyPersonality, options: GridKeyOptions = {}): GridKey {
  const p = personality
  const role = options.role ?? 'gridkey'
  const quantities = quantitiesOf(p)
  const byName = new Map(quantities.map((q) => [q.name, q]))
  const mask = registerMask(p, quantities)
  const { status } = p.registers
  const sessions = new Set<Session>()
  let life: Life | undefined
  let disposed = false
  let first: ProfileSpec = options.profile ?? { profile: p.profile }
  let source: GridKeySource | undefined
  let profiles = 0
  let image: { second: number; words: Uint16Array } | undefined
  let bootedAt: Instant = 0
  let boots = 0
  let boot = p.boot
  let away: ReturnType<typeof setTimeout> | undefined
  let clock = { offsetMs: 0, setAt: 0, times: 0 }

  const alive = (): Life => {
    if (life === undefined) throw new GridproofError('bad-value', `${role}: it has not been started`)
    return life
  }
  const emit: Emit = (kind, data, more) => alive().env.emit(kind, data, more)
  /** How many connections are open: evidence of leaks that does not rest on the platform's own word. */
  const tellClients = (what: 'come' | 'gone', peer: string): void => {
    if (!disposed) emit('wire', { alias: `${role}.clients`, what, peer, payload: sessions.size })
  }
  const known = (q: string): Quantity => {
    const quantity = byName.get(q)
    if (quantity === undefined) throw new GridproofError('no-such', `${role} has no quantity '${q}'`)
    return quantity
  }

  const ownTime = (now: Instant): number => {
    const drift = p.clock_drift_ppm * 1e-6 * noise(channel(alive().seed, 2000), 0)
    return now + clock.offsetMs + (now - clock.setAt) * drift
  }

  const reading = (now: Instant): Reading => {
    const { mean, meter } = alive()
    const second = Math.floor(now / 1000)
    const booting = now < bootedAt + boot && boots > 0
    const r: Reading = {
      values: meter(mean(now), second),
      time: Math.round(ownTime(second * 1000) / 1000),
      sequence: second - Math.floor(bootedAt / 1000),
      validity: booting ? 0 : allValid,
      state: booting ? states.booting : states.ok,
    }
    for (let i = 0; i < feeders * phases; i++) {
      const index = at.current(Math.floor(i / phases), i % phases)
      if ((r.values[index] ?? 0) <= p.full_scale) continue
      r.values[index] = p.full_scale
      r.validity &= ~(1 << i)
      raise(r, states.overrange)
    }
    for (const effect of faults.active()) effect.alter?.(r)
    return r
  }

  const registers = (now: Instant): Uint16Array => {
    const second = Math.floor(now / 1000)
    if (image?.second === second) return image.words
    const r = reading(now)
    const words = new Uint16Array(mask.length)
    for (const q of quantities) putFloat32(words, q.address, r.values[q.index] ?? 0)
    putUint32(words, status.time, r.time)
    putUint32(words, status.sequence, r.sequence)
    words[status.validity] = r.validity
    words[status.state] = r.state
    words[status.averaging] = p.averaging / 1000
    image = { second, words }
    return words
  }

  const stale = (): void => {
    image = undefined
  }

  const faults = createFaults<Reading>(
    role,
    {
      ...wireFaults<Reading>('tcp', () => alive().env.random('faults')),
      ...gridkeyFaults({
        quantities,
        fullScale: p.full_scale,
        reading: () => reading(alive().env.now()),
        stepClock(ms) {
          const { times } = clock
          clock = { ...clock, offsetMs: clock.offsetMs + ms }
          return () => {
            if (clock.times === times) clock = { ...clock, offsetMs: clock.offsetMs - ms }
          }
        },
        shutPort: () => alive().port.shut(),
        tell: (data) => void emit('note', data),
        reboot(ms, bootMs) {
          clearTimeout(away)
          boot = bootMs ?? p.boot
          const length = ms ?? 1000 * (40 + 50 * alive().env.random('reboot'))
          const back = (): void => {
            if (away === undefined || disposed) return
            clearTimeout(away)
            away = undefined
            boots += 1
            bootedAt = alive().env.now()
            stale()
          }
          away = setTimeout(back, Math.ceil(length))
          return back
        },
      }),
    },
    emit,
    stale,
  )

  const model: DataModel = {
    functions: new Set(p.modbus.functions),
    identity: new Map([
      [0, p.modbus.identity.vendor],
      [1, p.modbus.identity.product],
      [2, p.modbus.identity.revision],
    ]),
    has(table, address, quantity) {
      if (table === 'holding-registers') return address === status.time && quantity === 2
      if (table !== 'input-registers' || address + quantity > mask.length) return false
      for (let i = address; i < address + quantity; i++) if (mask[i] !== 1) return false
      return true
    },
    read(table, address, quantity, into) {
      if (table !== 'input-registers') return exceptions.illegalAddress
      const words = registers(alive().env.now())
      for (let i = 0; i < quantity; i++) into[i] = words[address + i] ?? 0
      return exceptions.none
    },
    write(_table, _address, _quantity, values) {
      const now = alive().env.now()
      const seconds = getUint32(values, 0)
      clock = { offsetMs: seconds * 1000 - now, setAt: now, times: clock.times + 1 }
      stale()
      emit('note', { what: 'clock set by the platform', seconds })
      return exceptions.none
    },
  }

  const tell = tellsAnswers({
    emit,
    by: (ask) => ({ from: ask.peer }),
    answersIn(ask, values) {
      const truth = alive().mean(alive().env.now())
      const answers: Record<string, [number | null, number]> = {}
      for (const q of quantities) {
        if (q.address < ask.address || q.address + 2 > ask.address + ask.quantity) continue
        const value = values.getFloat32(2 * (q.address - ask.address))
        answers[q.name] = [Number.isFinite(value) ? value : null, truth[q.index] ?? 0]
      }
      return answers
    },
  })

  const serve = (conn: Conn): void => {
    if (away !== undefined || disposed) return conn.end('rst')
    const born = boots
    const gate: Hooks = {
      asked() {
        // without power nothing answers; afterwards nobody remembers the connection
        if (away !== undefined) return { ignore: true }
        return born === boots ? undefined : { end: 'rst' }
      },
    }
    const session = serveModbusTcp(conn, new Map([[p.modbus.unit, model]]), {
      unknownUnit: p.modbus.unknown_unit,
      hooks: hooksInOrder(function* () {
        yield gate
        yield* faults.hooks()
        yield tell
      }),
      onEnd: () => {
        if (sessions.delete(session)) tellClients('gone', conn.peer)
      },
    })
    sessions.add(session)
    tellClients('come', conn.peer)
  }

  const load = (spec: ProfileSpec, seed: number, now: Instant) =>
    profile(spec, channel(seed, 3000 + profiles++), now)

  const ownGrid = (seed: number, now: Instant): Grid =>
    createGrid(p, seed, {
      load: load(first, seed, now),
      amps: new Map(),
      powerFactor: new Map(),
      volts: new Map(),
    })

  const change = (f: (s: GridSettings) => Partial<GridSettings>): void => {
    const { env, own } = alive()
    if (own === undefined) return
    const now = env.now()
    const settings = own.settings(now)
    own.change(now, { ...settings, ...f(settings) })
    stale()
  }

  const apply = (c: GridKeyCommand): void => {
    if (c.do !== 'follow') return change((s) => changed(s, c))
    const next = load(c.profile, alive().seed, alive().env.now())
    change(() => ({ load: next }))
  }

  const device: GridKey = {
    role,
    faults: faults.names,
    truth: {
      quantities: quantities.map((q) => q.name),
      at: (q, t) => alive().mean(t)[known(q).index] ?? Number.NaN,
      range(q, a, b) {
        const { index } = known(q)
        const { mean } = alive()
        let [min, max, sum, count] = [Infinity, -Infinity, 0, 0]
        // it changes with whole seconds only
        for (let s = Math.floor(a / 1000); s <= Math.max(Math.floor(a / 1000), Math.floor(b / 1000)); s++) {
          const v = mean(s * 1000)[index] ?? Number.NaN
          min = Math.min(min, v)
          max = Math.max(max, v)
          sum += v
          count += 1
        }
        return { min, max, mean: sum / count }
      },
    },
    accuracy: (q, value) => accuracyOf(p, known(q), value),
    resolution: (q) => p.resolution[known(q).measure],

    async start(wire: Wire, env: DeviceEnv) {
      if (life !== undefined || disposed)
        throw new GridproofError('bad-value', `${role}: it can be started once only`)
      const now = env.now()
      const seed = Math.floor(env.random('model') * 2 ** 32) | 0
      bootedAt = now
      clock = { ...clock, setAt: now }
      const behind = source === undefined ? undefined : createFedGrid(p, source)
      source?.watch(() => {
        behind?.forget()
        stale()
      })
      const own = behind === undefined ? ownGrid(seed, now) : undefined
      const port = createPort(wire, serve, (e) =>
        emit('note', { what: 'the port could not be opened again', why: messageOf(e) }),
      )
      life = {
        env,
        seed,
        mean: (t) => (behind ?? own)?.mean(t) ?? none,
        own,
        meter: createMeter(p, seed),
        port,
      }
      await port.open()
    },

    feed(from) {
      if (life !== undefined) throw new GridproofError('bad-value', `${role}: it is fed before it is started`)
      source = from
    },

    follow(spec) {
      if (life === undefined) first = spec
      else device.command({ do: 'follow', profile: { ...spec } })
    },

    command(c) {
      const fit = gridkeyCommand.safeParse(c)
      if (!fit.success) throw new GridproofError('bad-value', `${role}: ${z.prettifyError(fit.error)}`)
      if (source !== undefined)
        throw new GridproofError('bad-value', `${role}: it stands in the network: change that`)
      // a profile that cannot be read is refused before anything is logged
      if (fit.data.do === 'follow') profile(fit.data.profile, 0)
      emit('step', { what: `${role}: ${fit.data.do}`, detail: c })
      apply(fit.data)
    },

    inflict: (name: string, params?: Json) => {
      alive()
      return faults.inflict(name, params)
    },

    async [Symbol.asyncDispose]() {
      if (disposed) return
      disposed = true
      clearTimeout(away)
      for (const session of sessions) session.end('fin')
      await life?.port[Symbol.asyncDispose]()
    },
  }
  return device
}

/** Stands for a truth that there is not. */
const none = new Float64Array(quantityCount)
