/**
 * The serial ports of this machine, with what is known of each. On Linux from /sys and /dev alone: SerialPort.list() asks
 * udevadm, which not every machine has.
 */
import { existsSync, readFileSync, readdirSync, readlinkSync, realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { SerialPort } from 'serialport'
import { stablePorts } from './serial.ts'
import type { Trees } from './serial.ts'

export interface PortInfo {
  /** `/dev/ttyUSB0` */
  readonly path: string
  /** The name that stays, below /dev/serial/by-id. */
  readonly stable: string | undefined
  /** Of the kernel: `ftdi_sio`, `serial8250`. */
  readonly driver: string | undefined
  /** What the adapter calls itself: maker, product, serial number; USB IDs. */
  readonly adapter: string | undefined
  /** For so long its driver holds bytes back, ms; undefined where it does not say. */
  readonly latencyMs: number | undefined
}

function line(file: string): string | undefined {
  try {
    const text = readFileSync(file, 'utf8').trim()
    return text === '' ? undefined : text
  } catch {
    return undefined
  }
}

function link(path: string): string | undefined {
  try {
    return basename(readlinkSync(path))
  } catch {
    return undefined
  }
}

/** What the USB device says of itself above an interface; undefined: there is none. */
function adapterOf(device: string): string | undefined {
  let at: string
  try {
    at = realpathSync(device)
  } catch {
    return undefined
  }
  for (let up = 0; up < 6; up++, at = dirname(at)) {
    const [vendor, product] = [line(join(at, 'idVendor')), line(join(at, 'idProduct'))]
    if (vendor === undefined || product === undefined) continue
    const names = ['manufacturer', 'product', 'serial'].flatMap((f) => line(join(at, f)) ?? [])
    return [...names, `(USB ${vendor}:${product})`].join(' ')
  }
  return undefined
}

function linuxPorts(o: Trees): PortInfo[] {
  const folder = join(o.sys ?? '/sys', 'class', 'tty')
  if (!existsSync(folder)) return []
  const dev = o.dev ?? '/dev'
  const stable = new Map(
    stablePorts(o).flatMap((p): [string, string][] => {
      try {
        return [[basename(realpathSync(p.path)), p.path]]
      } catch {
        return []
      }
    }),
  )
  return readdirSync(folder)
    .sort((a, b) => a.localeCompare(b, 'en', { numeric: true }))
    .flatMap((name): PortInfo[] => {
      const device = join(folder, name, 'device')
      const driver = link(join(device, 'driver'))
      // Without a device it is a console or pseudo terminal; an UART of type 0 is a place where none was found.
      if (driver === undefined || line(join(folder, name, 'type')) === '0') return []
      const held = line(join(o.sys ?? '/sys', 'bus', 'usb-serial', 'devices', name, 'latency_timer'))
      return [
        {
          path: join(dev, name),
          stable: stable.get(name),
          driver,
          adapter: adapterOf(device),
          latencyMs: held !== undefined && /^\d+$/.test(held) ? Number(held) : undefined,
        },
      ]
    })
}

export async function listPorts(o: Trees = {}): Promise<readonly PortInfo[]> {
  if (process.platform === 'linux' || o.sys !== undefined) return linuxPorts(o)
  const all = await SerialPort.list()
  return all.map((p) => ({
    path: p.path,
    stable: undefined,
    driver: undefined,
    adapter: [p.manufacturer, p.serialNumber].filter((x) => x !== undefined).join(' ') || undefined,
    latencyMs: undefined,
  }))
}

/** For a person; a remark where a port's driver makes frames end late. */
export function portsText(ports: readonly PortInfo[]): string {
  if (ports.length === 0)
    return 'no serial port here: plug an adapter in (a pseudo terminal needs none: --pty)\n'
  return ports
    .map((p) => {
      const held = p.latencyMs === undefined ? '' : `, hands bytes on after ${p.latencyMs} ms`
      const late =
        (p.latencyMs ?? 0) > 1
          ? `; for right timing: echo 1 | sudo tee the latency_timer (gridproof doctor)`
          : ''
      return [
        `${p.path}  ${p.adapter ?? 'no USB adapter'}; driver ${p.driver ?? 'not known'}${held}${late}`,
        ...(p.stable === undefined ? [] : [`  its name that stays: ${p.stable}`]),
      ].join('\n')
    })
    .join('\n')
    .concat('\n')
}
