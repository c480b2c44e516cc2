/** Devices that can be played alone, by the word that `gridproof sim` knows them by. A later device joins by a line here. */
import type { Json, SerialSettings } from '../../../drivers/faces.ts'
import { GridproofError } from '../../../drivers/errors.ts'
import { alvinSchema } from '../../../sim/devices/alvin/personality.ts'
import { devices } from '../../../sim/devices/index.ts'
import { gridkeySchema } from '../../../sim/devices/gridkey/personality.ts'
import { readPersonality } from '../../../sim/devices/personality.ts'
import { tc8Schema } from '../../../sim/devices/thermocouple/personality.ts'
import type { Device } from '../../../sim/faces.ts'
import type { Words } from './words.ts'

/** What the command line says of a device. */
export interface AloneOptions {
  /** A name of fixtures/personalities, or the path of a file. */
  readonly personality?: string
  /** A load, as `--load` of `gridproof run` has it. */
  readonly load?: Json
}

/** A word of the console that changes something. */
export interface ConsoleCommand {
  /** As help shows it: `load <feeder> <amps|profile> [phase=1..3]`. */
  readonly usage: string
  readonly does: string
  /** What the device's own `command` is given. Throws `bad-value`. */
  make(w: Words): Json
}

export interface AloneKind {
  readonly says: string
  /** What it can be reached by, the usual one first. */
  readonly wires: readonly ['tcp' | 'serial', ...('tcp' | 'serial')[]]
  /** How what passes on its wire is told live; `lists`: it only talks, and tells itself what it sends. */
  readonly speaks: 'modbus-tcp' | 'modbus-rtu' | 'lists'
  /** Which of `AloneOptions` it knows. */
  readonly takes: readonly (keyof AloneOptions)[]
  /** Throws `bad-value`, `bad-file` or `no-such`, before anything is opened. */
  make(o: AloneOptions): Device
  /** Units that it answers as. */
  units(o: AloneOptions): readonly number[]
  /** Of a device on a serial line. */
  line?(o: AloneOptions): SerialSettings
  readonly commands: Readonly<Record<string, ConsoleCommand>>
}

const personalityOf = (o: AloneOptions, usual: string): string => o.personality ?? usual

/** A number, or null where the word says that the profile (or personality) is to hold again. */
function numberOr(word: string, w: Words, at: number, what: string): number | null {
  const given = w.plain[at]
  return given === word ? null : number(w, at, what)
}

function number(w: Words, at: number, what: string): number {
  const given = w.plain[at]
  const n = given === undefined || given === '' ? Number.NaN : Number(given)
  if (!Number.isFinite(n)) throw new GridproofError('bad-value', `expected ${what}, a number`)
  return n
}

function word(w: Words, at: number, what: string): string {
  const given = w.plain[at]
  if (given === undefined) throw new GridproofError('bad-value', `expected ${what}`)
  return given
}

const gridkeyOptions = (o: AloneOptions): Record<string, Json> => ({
  personality: personalityOf(o, 'gridkey-standin'),
  ...(o.load === undefined ? {} : { profile: o.load }),
})

const gridkey: AloneKind = {
  says: 'feeder monitor (GridKey MCU520 stand-in), Modbus/TCP',
  wires: ['tcp'],
  speaks: 'modbus-tcp',
  takes: ['personality', 'load'],
  make: (o) => devices['gridkey-mcu520'].make(gridkeyOptions(o)),
  units: (o) => [readPersonality(personalityOf(o, 'gridkey-standin'), gridkeySchema).modbus.unit],
  commands: {
    load: {
      usage: 'load <feeder> <amps|profile> [phase=1..3]',
      does: 'a constant current on a feeder, or its profile again',
      make: (w) => ({
        do: 'load',
        feeder: number(w, 0, 'a feeder'),
        amps: numberOr('profile', w, 1, 'amps'),
        ...w.named,
      }),
    },
    'power-factor': {
      usage: 'power-factor <feeder> <0..1|profile>',
      does: 'a constant power factor on a feeder',
      make: (w) => ({
        do: 'power-factor',
        feeder: number(w, 0, 'a feeder'),
        powerFactor: numberOr('profile', w, 1, 'a power factor'),
        ...w.named,
      }),
    },
    voltage: {
      usage: 'voltage <volts|personality> [phase=1..3]',
      does: 'voltage of the source without load, line to neutral',
      make: (w) => ({ do: 'voltage', volts: numberOr('personality', w, 0, 'volts'), ...w.named }),
    },
    follow: {
      usage: 'follow <profile> [scale=1]',
      does: 'another load from now on',
      make: (w) => ({ do: 'follow', profile: { profile: word(w, 0, 'a profile'), ...w.named } }),
    },
  },
}

/**
 * On a machine's own serial driver (ours): silence that ends a request, ms, since bytes come in lumps, and time between
 * request and answer, ms.
 */
const realLine = { silence_ms: 20, turnaround_ms: 4 } as const

const thermocoupleOptions = (o: AloneOptions): Record<string, Json> => ({
  personality: personalityOf(o, 'tc8'),
  ...realLine,
})

const thermocouple: AloneKind = {
  says: 'eight-channel thermocouple module, Modbus RTU',
  wires: ['serial'],
  speaks: 'modbus-rtu',
  takes: ['personality'],
  make: (o) => devices['thermocouple-tc8'].make(thermocoupleOptions(o)),
  units: (o) => [readPersonality(personalityOf(o, 'tc8'), tc8Schema).modbus.unit],
  line: (o) => devices['thermocouple-tc8'].line(thermocoupleOptions(o)),
  commands: {
    set: {
      usage: 'set <input> <°C> | set <input> from=20 to=80 over=1h | set <input> mean=10 swing=5 period=24h',
      does: 'a temperature, a ramp or a daily curve at an input, or at the junction',
      make: (w) => ({
        do: 'set',
        input: word(w, 0, 'an input'),
        course: w.plain.length > 1 ? { constant: number(w, 1, 'a temperature') } : { ...w.named },
      }),
    },
  },
}

const alvinOptions = (o: AloneOptions): Record<string, Json> => ({
  personality: personalityOf(o, 'alvin-reclose'),
  ...realLine,
})

/** `l1`, `l2`, `l3` or nothing, after the words before it. */
const phaseAt = (w: Words, at: number): Json => {
  const given = w.plain[at]
  return given === undefined ? {} : { phase: given }
}

function onOff(w: Words, at: number): boolean {
  const given = word(w, at, 'on or off')
  if (given !== 'on' && given !== 'off')
    throw new GridproofError('bad-value', `expected on or off, and not '${given}'`)
  return given === 'on'
}

/** By hand, at the unit. */
const byHand = (to: 'open' | 'closed'): ConsoleCommand => ({
  usage: `${to === 'open' ? 'open' : 'close'} [l1|l2|l3]`,
  does: 'by hand: while isolated, or in local control',
  make: (w) => ({ do: 'operate', to, ...(phaseAt(w, 0) as object), ...w.named }),
})

const alvin: AloneKind = {
  says: 'three circuit breakers (ALVIN Reclose stand-ins), Modbus RTU',
  wires: ['serial'],
  speaks: 'modbus-rtu',
  takes: ['personality'],
  make: (o) => devices['alvin-reclose'].make(alvinOptions(o)),
  units: (o) => Object.values(readPersonality(personalityOf(o, 'alvin-reclose'), alvinSchema).modbus.units),
  line: (o) => devices['alvin-reclose'].line(alvinOptions(o)),
  commands: {
    isolate: {
      usage: 'isolate <on|off> [locked=true|false]',
      does: 'the switch in the line: nothing gets through; locked, it stays as it is until it is unlocked',
      make: (w) => ({ do: 'isolate', engaged: onOff(w, 0), ...w.named }),
    },
    lock: {
      usage: 'lock <on|off>',
      does: 'locks the switch in the line as it stands',
      make: (w) => ({ do: 'isolate', locked: onOff(w, 0) }),
    },
    open: byHand('open'),
    close: byHand('closed'),
    reset: {
      usage: 'reset [l1|l2|l3]',
      does: 'resets a lockout by hand',
      make: (w) => ({ do: 'reset', ...(phaseAt(w, 0) as object), ...w.named }),
    },
    local: {
      usage: 'local <on|off> [l1|l2|l3]',
      does: 'local control: commands over the line are refused',
      make: (w) => ({ do: 'local', on: onOff(w, 0), ...(phaseAt(w, 1) as object), ...w.named }),
    },
    supply: {
      usage: 'supply [busVolts=240] [cableVolts=238] [amps=60] [powerFactor=0.95] [phase=l1]',
      does: 'what is at the terminals: volts on both sides, amps while closed (3000 is a fault)',
      make: (w) => ({ do: 'supply', ...w.named }),
    },
    preset: {
      usage:
        'preset [open_operations=65535] [close_operations=..] [watchdog_faults=..] [uptime=..] [phase=l1]',
      does: 'where counters and the uptime go on',
      make: (w) => ({ do: 'preset', ...w.named }),
    },
  },
}

/** A smart meter; without a usual personality it has to be told which one it is. */
function meter(says: string, usual?: string): AloneKind {
  const optionsOf = (o: AloneOptions): Record<string, Json> => {
    const personality = o.personality ?? usual
    if (personality === undefined)
      throw new GridproofError(
        'usage',
        'which meter? give --personality, a name of fixtures/personalities or a file',
      )
    return { personality, ...(o.load === undefined ? {} : { profile: o.load }) }
  }
  return {
    says: `${says} on its HAN port, which only talks`,
    wires: ['serial', 'tcp'],
    speaks: 'lists',
    takes: ['personality', 'load'],
    make: (o) => devices['han-meter'].make(optionsOf(o)),
    units: () => [],
    line: (o) => devices['han-meter'].line(optionsOf(o)),
    commands: {
      load: {
        usage: 'load <watts|profile> [load=1..3]',
        does: 'a constant power of each load behind it (or of one), or their profile again',
        make: (w) => ({ do: 'load', watts: numberOr('profile', w, 0, 'watts'), ...w.named }),
      },
      export: {
        usage: 'export <watts> [load=1..3]',
        does: 'each load (or one) feeds so much into the grid',
        make: (w) => ({ do: 'load', watts: -number(w, 0, 'watts'), ...w.named }),
      },
      'power-factor': {
        usage: 'power-factor <0.1..1|profile>',
        does: 'a constant power factor',
        make: (w) => ({
          do: 'power-factor',
          powerFactor: numberOr('profile', w, 0, 'a power factor'),
          ...w.named,
        }),
      },
      voltage: {
        usage: 'voltage <volts|personality> [phase=1..3]',
        does: 'voltage of the source without load: line to neutral, in IT networks line to line',
        make: (w) => ({ do: 'voltage', volts: numberOr('personality', w, 0, 'volts'), ...w.named }),
      },
      follow: {
        usage: 'follow <profile> [scale=1]',
        does: 'another load from now on',
        make: (w) => ({ do: 'follow', profile: { profile: word(w, 0, 'a profile'), ...w.named } }),
      },
      draw: {
        usage: 'draw <milliamps>',
        does: 'so much is drawn from its port; above its limit the port trips and stays off for a while',
        make: (w) => ({ do: 'draw', milliamps: number(w, 0, 'milliamps'), ...w.named }),
      },
    },
  }
}

/** By the word of the command line. */
export const aloneKinds: Readonly<Record<string, AloneKind>> = {
  gridkey,
  thermocouple,
  alvin,
  kaifa: meter('smart meter (Kaifa MA304H3E)', 'kaifa-ma304h3e'),
  aidon: meter('smart meter (Aidon 6525)', 'aidon-6525'),
  kamstrup: meter('smart meter (Kamstrup 6841)', 'kamstrup-6841'),
  meter: meter('smart meter'),
}
