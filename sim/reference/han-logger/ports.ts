/** Serial ports that stay: one that is gone, or not there yet, is tried again until it is. */
import { type Stats, statSync } from 'node:fs'
import { SerialPort } from 'serialport'
import type { JsonObject } from '../lvcap/env.ts'
import type { LineConfig } from './config.ts'

/** Milliseconds between looks at a port that could not be opened, or is gone. Ours. */
const reopenAfter = 2_000

/** What a path leads to, where it leads to something; an adapter that is replugged, or another one, is another. */
function deviceAt(path: string): string | undefined {
  let s: Stats
  try {
    s = statSync(path)
  } catch {
    return undefined
  }
  return `${s.dev}:${s.ino}:${s.rdev}`
}

export type PortSettings = Pick<LineConfig, 'path' | 'baudRate' | 'dataBits' | 'parity' | 'stopBits'>

export interface Port {
  close(): Promise<void>
}

export interface PortUser {
  bytes(chunk: Uint8Array): void
  opened?(port: SerialPort): void
  lost?(): void
}

/** Opens a port and keeps it open. Events `port-open`, `port-refused` (once for each reason), `port-lost`. */
export function keepOpen(settings: PortSettings, log: (entry: JsonObject) => void, user: PortUser): Port {
  const { path, baudRate, dataBits, parity, stopBits } = settings
  let port: SerialPort | undefined
  let retry: NodeJS.Timeout | undefined
  let watch: NodeJS.Timeout | undefined
  let closed = false
  let told = ''
  const again = (): void => {
    if (!closed) retry = setTimeout(open, reopenAfter)
  }
  const begin = (p: SerialPort): void => {
    if (closed || !p.isOpen) {
      if (!closed) again()
      return
    }
    log({ event: 'port-open', path, baud: baudRate })
    p.on('data', (chunk: Uint8Array) => user.bytes(chunk))
    user.opened?.(p)
    // Some drivers tell nobody that their line has gone, and give no bytes for ever.
    const device = deviceAt(path)
    if (device !== undefined)
      watch = setInterval(() => {
        if (deviceAt(path) !== device && p.isOpen) p.close()
      }, reopenAfter)
    p.once('close', () => {
      clearInterval(watch)
      if (closed) return
      log({ event: 'port-lost', path })
      user.lost?.()
      again()
    })
  }
  const open = (): void => {
    const p = new SerialPort({ path, baudRate, dataBits, parity, stopBits, autoOpen: false })
    port = p
    p.on('error', () => undefined)
    p.open((e) => {
      if (closed) {
        if (p.isOpen) p.close()
        return
      }
      if (e !== null && e !== undefined) {
        // Said once, not every other second.
        if (told !== e.message) log({ event: 'port-refused', path, why: e.message })
        told = e.message
        return again()
      }
      told = ''
      // What came before is of no known time, and perhaps of another speed.
      p.flush(() => begin(p))
    })
  }
  open()
  return {
    close() {
      closed = true
      clearTimeout(retry)
      clearInterval(watch)
      const p = port
      return new Promise((resolve) => {
        if (p?.isOpen === true) p.close(() => resolve())
        else resolve()
      })
    },
  }
}
