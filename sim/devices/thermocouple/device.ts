/** A thermocouple module over Modbus RTU, of either make. Its truth is the temperature at each tip. */
import { z } from 'zod'
import type { Conn, Instant, Json, SerialSettings, Wire } from '../../../drivers/faces.ts'
import { GridproofError } from '../../../drivers/errors.ts'
import { hooksInOrder } from '../../../drivers/protocols/modbus/hooks.ts'
import { exceptions } from '../../../drivers/protocols/modbus/model.ts'
import type { DataModel } from '../../../drivers/protocols/modbus/model.ts'
import { serveModbusRtu } from '../../../drivers/protocols/modbus/serve.ts'
import type { Session } from '../../../drivers/protocols/modbus/serve.ts'
import type { DeviceEnv, Emit, TemperatureCourse, Thermocouple } from '../../faces.ts'
import { createFaults, faultKind, wireFaults } from '../faults.ts'
import { channel, noise } from '../noise.ts'
import { tellsAnswers } from '../said.ts'
import { createCourses } from './course.ts'
import type { Courses } from './course.ts'
import { adam4018 } from './adam4018.ts'
import { channels } from './measure.ts'
import type { Disturbed, ModuleErrors } from './measure.ts'
import { courseSchema, faultModes } from './personality.ts'
import type { ThermocouplePersonality } from './personality.ts'
import type { Show } from './show.ts'
import { tc8 } from './tc8.ts'

export interface ThermocoupleOptions {
  /** Courses of inputs from the start; the personality's otherwise. */
  readonly courses?: Readonly<Record<string, TemperatureCourse>>
  /** Least time between request and answer, ms; 3.5 characters otherwise. */
  readonly turnaroundMs?: number
  /** Silence that ends a request, ms; 3.5 characters otherwise. Lines of a real machine may want 20. */
  readonly silenceMs?: number
  /** `thermocouple` unless given. */
  readonly role?: Thermocouple['role']
}

/** What `command` takes. */
export const thermocoupleCommand = z.strictObject({
  do: z.literal('set'),
  /** An input of the personality, or `junction`: the terminals. */
  input: z.string(),
  course: courseSchema,
})

/** The line that a personality asks for. */
export function lineOf(p: ThermocouplePersonality): SerialSettings {
  return {
    baudRate: p.line.baud_rate,
    dataBits: p.line.data_bits,
    parity: p.line.parity,
    stopBits: p.line.stop_bits,
  }
}

interface Life {
  readonly env: DeviceEnv
  readonly errors: ModuleErrors
  readonly port: AsyncDisposable
}

/** Makes a thermocouple module of a personality. Everything is computed when it is asked for. */
export function createThermocouple(
  personality: ThermocouplePersonality,
  options: ThermocoupleOptions = {},
): Thermocouple {
  const p = personality
  const show: Show = p.device === 'thermocouple-tc8' ? tc8(p) : adam4018(p)
  const role = options.role ?? 'thermocouple'
  const inputs = new Map(p.channels.flatMap((c, i) => (c === null ? [] : [[c.input, i] as const])))
  const quantityOf = (input: string): string => `${input}.temperature [°C]`
  const byQuantity = new Map([...inputs.keys()].map((input) => [quantityOf(input), input]))
  const courses = new Map<string, Courses>([['junction', createCourses(p.junction)]])
  for (const c of p.channels)
    if (c !== null) courses.set(c.input, createCourses(options.courses?.[c.input] ?? c.course))
  for (const input of Object.keys(options.courses ?? {})) courseOf(input)

  const sessions = new Set<Session>()
  let life: Life | undefined
  let disposed = false
  let mode: number = faultModes.indexOf(p.fault_mode)
  /** The update period in which it last scanned; nothing: scan at the next request. */
  let scanned: number | undefined

  function courseOf(input: string): Courses {
    const course = courses.get(input)
    if (course === undefined)
      throw new GridproofError(
        'no-such',
        `${role} has no input '${input}'; there are: ${[...courses.keys()].join(', ')}`,
      )
    return course
  }
  const alive = (): Life => {
    if (life === undefined) throw new GridproofError('bad-value', `${role}: it has not been started`)
    return life
  }
  const emit: Emit = (kind, data, more) => alive().env.emit(kind, data, more)
  const known = (q: string): Courses => {
    const input = byQuantity.get(q)
    if (input === undefined) throw new GridproofError('no-such', `${role} has no quantity '${q}'`)
    return courseOf(input)
  }

  /** The module scans when it is asked, at most once in its update period or after a change. */
  const refresh = (): void => {
    const { env, errors } = alive()
    const t = env.now()
    const tick = Math.floor(t / p.update)
    if (scanned === tick) return
    const disturbed: Disturbed = { open: 0, reversed: 0, frozen: 0, over: 0, under: 0, cjFault: false }
    for (const effect of faults.active()) effect.alter?.(disturbed)
    const tips = p.channels.map((c) => (c === null ? 0 : courseOf(c.input).at(t)))
    show.scan(errors, { tips, junction: courseOf('junction').at(t) }, disturbed, mode)
    scanned = tick
  }

  const input = z.string().refine((name) => inputs.has(name), {
    message: `expected one of ${[...inputs.keys()].join(', ')}`,
  })
  const bits = (name: string | undefined): number =>
    name === undefined ? 0xff : 1 << (inputs.get(name) ?? 0)
  /** Scans now, so that what is frozen is the value of now. */
  const scan = (): void => {
    scanned = undefined
    refresh()
  }
  const faults = createFaults<Disturbed>(
    role,
    {
      ...wireFaults<Disturbed>('rtu', () => alive().env.random('faults')),
      /**
       * A broken element: the channel's open bit, and a value by the fault mode: what the platform set, or `mode`.
       * `freeze` shows the last value, plausible as it is: the flag alone tells.
       */
      open: faultKind(z.strictObject({ input, mode: z.enum(faultModes).optional() }), (f) => {
        scan()
        return {
          alter: (d) => {
            d.open |= bits(f.input)
            if (f.mode !== undefined) d.mode = faultModes.indexOf(f.mode)
          },
        }
      }),
      /** Beyond the range of its type, at either end: the flag, and the end of the range as value. */
      over: faultKind(z.strictObject({ input }), (f) => ({
        alter: (d) => {
          d.over |= bits(f.input)
        },
      })),
      under: faultKind(z.strictObject({ input }), (f) => ({
        alter: (d) => {
          d.under |= bits(f.input)
        },
      })),
      /** Leads the wrong way round: the reading mirrors about the junction; no flag tells. */
      reversed: faultKind(z.strictObject({ input }), (f) => ({
        alter: (d) => {
          d.reversed |= bits(f.input)
        },
      })),
      /** The junction sensor is broken: the module reckons with a fixed value. A flag tells, where the make has one. */
      [show.tellsJunction ? 'cj-fault' : 'cj-untold']: faultKind(z.strictObject({}), () => ({
        alter: (d) => {
          d.cjFault = true
        },
      })),
      /** A channel, or all, shows its last value for ever; no flag tells. */
      frozen: faultKind(z.strictObject({ input: input.optional() }), (f) => {
        scan()
        return {
          alter: (d) => {
            d.frozen |= bits(f.input)
          },
        }
      }),
    },
    emit,
    () => {
      scanned = undefined
    },
  )

  const model: DataModel = {
    functions: new Set(p.modbus.functions),
    has: (table, address, quantity) => show.has(table, address, quantity),
    read(table, address, quantity, into) {
      refresh()
      show.read(table, address, quantity, into)
      return exceptions.none
    },
    write(_table, address, quantity, values) {
      if (address !== show.modeAt || quantity !== 1) return exceptions.illegalAddress
      const value = values[0] ?? 0
      if (value >= faultModes.length) return exceptions.illegalValue
      mode = value
      scanned = undefined
      emit('note', { what: 'fault mode set by the platform', mode: faultModes[value] ?? value })
      return exceptions.none
    },
  }

  const tell = tellsAnswers({
    emit,
    by: (ask) => ({ unit: ask.unit }),
    answersIn(ask, values) {
      const t = alive().env.now()
      const answers: Record<string, [number, number]> = {}
      for (const [name, i] of inputs) {
        const told = show.told(ask, values, i)
        if (told !== undefined) answers[quantityOf(name)] = [told, courseOf(name).at(t)]
      }
      return answers
    },
  })

  const serve = (conn: Conn): void => {
    const session = serveModbusRtu(conn, new Map([[p.modbus.unit, model]]), lineOf(p), {
      ...(options.turnaroundMs === undefined ? {} : { turnaroundMs: options.turnaroundMs }),
      ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }),
      hooks: hooksInOrder(function* () {
        yield* faults.hooks()
        yield tell
      }),
      onEnd: () => sessions.delete(session),
    })
    sessions.add(session)
  }

  return {
    role,
    faults: faults.names,
    truth: {
      quantities: [...byQuantity.keys()],
      at: (q, t) => known(q).at(t),
      range: (q, a, b) => envelope(known(q), a, b),
    },
    accuracy(q, value) {
      known(q)
      // Beyond the range of its type a channel shows the end of it.
      const { from, to } = show.range(inputs.get(byQuantity.get(q) ?? '') ?? 0)
      return p.accuracy + Math.max(0, from - value, value - to)
    },
    resolution(q) {
      known(q)
      return p.resolution
    },

    async start(wire: Wire, env: DeviceEnv) {
      if (life !== undefined || disposed)
        throw new GridproofError('bad-value', `${role}: it can be started once only`)
      const seed = Math.floor(env.random('model') * 2 ** 32) | 0
      for (const course of courses.values()) course.begin(env.now())
      const opened: { port?: AsyncDisposable } = {}
      life = {
        env,
        errors: {
          offset: Array.from({ length: channels }, (_, i) => p.offset_uv * noise(channel(seed, 0), i)),
          junction: p.junction_error * noise(channel(seed, 1), 0),
        },
        port: { [Symbol.asyncDispose]: async () => opened.port?.[Symbol.asyncDispose]() },
      }
      opened.port = await wire.open(serve)
    },

    feed(name, at) {
      if (life !== undefined) throw new GridproofError('bad-value', `${role}: it is fed before it is started`)
      courseOf(name).feed(at)
    },

    set(name, course) {
      if (life === undefined) {
        courseOf(name).change(Number.NEGATIVE_INFINITY, course)
        return
      }
      this.command({ do: 'set', input: name, course: { ...course } })
    },

    command(c) {
      const fit = thermocoupleCommand.safeParse(c)
      if (!fit.success) throw new GridproofError('bad-value', `${role}: ${z.prettifyError(fit.error)}`)
      const target = courseOf(fit.data.input)
      emit('step', { what: `${role}: set`, detail: c })
      target.change(alive().env.now(), fit.data.course)
      scanned = undefined
    },

    inflict: (name: string, params?: Json) => {
      alive()
      return faults.inflict(name, params)
    },

    async [Symbol.asyncDispose]() {
      if (disposed) return
      disposed = true
      for (const session of sessions) session.end('fin')
      await life?.port[Symbol.asyncDispose]()
    },
  }
}

/** Extremes and mean over a span by a thousand points: courses are smooth, and steps come from commands only. */
function envelope(c: Courses, a: Instant, b: Instant): { min: number; max: number; mean: number } {
  const steps = b > a ? 1000 : 0
  let [min, max, sum] = [Infinity, -Infinity, 0]
  for (let i = 0; i <= steps; i++) {
    const v = c.at(steps === 0 ? a : a + ((b - a) * i) / steps)
    min = Math.min(min, v)
    max = Math.max(max, v)
    sum += v
  }
  return { min, max, mean: sum / (steps + 1) }
}
