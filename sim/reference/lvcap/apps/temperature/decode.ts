/** Registers of the thermocouple module into temperatures, and which of them can be trusted. */
import { placeOf, type RegisterBlock } from '../../sdk/modbus.ts'
import type { Sample, Words } from '../../sdk/sensor.ts'
import { inputs, type CountsMap, type DegreesMap, type Input, type TemperatureConfig } from './config.ts'

export interface Channel {
  /** As the register holds it. */
  readonly raw: number
  /** Degrees Celsius. */
  readonly celsius: number
  readonly microvolts: number
  /** The module's own word for no value. */
  readonly none: boolean
  readonly open: boolean
  readonly over: boolean
  readonly under: boolean
}

/** Null: not read. */
export interface Reading {
  readonly channels: Readonly<Record<Input, Channel | null>>
  /** Degrees Celsius. */
  readonly coldJunction: number | null
  readonly coldJunctionFault: boolean | null
}

/** This module has no sequence number: nothing is remembered. */
export type Memory = null

/**
 * One block where the map allows it, so that flags and values are of one instant. Coils are read after the values: an
 * input that breaks between the two is told of.
 */
export function blocks({ map }: TemperatureConfig): readonly RegisterBlock[] {
  if (map.shows === 'degrees') return [{ table: map.table, start: map.start, count: map.count }]
  return [
    { table: map.table, start: map.types, count: map.count },
    { table: map.table, start: map.counts, count: map.count },
    { table: 'coils', start: map.burnout, count: map.count },
  ]
}

export function decode(words: Words, c: TemperatureConfig): Reading {
  return c.map.shows === 'degrees' ? degrees(words, c, c.map) : counts(words, c, c.map)
}

/** Counts of the input's own range. Its ends say under and over range: what lies just there cannot be told from it. */
function counts(words: Words, c: TemperatureConfig, map: CountsMap): Reading {
  const channelOf = (n: number): Channel | null => {
    const raw = words.get(map.counts + n)
    const type = words.get(map.types + n)
    const open = words.get(placeOf('coils', map.burnout + n))
    const span = type === undefined ? undefined : map.ranges[String(type)]
    if (raw === undefined || open === undefined || span === undefined) return null
    const [low, high] = span
    return {
      raw,
      celsius: tidy(low + ((high - low) * raw) / 0xffff),
      microvolts: 0,
      none: false,
      open: open !== 0,
      over: raw === 0xffff,
      under: raw === 0,
    }
  }
  const channels = Object.fromEntries(inputs.map((i) => [i, channelOf(c.inputs[i].channel)]))
  return {
    channels: { ambient: null, indoor: null, top_oil: null, ...channels },
    coldJunction: null,
    // Such a module compensates by itself, and has nothing to say of it.
    coldJunctionFault: false,
  }
}

function degrees(words: Words, c: TemperatureConfig, map: DegreesMap): Reading {
  const signed = (at: number): number | null => {
    const w = words.get(at)
    return w === undefined ? null : (w << 16) >> 16
  }
  const channelOf = (n: number): Channel | null => {
    const raw = signed(map.temperature + n)
    const flags = [map.open, map.over, map.under].map((at) => words.get(at))
    const [open, over, under] = flags
    if (raw === null || open === undefined || over === undefined || under === undefined) return null
    return {
      raw,
      celsius: tidy(raw * map.scale),
      microvolts: signed(map.microvolts + n) ?? 0,
      none: raw === 0x7fff || raw === -0x8000,
      open: bit(open, n),
      over: bit(over, n),
      under: bit(under, n),
    }
  }
  const channels = Object.fromEntries(inputs.map((i) => [i, channelOf(c.inputs[i].channel)]))
  const coldJunction = signed(map.coldJunction)
  const fault = words.get(map.coldJunctionFault)
  return {
    channels: { ambient: null, indoor: null, top_oil: null, ...channels },
    coldJunction: coldJunction === null ? null : tidy(coldJunction * map.scale),
    coldJunctionFault: fault === undefined ? null : fault !== 0,
  }
}

function bit(word: number, n: number): boolean {
  return ((word >> n) & 1) === 1
}

/** 21.700000000000003 is 21.7. */
function tidy(x: number): number {
  return Number(x.toPrecision(9))
}

/**
 * The flags come first: a module may substitute, or freeze, the value of an input that broke, so a plausible
 * number proves nothing.
 */
export function judge(
  reading: Reading,
  _memory: Memory | undefined,
  _now: number,
  c: TemperatureConfig,
): { readonly samples: readonly Sample[]; readonly memory: Memory } {
  const samples = inputs.map((input): Sample => {
    const channel = reading.channels[input]
    const why = problem(channel, reading.coldJunctionFault, c.inputs[input].range)
    return {
      quantity: `${input}.temperature`,
      value: channel?.celsius ?? 0,
      valid: why === undefined,
      ...(why === undefined ? {} : { why }),
    }
  })
  return { samples, memory: null }
}

function problem(
  channel: Channel | null,
  coldJunctionFault: boolean | null,
  [low, high]: readonly [number, number],
): string | undefined {
  if (channel === null || coldJunctionFault === null) return 'not read'
  if (channel.open) return 'the input is open'
  if (channel.over) return 'over range'
  if (channel.under) return 'under range'
  if (coldJunctionFault) return 'the cold junction is not known'
  if (channel.none) return 'no value'
  if (channel.celsius < low || channel.celsius > high) return `outside ${low} to ${high}`
  return undefined
}
