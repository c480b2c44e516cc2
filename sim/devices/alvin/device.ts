/**
 * ALVIN Reclose stand-ins: three single-phase reclosers behind one RS-485 line by Modbus RTU, and the isolator in that
 * line. What flows through them is the network's (AlvinSource); when they move, the network is told.
 */
import { z } from 'zod'
import type { Conn, Json, SerialSettings, Wire } from '../../../drivers/faces.ts'
import { GridproofError } from '../../../drivers/errors.ts'
import { hooksInOrder } from '../../../drivers/protocols/modbus/hooks.ts'
import type { Ask, Hooks } from '../../../drivers/protocols/modbus/hooks.ts'
import { serveModbusRtu } from '../../../drivers/protocols/modbus/serve.ts'
import type { Session } from '../../../drivers/protocols/modbus/serve.ts'
import type { Alvin, AlvinSource, DeviceEnv, Emit, Phase } from '../../faces.ts'
import { createFaults } from '../faults.ts'
import type { Faults } from '../faults.ts'
import { channel } from '../noise.ts'
import { tellsAnswers } from '../said.ts'
import { alvinCommand } from './command.ts'
import type { AlvinCommand } from './command.ts'
import { alvinFaults } from './faults.ts'
import type { AlteredUnits } from './faults.ts'
import { createIsolator } from './isolator.ts'
import { accuracyOf, phases, quantities } from './map.ts'
import type { AlvinPersonality } from './personality.ts'
import { createPoles } from './poles.ts'
import { standAlone } from './source.ts'
import type { Effect, Side } from './state.ts'
import { answersOf, createUnit } from './unit.ts'
import type { Altered, Unit } from './unit.ts'

export interface AlvinOptions {
  /** How the breakers stand at the start; open unless given. */
  readonly closed?: boolean
  /** Least time between request and answer, ms; the personality's otherwise. */
  readonly turnaroundMs?: number
  /** Silence that ends a request, ms; 3.5 characters otherwise. Lines of a real machine may want 20. */
  readonly silenceMs?: number
  /** `alvin` unless given. */
  readonly role?: Alvin['role']
}

/** The line that a personality asks for. */
export function alvinLine(p: AlvinPersonality): SerialSettings {
  return {
    baudRate: p.line.baud_rate,
    dataBits: p.line.data_bits,
    parity: p.line.parity,
    stopBits: p.line.stop_bits,
  }
}

interface Named {
  readonly phase: Phase
  readonly q: (typeof quantities)[number]
}

type Units = { readonly [k in Phase]: Unit }

interface Life {
  readonly env: DeviceEnv
  readonly units: Units
  readonly faults: Faults<AlteredUnits>
  readonly port: AsyncDisposable
}

const nothing = (): AlteredUnits => ({ l1: {}, l2: {}, l3: {} })

export function createAlvin(personality: AlvinPersonality, options: AlvinOptions = {}): Alvin {
  const p = personality
  const role = options.role ?? 'alvin'
  const own = standAlone()
  const sessions = new Set<Session>()
  const named: ReadonlyMap<string, Named> = new Map(
    phases.flatMap((phase) => quantities.map((q) => [`${phase}.${q.name}`, { phase, q }] as const)),
  )
  const phaseOf = (unit: number): Phase | undefined => phases.find((x) => p.modbus.units[x] === unit)
  let source: AlvinSource = own
  let life: Life | undefined
  let disposed = false
  let altered = nothing()
  let timer: ReturnType<typeof setTimeout> | undefined
  let looked = Number.NEGATIVE_INFINITY
  let advancing = false

  const alive = (): Life => {
    if (life === undefined) throw new GridproofError('bad-value', `${role}: it has not been started`)
    return life
  }
  const emit: Emit = (kind, data, more) => alive().env.emit(kind, data, more)
  const note = (what: { readonly [k: string]: Json }, about: string, cause?: number): number =>
    emit('note', { alias: `${role}.${about}`, ...what }, cause === undefined ? {} : { cause })
  const known = (q: string): Named => {
    const found = named.get(q)
    if (found === undefined) throw new GridproofError('no-such', `${role} has no quantity '${q}'`)
    return found
  }

  const poles = createPoles((told) => note(told, 'poles'))
  const isolator = createIsolator((ask) => {
    if (isWrite(ask)) note({ what: 'stopped by the isolator', ...writeOf(ask) }, 'isolator')
  })
  const writeOf = (ask: Ask): { readonly [k: string]: Json } => ({
    unit: ask.unit,
    function: ask.fc,
    address: ask.address,
    value: ((ask.pdu[3] ?? 0) << 8) | (ask.pdu[4] ?? 0),
  })

  /** Does what is due in each unit, and comes back when the next thing is. */
  const advance = (): void => {
    if (life === undefined || disposed || advancing) return
    advancing = true
    clearTimeout(timer)
    const now = life.env.now()
    looked = now
    for (const phase of phases) life.units[phase].look()
    // What one has done may have changed what flows through another.
    for (const phase of phases) life.units[phase].look()
    advancing = false
    arm()
  }
  const arm = (): void => {
    if (life === undefined || disposed || advancing) return
    clearTimeout(timer)
    const now = life.env.now()
    const { units } = life
    const next = Math.min(
      looked + p.watch,
      poles.dueAt(),
      ...phases.map((phase) => units[phase].dueAt() ?? Infinity),
    )
    timer = setTimeout(
      () => {
        poles.tick(alive().env.now())
        advance()
      },
      Math.max(1, Math.ceil(next - now)),
    )
  }

  const onEffect = (phase: Phase, e: Effect, cause: number | undefined): void => {
    const { is, ...rest } = e
    const about = is === 'operated' || is === 'not-moved' ? is : is === 'refused' ? 'refused' : 'breaker'
    note({ what: is, phase, ...rest }, about, cause)
    if (e.is !== 'operated') return
    const now = alive().env.now()
    source.onOperate(phase, e.to === 'closed', now)
    poles.moved(phase, e.to, now)
  }

  const reboot = (phase: Phase, ms: number | undefined, byWatchdog: boolean): void => {
    const { env, units } = alive()
    const [least, most] = p.mechanism.reboot
    const length = ms ?? least + (most - least) * env.random('reboot')
    units[phase].reboot(env.now() + length, byWatchdog)
  }

  const makeUnits = (env: DeviceEnv, seed: number): Units => {
    const side: Side = options.closed === true ? 'closed' : 'open'
    const make = (phase: Phase, i: number): Unit =>
      createUnit({
        p,
        phase,
        seed: channel(seed, i),
        side,
        now: () => env.now(),
        reading: (t) => source.at(phase, t),
        altered: (): Altered => altered[phase],
        onEffect: (e, cause) => onEffect(phase, e, cause),
        onControl: (what) => note({ what: 'control', phase, ...what }, 'control'),
        onChange: arm,
      })
    return { l1: make('l1', 0), l2: make('l2', 1), l3: make('l3', 2) }
  }

  const gate: Hooks = {
    asked(ask) {
      const phase = phaseOf(ask.unit)
      return phase !== undefined && alive().units[phase].away() ? { ignore: true } : undefined
    },
  }
  const tell = tellsAnswers({
    emit,
    by: (ask) => (phaseOf(ask.unit) === undefined ? undefined : { unit: ask.unit }),
    answersIn(ask, values) {
      const { units, env } = alive()
      const phase = phaseOf(ask.unit)
      return phase === undefined
        ? {}
        : answersOf(p, units[phase], ask, (i) => values.getUint16(2 * i), env.now())
    },
  })

  const serve = (conn: Conn): void => {
    const { units } = alive()
    const models = new Map(phases.map((phase) => [p.modbus.units[phase], units[phase].model] as const))
    const session = serveModbusRtu(conn, models, alvinLine(p), {
      turnaroundMs: options.turnaroundMs ?? p.modbus.turnaround,
      ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
      hooks: hooksInOrder(function* () {
        yield isolator.hooks
        yield gate
        yield* alive().faults.hooks()
        yield tell
      }),
      onEnd: () => sessions.delete(session),
    })
    sessions.add(session)
  }

  const apply = (c: AlvinCommand): void => {
    const { units } = alive()
    if (c.do === 'isolate') {
      const done = isolator.turn({
        ...(c.engaged === undefined ? {} : { engaged: c.engaged }),
        ...(c.locked === undefined ? {} : { locked: c.locked }),
      })
      const { engaged, locked } = isolator
      note({ what: done ? 'isolator' : 'isolator is locked', engaged, locked }, 'isolator')
      return
    }
    const those = c.phase === 'all' ? phases : [c.phase]
    for (const phase of those) {
      const unit = units[phase]
      switch (c.do) {
        case 'operate': {
          const order = c.to === 'closed' ? 'close' : 'open'
          if (isolator.engaged || unit.breaker.local) unit.feed({ is: 'hand', order })
          else
            onEffect(
              phase,
              { is: 'refused', order, by: 'local', why: 'neither isolated nor in local control' },
              undefined,
            )
          break
        }
        case 'reset':
          unit.feed({ is: 'hand', order: 'reset' })
          break
        case 'local':
          unit.feed({ is: 'local', on: c.on })
          note({ what: c.on ? 'local control' : 'remote control', phase }, 'breaker')
          break
        case 'preset':
          unit.feed({
            is: 'preset',
            ...(c.open_operations === undefined ? {} : { opens: c.open_operations }),
            ...(c.close_operations === undefined ? {} : { closes: c.close_operations }),
          })
          unit.preset({
            ...(c.watchdog_faults === undefined ? {} : { watchdog: c.watchdog_faults }),
            ...(c.uptime === undefined ? {} : { uptime: c.uptime }),
          })
          break
        case 'supply': {
          const { do: _, phase: __, ...supply } = c
          own.set(phase, Object.fromEntries(Object.entries(supply).filter(([, v]) => v !== undefined)))
          break
        }
      }
    }
    advance()
  }

  const faultKinds = (units: () => Units): ReturnType<typeof alvinFaults> =>
    alvinFaults({
      get units() {
        return units()
      },
      phaseOf,
      chance: (stream) => alive().env.random(stream),
      reboot,
    })
  const changed = (): void => {
    altered = nothing()
    for (const effect of alive().faults.active()) effect.alter?.(altered)
    advance()
  }

  return {
    role,
    faults: Object.keys(faultKinds(() => alive().units)),
    truth: {
      quantities: [...named.keys()],
      at: (q, t) => {
        const { phase, q: quantity } = known(q)
        return alive().units[phase].truth(quantity.name, t)
      },
      range(q, a, b) {
        const { phase, q: quantity } = known(q)
        const unit = alive().units[phase]
        const steps = b > a ? 1000 : 0
        let [min, max, sum] = [Infinity, -Infinity, 0]
        for (let i = 0; i <= steps; i++) {
          const v = unit.truth(quantity.name, steps === 0 ? a : a + ((b - a) * i) / steps)
          min = Math.min(min, v)
          max = Math.max(max, v)
          sum += v
        }
        return { min, max, mean: sum / (steps + 1) }
      },
    },
    accuracy: (q, value) => accuracyOf(p, known(q).q, value),
    resolution(q) {
      const { measure } = known(q).q
      return measure === 'voltage' ||
        measure === 'current' ||
        measure === 'power' ||
        measure === 'temperature'
        ? p.resolution[measure]
        : 0
    },

    feed(s) {
      if (life !== undefined)
        throw new GridproofError('bad-value', `${role}: its network comes before its start`)
      source = s
    },
    closed: (phase) =>
      life === undefined ? options.closed === true : life.units[phase].breaker.contact === 'closed',

    async start(wire: Wire, env: DeviceEnv) {
      if (life !== undefined || disposed)
        throw new GridproofError('bad-value', `${role}: it can be started once only`)
      const opened: { port?: AsyncDisposable } = {}
      const port = { [Symbol.asyncDispose]: async () => opened.port?.[Symbol.asyncDispose]() }
      const now = env.now()
      // Before anybody measures: how the breakers stand.
      for (const phase of phases) source.onOperate(phase, options.closed === true, now)
      const units = makeUnits(env, Math.floor(env.random('model') * 2 ** 32) | 0)
      for (const phase of phases) poles.moved(phase, options.closed === true ? 'closed' : 'open', now)
      const faults = createFaults<AlteredUnits>(
        role,
        faultKinds(() => units),
        env.emit,
        changed,
      )
      life = { env, units, faults, port }
      source.watch?.(advance)
      advance()
      opened.port = await wire.open(serve)
    },

    command(c) {
      const fit = alvinCommand.safeParse(c)
      if (!fit.success) throw new GridproofError('bad-value', `${role}: ${z.prettifyError(fit.error)}`)
      if (fit.data.do === 'supply' && source !== own)
        throw new GridproofError('bad-value', `${role}: what flows is the network's here, not to be set`)
      alive()
      emit('step', { what: `${role}: ${fit.data.do}`, detail: c })
      apply(fit.data)
    },

    inflict: (name: string, params?: Json) => alive().faults.inflict(name, params),

    async [Symbol.asyncDispose]() {
      if (disposed) return
      disposed = true
      clearTimeout(timer)
      for (const session of sessions) session.end('fin')
      await life?.port[Symbol.asyncDispose]()
    },
  }
}

/** Functions of Modbus that write, as far as these units know any. */
function isWrite(ask: Ask): boolean {
  return ask.fc === 6 || ask.fc === 16
}
