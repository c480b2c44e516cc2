/** The world in virtual time: what `World` of drivers/faces.ts promises, over the kernel. */
import * as fs from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { GridproofError } from '../errors.ts'
import type { Conn, Host, HostSpec, Realm, SerialSettings, Wire, World } from '../faces.ts'
import { stream } from '../random.ts'
import { createInbox } from '../wires/inbox.ts'
import { listenTcp } from '../wires/tcp.ts'
import { createMembrane } from './bind.ts'
import { unmountBelow } from '../real/block.ts'
import { cacheOf, openDurable, probeDurable } from '../real/disk.ts'
import type { DurableDisk } from '../real/disk.ts'
import { createDoingWatch } from './doing.ts'
import { closeFilesBelow, createHost, diskFolder, remountFolder } from './host.ts'
import { installed, type Installed } from './install.ts'
import type { Owner } from './owner.ts'
import type { VirtualLine } from './serial.ts'
import { ShapedLink } from './shaped.ts'

/** How often a disk is tried to be mounted that somebody else holds, and ms in between. Ours: ten seconds. */
const remountTries = 200
const remountPause = 50

export interface VirtualWorldOptions {
  /** Host names beside localhost, each with its address: `{ marketplace: '10.0.0.2' }`. */
  readonly names?: Readonly<Record<string, string>>
  /** One way between any two addresses, in ms; 0.2 unless given. */
  readonly latencyMs?: number
  /** Where hosts' disks are made; /dev/shm where it can be written, else the machine's folder for temporary files. */
  readonly disks?: string
}

/**
 * Makes a world. Call it within `kernel.run`: the world is that run's. Throws `internal` without a kernel.
 */
export async function createVirtualWorld(options: VirtualWorldOptions = {}): Promise<World> {
  const found = installed()
  if (found === undefined || !found.kernel.active)
    throw new GridproofError(
      'internal',
      'virtual time: createVirtualWorld needs installKernel first, and must be called within kernel.run',
    )
  const { kernel, net, serial } = found
  net.latency = options.latencyMs ?? net.latency
  for (const [name, address] of Object.entries(options.names ?? {}))
    net.names.set(name.toLowerCase(), address)
  const membrane = createMembrane(() => kernel.current())
  const disks = makeFolder(options.disks)
  const realms = new Map<Realm, Owner>()
  const opened: AsyncDisposable[] = []
  const hosts: { end(): void }[] = []
  const drives: DurableDisk[] = []
  const watchDoing = createDoingWatch(kernel)
  const numbers = new Map<string, () => number>()
  const leave = (): void => {
    for (const d of drives.splice(0)) d.close()
    unmountBelow(disks)
    fs.rmSync(disks, { recursive: true, force: true })
  }
  process.once('exit', leave)
  let remounts = 0
  let lines = 0
  /** A line over which TLS passes. */
  let ciphered: string | undefined

  const realm = (spec: { name: string; address: string }): Realm => {
    const owner = kernel.owners.create({ name: spec.name, parent: kernel.root, address: spec.address })
    const r: Realm = {
      name: spec.name,
      address: spec.address,
      run: (f) => owner.run(f),
      bind: (face) => membrane.bind(owner, face),
    }
    realms.set(r, owner)
    return r
  }
  const ownerOf = (r: Realm): Owner => {
    const o = realms.get(r)
    if (o === undefined) throw new GridproofError('bad-value', `realm ${r.name} is not of this world`)
    return o
  }

  return {
    time: 'virtual',
    now: () => kernel.instant(),
    pass: (ms) =>
      new Promise((resolve) => {
        const o = kernel.current()
        if (kernel.seam(o, 'world.pass')) kernel.at(o, Math.max(0, ms), () => resolve(), undefined, true)
      }),
    async host(spec): Promise<Host> {
      const disk = diskFolder(disks, spec.name)
      const drive =
        spec.durable === true
          ? kernel.tripwire.own(() =>
              driveAt(disk, disks, spec, Math.floor(2 ** 32 * stream(kernel.seed, `disk/${spec.name}`)())),
            )
          : undefined
      if (drive !== undefined) drives.push(drive)
      const made = createHost({
        kernel,
        net,
        name: spec.name,
        address: spec.address,
        disk,
        watchDoing,
        drive,
        remount(letGo) {
          if (drive === undefined) {
            remountFolder(disk, join(disks, `.cut-${++remounts}`))
            return
          }
          letGo()
          closeFilesBelow(disk)
          // Whoever has a copy of the mount is no part of this world: it waits for them in real time.
          for (let n = 0; !drive.remount(); n++) {
            if (n === remountTries)
              throw new GridproofError(
                'rig-broke',
                `the disk of ${spec.name} is still in use after its power was cut`,
              )
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, remountPause)
          }
        },
      })
      hosts.push(made)
      return made.host
    },
    realm,
    async tcp(spec) {
      const owner = ownerOf(spec.realm)
      const port = await owner.run(() =>
        listenTcp({
          name: spec.name,
          host: spec.realm.address,
          port: spec.port,
          now: () => kernel.instant(),
        }),
      )
      opened.push(membrane.bind(owner, port))
      return { wire: membrane.bind(owner, port.wire), port: port.port }
    },
    async serial(spec) {
      if (spec.path !== undefined)
        throw new GridproofError('not-capable', `virtual time has no port ${spec.path}: leave the path out`)
      const owner = ownerOf(spec.realm)
      const path = `/dev/ttyV${lines++}`
      const line = serial.line(path)
      if (spec.ciphered === true) {
        line.opaque = true
        ciphered = spec.name
      }
      const device = serialWire(found, line, owner, spec.name, spec.settings)
      const disposable = {
        async [Symbol.asyncDispose]() {
          device.close()
          serial.remove(path)
        },
      }
      opened.push(disposable)
      return { wire: membrane.bind(owner, device.wire), path, ...disposable }
    },
    link(spec) {
      const by = kernel.current()
      const link = new ShapedLink(kernel, {
        host: spec.host,
        model: spec.model,
        onTell(what) {
          if (by.dead === undefined) by.run(() => spec.onTell(what))
        },
      })
      net.links.add(link)
      return Promise.resolve({
        reach({ name, address, port }) {
          link.reach(name, address, port)
          return Promise.resolve({ address, port })
        },
        admit({ name, address, port }) {
          link.admit(name, port)
          return Promise.resolve({ address, port })
        },
        share: (address) => void link.shared.add(address),
        order: (o) => link.order(o),
        packets: { by: 'none', why: 'in virtual time the network is the model itself' },
        async [Symbol.asyncDispose]() {
          link.close()
          net.links.delete(link)
        },
      })
    },
    network: {
      carrier: (a, b, state) => net.setCarrier(a, b, state === 'up'),
    },
    random(name) {
      let r = numbers.get(name)
      if (r === undefined) numbers.set(name, (r = stream(kernel.seed, name)))
      return r()
    },
    beginWatch: () => undefined,
    report() {
      const t = kernel.summary()
      const escapes = [...kernel.escapes]
      if (ciphered === undefined)
        return { time: 'virtual', traceHash: t.hash, traceEvents: t.events, escapes }
      // Whoever looks for words among its bytes may take other times with each run's.
      const untraced = `TLS passes over ${ciphered}: its bytes are others each time`
      return { time: 'virtual', untraced, traceEvents: t.events, escapes }
    },
    async [Symbol.asyncDispose]() {
      for (const h of hosts) h.end()
      for (const d of opened.splice(0).toReversed()) await d[Symbol.asyncDispose]()
      for (const [, o] of realms) o.die('ended')
      process.off('exit', leave)
      leave()
    },
  }
}

/** A disk that loses what was not flushed; nothing where this machine cannot play one. */
function driveAt(at: string, disks: string, spec: HostSpec, seed: number): DurableDisk | undefined {
  if ('lacks' in probeDurable(disks)) return undefined
  const folder = join(disks, `.image-${basename(at)}`)
  fs.mkdirSync(folder)
  return openDurable({ folder, at, bytes: spec.diskBytes, mount: spec.mount, ...cacheOf(spec, seed) })
}

/** A folder of its own for this world's disks, with a name of fixed length, since programs see it. */
function makeFolder(where: string | undefined): string {
  const roots = where === undefined ? ['/dev/shm', tmpdir()] : [where]
  let last: unknown
  for (const root of roots)
    for (let n = 0; n < 10_000; n++) {
      const path = join(
        root,
        `gridproof-${String(process.pid).padStart(8, '0')}-${String(n).padStart(4, '0')}`,
      )
      try {
        fs.mkdirSync(path)
        return path
      } catch (e) {
        last = e
        if ((e as NodeJS.ErrnoException).code !== 'EEXIST') break
      }
    }
  throw new GridproofError(
    'rig-lacks',
    `no folder for the hosts' disks could be made in ${roots.join(' or ')}`,
    { cause: last },
  )
}
/** The device's end of a serial line as a wire. */
function serialWire(
  { kernel }: Installed,
  line: VirtualLine,
  owner: Owner,
  name: string,
  settings: SerialSettings,
): { wire: Wire; close(): void } {
  const close = (): void => {
    line.device = undefined
  }
  const wire: Wire = {
    name,
    can: new Set(['byte-gap'] as const),
    async open(f) {
      if (line.device !== undefined)
        throw new GridproofError('bad-value', `${name} is open already: dispose it before it is opened again`)
      const inbox = createInbox()
      let over = false
      line.device = { owner, settings, bytes: (b) => inbox.bytes(b, kernel.instant()) }
      const conn: Conn = {
        peer: name,
        async send(b) {
          if (over || !kernel.seam(owner, 'serial send'))
            throw new GridproofError(
              'rig-broke',
              `${name}: the line has been let go; nothing more can be sent on it`,
            )
          const { start } = line.send(0, settings, b)
          const wait = start - kernel.now
          if (wait > 0)
            await new Promise<void>((resolve) => kernel.at(owner, wait, () => resolve(), undefined, true))
          return kernel.epoch + start
        },
        onBytes: (g) => inbox.onBytes(g),
        onEnd: (g) => inbox.onEnd(g),
        end() {
          // A serial line has no way to tell the other end.
          over = true
          inbox.shut()
        },
      }
      f(conn)
      return {
        async [Symbol.asyncDispose]() {
          over = true
          inbox.shut()
          close()
        },
      }
    },
  }
  return { wire, close }
}
