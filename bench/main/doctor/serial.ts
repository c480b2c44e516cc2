/** Serial ports of this machine: what there is, who may open it, and how late its driver hands on. */
import { accessSync, constants, existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { missing, ok, warn } from './finding.ts'
import type { Finding } from './finding.ts'

export interface Trees {
  /** `/dev` unless given; for tests. */
  readonly dev?: string
  /** `/sys` unless given. */
  readonly sys?: string
}

/**
 * Milliseconds for which FTDI's driver holds bytes back, 16 by default (Linux, ftdi_sio). An answer can come so much
 * later, and a gap that ends a frame is not seen: 1 is the least.
 */
const wantedLatency = 1

/** Stable names below /dev/serial/by-id, with where they lead. */
export function stablePorts(o: Trees = {}): readonly { readonly name: string; readonly path: string }[] {
  const folder = join(o.dev ?? '/dev', 'serial', 'by-id')
  if (!existsSync(folder)) return []
  return readdirSync(folder)
    .sort()
    .map((name) => ({ name, path: join(folder, name) }))
}

/** One port: whether it is there, may be opened, and hands on at once. */
export function port(path: string, o: Trees = {}): readonly Finding[] {
  let real: string
  try {
    real = realpathSync(path)
  } catch {
    return [
      missing(
        'serial-port',
        `${path} is not there`,
        'plug the adapter in; /dev/serial/by-id has the names that stay',
      ),
    ]
  }
  const told = real === path ? path : `${path} (${basename(real)})`
  try {
    accessSync(real, constants.R_OK | constants.W_OK)
  } catch {
    return [
      missing(
        'serial-port',
        `${told} may not be opened by this user`,
        'join the group that owns it (Debian: sudo adduser $USER dialout; Arch: uucp), then log in again',
      ),
    ]
  }
  const found: Finding[] = [ok('serial-port', `${told} is there and may be opened`)]
  const latency = latencyOf(basename(real), o)
  if (latency !== undefined)
    found.push(
      latency <= wantedLatency
        ? ok('latency', `${basename(real)}: its driver hands on after ${latency} ms`)
        : warn(
            'latency',
            `${basename(real)}: its driver holds bytes for ${latency} ms, so that answers come late and gaps are not seen`,
            `echo ${wantedLatency} | sudo tee /sys/bus/usb-serial/devices/${basename(real)}/latency_timer`,
          ),
    )
  return found
}

function latencyOf(tty: string, o: Trees): number | undefined {
  try {
    const text = readFileSync(
      join(o.sys ?? '/sys', 'bus', 'usb-serial', 'devices', tty, 'latency_timer'),
      'utf8',
    )
    return /^\d+\s*$/.test(text) ? Number(text) : undefined
  } catch {
    // Only FTDI's driver has it.
    return undefined
  }
}

/** All ports with stable names. */
export function ports(o: Trees = {}): readonly Finding[] {
  const all = stablePorts(o)
  if (all.length === 0)
    return [ok('serial-ports', 'no USB adapter here; virtual rigs and pseudo terminals need none')]
  return all.flatMap((p) => port(p.path, o))
}
