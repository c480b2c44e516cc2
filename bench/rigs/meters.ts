/** Meters on serial lines that can be taken off and put back otherwise: another meter, other settings, other times. */
import { GridproofError } from '../../drivers/errors.ts'
import type { Json, SerialLine, SerialSettings, World } from '../../drivers/faces.ts'
import type { Device, Emit, Meter } from '../../sim/faces.ts'
import type { Wiring } from '../faces.ts'
import type { ReadLine } from '../platforms/reader.ts'
import type { MakeDevice } from './options.ts'
import type { MeterRole } from './parts.ts'
import type { DeviceEntry } from './schema.ts'

export interface MeterAtLine extends AsyncDisposable {
  /** The meter that stands there now, whichever it is. */
  readonly role: Meter
  readonly line: ReadLine
  /** Takes the meter off its line; what it has begun to send is still sent. */
  off(): Promise<void>
  /** Puts one there, as it was but for this. */
  on(change: Wiring): Promise<void>
}

export interface MeterOptions {
  readonly role: MeterRole
  readonly entry: DeviceEntry
  readonly world: World
  readonly address: string
  readonly makeDevice: MakeDevice
  emitAs(src: string): Emit
}

/** Puts a meter on a line. */
export async function meterAtLine(o: MeterOptions): Promise<MeterAtLine> {
  const { role, entry, world } = o
  if (entry.serial === undefined) throw new GridproofError('rig-lacks', `${role} stands at no serial line`)
  let settings: SerialSettings = entry.serial
  let options: { readonly [k: string]: Json } = { ...entry.options }
  let reads: { readonly [k: string]: Json } = { ...(entry.app as { readonly [k: string]: Json } | undefined) }
  let device: Device | undefined
  let line: SerialLine | undefined

  const off = async (): Promise<void> => {
    await device?.[Symbol.asyncDispose]()
    await line?.[Symbol.asyncDispose]()
    device = undefined
    line = undefined
  }
  const on = async (change: Wiring): Promise<void> => {
    settings = { ...settings, ...change.line }
    reads = { ...reads, ...change.reads }
    options = {
      ...options,
      ...(change.personality === undefined ? {} : { personality: change.personality }),
      ...(change.cadence === undefined ? {} : { cadence: change.cadence }),
      // As long as nothing is said of its line, the meter paces as its personality does.
      ...(change.line === undefined
        ? {}
        : {
            line: {
              baud_rate: settings.baudRate,
              data_bits: 8,
              parity: settings.parity,
              stop_bits: settings.stopBits,
            },
          }),
    }
    const realm = world.realm({ name: role, address: o.address })
    const made = realm.run(() => o.makeDevice(entry.device, role, options))
    const bound = realm.bind(made)
    line = await world.serial({ name: `${role}/serial`, realm, settings })
    await bound.start(line.wire, {
      now: () => world.now(),
      random: (s) => world.random(`${role}/${s}`),
      emit: o.emitAs(role),
    })
    device = bound
  }
  await on({})
  return {
    role: new Proxy({} as Meter, {
      get(_, key) {
        if (device === undefined) throw new GridproofError('bad-value', `${role} is off its line`)
        const v: unknown = Reflect.get(device, key, device)
        return typeof v === 'function' ? (v as (...a: unknown[]) => unknown).bind(device) : v
      },
    }),
    get line(): ReadLine {
      return { path: line?.path ?? '', settings, reads }
    },
    off,
    on,
    [Symbol.asyncDispose]: off,
  }
}
