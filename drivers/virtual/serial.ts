/**
 * Virtual serial lines under SerialPort. The bindings of the serialport package are one shared object; its `open` is
 * replaced, so that unmodified SerialPort and modbus-serial open virtual lines by their path.
 */
import { createRequire } from 'node:module'
import { GridproofError } from '../errors.ts'
import type { SerialSettings } from '../faces.ts'
import type { Item } from './agenda.ts'
import type { Kernel } from './kernel.ts'
import type { Owner, Thing } from './owner.ts'
import type { Bag } from './patch.ts'

/** One end of a line. What is sent is delivered to the other end whole, when its last stop bit is through. */
export interface LineEnd {
  readonly settings: SerialSettings
  bytes(b: Buffer): void
}

/** Bits of one character on the line: start, data, parity, stop. */
export function bitsPerCharacter(s: SerialSettings): number {
  return 1 + s.dataBits + (s.parity === 'none' ? 0 : 1) + s.stopBits
}

/** Time that `n` characters take, in ms. */
export function lineTime(s: SerialSettings, n: number): number {
  return (n * bitsPerCharacter(s) * 1000) / s.baudRate
}

/** A line between a device's end and whatever opens its path. */
export class VirtualLine {
  readonly path: string
  readonly kernel: Kernel
  readonly channel: number
  device: (LineEnd & { readonly owner: Owner }) | undefined
  port: PortBinding | undefined
  /** TLS runs over it: of its bytes the trace keeps lengths alone. */
  opaque = false
  /** When each direction is through with what it has: 0 from the device, 1 from the port. */
  private readonly busyUntil = [0, 0]

  constructor(kernel: Kernel, path: string, channel: number) {
    this.kernel = kernel
    this.path = path
    this.channel = channel
  }

  /** Sends from one end. Returns when the first bit leaves and when the last is through (ms since the start). */
  send(way: 0 | 1, s: SerialSettings, data: Uint8Array): { start: number; end: number; item: Item } {
    const { kernel } = this
    const start = Math.max(kernel.now, this.busyUntil[way] ?? 0)
    const end = start + lineTime(s, data.length)
    this.busyUntil[way] = end
    const copy = Buffer.from(data)
    const place = kernel.trace.detail ? kernel.tripwire.place() : undefined
    const item = kernel.when(
      undefined,
      end,
      () => {
        const to = way === 0 ? this.port : this.device
        kernel.trace.delivered(
          'bytes',
          kernel.now,
          this.channel,
          way,
          this.opaque ? undefined : copy,
          copy.length,
          `${this.path} ${way === 0 ? 'from' : 'to'} the device`,
          place,
        )
        if (to === undefined || to.owner.dead !== undefined) return
        const b = to.settings.baudRate === s.baudRate ? copy : garbled(copy)
        try {
          to.owner.run(() => to.bytes(b))
        } catch (e) {
          kernel.thrown(e, to.owner)
        }
      },
      undefined,
      true,
    )
    return { start, end, item }
  }
}

/** At the wrong speed a receiver samples other bits: every byte is wrong. Which ones is ours. */
function garbled(b: Buffer): Buffer {
  return b.map((x) => ((x << 1) ^ 0x5a ^ (x >> 3)) & 0xff) as Buffer
}

interface OpenOptions {
  path: string
  baudRate: number
  dataBits?: number
  stopBits?: number
  parity?: string
  lock?: boolean
}

/** What SerialPort calls a port of a binding. */
export class PortBinding implements Thing {
  readonly openOptions: OpenOptions
  readonly owner: Owner
  isOpen = true
  settings: SerialSettings
  private readonly line: VirtualLine
  private readonly kernel: Kernel
  private arrived: Buffer = Buffer.alloc(0)
  private reader:
    | { buffer: Buffer; offset: number; length: number; resolve(v: unknown): void; reject(e: Error): void }
    | undefined
  private through = 0

  constructor(line: VirtualLine, owner: Owner, o: OpenOptions) {
    this.line = line
    this.kernel = line.kernel
    this.owner = owner
    this.openOptions = o
    this.settings = {
      baudRate: o.baudRate,
      dataBits: o.dataBits === 7 ? 7 : 8,
      parity: o.parity === 'even' || o.parity === 'odd' ? o.parity : 'none',
      stopBits: o.stopBits === 2 ? 2 : 1,
    }
    line.port = this
    owner.things.add(this)
  }

  ownerDied(): void {
    this.isOpen = false
    if (this.line.port === this) this.line.port = undefined
  }

  bytes(b: Buffer): void {
    if (!this.isOpen) return
    this.arrived = this.arrived.length === 0 ? b : Buffer.concat([this.arrived, b])
    this.serve()
  }

  async read(buffer: Buffer, offset: number, length: number): Promise<unknown> {
    this.check('serial read')
    return new Promise((resolve, reject) => {
      this.reader = { buffer, offset, length, resolve, reject }
      this.serve()
    })
  }

  async write(buffer: Buffer): Promise<void> {
    this.check('serial write')
    if (buffer.length === 0) return
    this.through = this.line.send(1, this.settings, buffer).end
    await this.later()
  }

  async drain(): Promise<void> {
    this.check('serial drain')
    const wait = this.through - this.kernel.now
    if (wait > 0)
      await new Promise<void>((resolve) => this.kernel.at(this.owner, wait, () => resolve(), undefined, true))
    else await this.later()
  }

  async flush(): Promise<void> {
    this.check('serial flush')
    this.arrived = Buffer.alloc(0)
    await this.later()
  }

  async update(o: { baudRate: number }): Promise<void> {
    this.check('serial update')
    this.settings = { ...this.settings, baudRate: o.baudRate }
    await this.later()
  }

  async set(): Promise<void> {
    this.check('serial set')
    await this.later()
  }

  async get(): Promise<{ cts: boolean; dsr: boolean; dcd: boolean }> {
    this.check('serial get')
    await this.later()
    return { cts: true, dsr: true, dcd: true }
  }

  async getBaudRate(): Promise<{ baudRate: number }> {
    this.check('serial getBaudRate')
    return { baudRate: this.settings.baudRate }
  }

  async close(): Promise<void> {
    this.check('serial close')
    this.isOpen = false
    this.owner.things.delete(this)
    if (this.line.port === this) this.line.port = undefined
    this.reader?.reject(Object.assign(new Error('Canceled'), { canceled: true }))
    this.reader = undefined
    await this.later()
  }

  private serve(): void {
    const r = this.reader
    if (r === undefined || this.arrived.length === 0) return
    this.reader = undefined
    const n = Math.min(r.length, this.arrived.length)
    this.arrived.copy(r.buffer, r.offset, 0, n)
    this.arrived = this.arrived.subarray(n)
    r.resolve({ buffer: r.buffer, bytesRead: n })
  }

  private check(what: string): void {
    this.kernel.seam(this.owner, what)
    const asker = this.kernel.current()
    if (asker !== this.owner && asker.top !== this.owner.top)
      this.kernel.tripwire.hit(`a serial port of ${this.owner.key} used by ${asker.key}`)
    if (!this.isOpen) throw Object.assign(new Error('Port is not open'), { canceled: true })
  }

  private later(): Promise<void> {
    return new Promise((resolve) => this.kernel.immediate(this.owner, () => resolve(), undefined))
  }
}

export interface SerialBus {
  line(path: string): VirtualLine
  remove(path: string): void
}

/** The lines of this process. The bindings are looked for when the first line is made. */
export function createSerialBus(kernel: Kernel): SerialBus {
  const lines = new Map<string, VirtualLine>()
  let channels = 0
  let replaced = false
  kernel.add({
    begin() {
      lines.clear()
      channels = 0
    },
  })
  const open = async (o: OpenOptions): Promise<PortBinding> => {
    const owner = kernel.current()
    kernel.seam(owner, 'serial open')
    const line = lines.get(o.path)
    if (line === undefined) throw new Error(`Error: No such file or directory, cannot open ${o.path}`)
    await new Promise<void>((resolve) => kernel.immediate(owner, () => resolve(), undefined))
    if (line.port !== undefined && o.lock !== false)
      throw new Error(`Error Resource temporarily unavailable Cannot lock port`)
    return new PortBinding(line, owner, o)
  }
  const replaceBindings = (): void => {
    replaced = true
    const ours = createRequire(import.meta.url)
    const cpp = createRequire(ours.resolve('serialport'))('@serialport/bindings-cpp') as { autoDetect(): Bag }
    const binding = cpp.autoDetect()
    binding['open'] = open
    binding['list'] = async () => [...lines.keys()].map((path) => ({ path }))
  }
  return {
    line(path) {
      if (!replaced) replaceBindings()
      if (lines.has(path)) throw new GridproofError('bad-value', `there is a serial line ${path} already`)
      // Channels of lines count down from the top, so that they are never a connection's.
      const line = new VirtualLine(kernel, path, 0xffffffff - channels++)
      lines.set(path, line)
      return line
    },
    remove(path) {
      lines.delete(path)
    },
  }
}
