/** The world in real time: this machine's clock, processes, loopback network and pseudo terminals. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { GridproofError, messageOf } from '../errors.ts'
import type { Host, Realm, SerialLine, SerialSettings, Wire, World, WorldReport } from '../faces.ts'
import { streams } from '../random.ts'
import { serialWire } from '../wires/serial.ts'
import { listenTcp } from '../wires/tcp.ts'
import { createAddresses, probeAddress } from './addresses.ts'
import { atOrAfter, benchNow } from './clock.ts'
import { createRealHost } from './host.ts'
import { createRealLink } from './real-link.ts'
import { clearLeftovers, openLedger, stateFolder, type Cleared } from './ledger.ts'
import { openPty, type PtyPacing } from './pty.ts'
import { startStolenProbe } from './stolen.ts'

/** Period of the timer that watches the bench's own event loop, ms. */
const delayResolution = 10

export interface RealWorldOptions {
  readonly seed: number | string
  /** Where state outlives a run; ledger.ts says which folder else. */
  readonly state?: string
  /**
   * `loopback`: addresses outside 127.0.0.0/8 get one inside it. `given`: each is taken as it stands, as the addresses of
   * this machine in a lab are. `loopback` unless given.
   */
  readonly addresses?: 'loopback' | 'given'
  /** How serial lines hand on what devices send: see pty.ts. */
  readonly pacing?: PtyPacing
  /** Which maker of pseudo terminals to use; the best there is unless given. */
  readonly pty?: 'koffi' | 'socat'
  /** Told what dead benches had left and what has become of it; only when there was something. */
  readonly onCleared?: (c: readonly Cleared[]) => void
  /** How long each part may take to close (ms). 5000 unless given; ours. */
  readonly closeWithin?: number
}

/**
 * Makes the world, after undoing what dead benches left. Hosts and realms asked for with an address outside
 * 127.0.0.0/8 get one inside it: use the one that the Host or Realm then has. Dispose it on every way out; a bench
 * that is killed leaves no process, and its folders go with the next start.
 */
export async function createRealWorld(o: RealWorldOptions): Promise<World> {
  const state = o.state ?? stateFolder()
  const cleared = clearLeftovers(state)
  if (cleared.length > 0) o.onCleared?.(cleared)
  const ledger = openLedger(state)
  const onExit = (): void => {
    ledger.close()
  }
  process.once('exit', onExit)

  const probe = startStolenProbe()
  const delay = monitorEventLoopDelay({ resolution: delayResolution })
  delay.enable()
  const random = streams(o.seed)
  const addressOf = o.addresses === 'given' ? (asked: string) => asked : createAddresses(process.pid)
  /** The last made comes first. */
  const parts: { name: string; part: AsyncDisposable; program?: boolean }[] = [
    { name: 'stolen-time probe', part: probe },
  ]
  const passing = new Set<() => void>()
  let stolen: number | undefined
  let closing: Promise<void> | undefined

  const open = (): void => {
    if (closing !== undefined) throw new GridproofError('rig-broke', 'this world has been closed')
  }
  /** Keeps what was made for the end, or ends it at once if the world was closed meanwhile. */
  const keep = async <T extends AsyncDisposable>(name: string, part: T, program = false): Promise<T> => {
    if (closing !== undefined) {
      await part[Symbol.asyncDispose]()
      open()
    }
    parts.unshift({ name, part, program })
    return part
  }
  const close = async (): Promise<void> => {
    for (const stop of passing) stop()
    const trouble: Error[] = []
    // Programs first: a SerialPort whose line goes from under it reads nothing, for ever, as fast as it can.
    const order = [...parts.filter((p) => p.program), ...parts.filter((p) => !p.program)]
    for (const { name, part } of order) {
      if (part === probe) {
        stolen = probe.share()
        delay.disable()
      }
      const e = await within(o.closeWithin ?? 5000, name, part)
      if (e !== undefined) trouble.push(e)
    }
    process.off('exit', onExit)
    for (const c of ledger.close())
      if (c.outcome === 'failed')
        trouble.push(new GridproofError('rig-broke', `${c.what} is left: ${c.why ?? ''}`))
    if (trouble.length > 0)
      throw new GridproofError(
        'rig-broke',
        `the bench could not close all of its world: ${trouble.map(messageOf).join('; ')}`,
        { cause: trouble.length === 1 ? trouble[0] : new AggregateError(trouble) },
      )
  }

  return {
    time: 'real',
    now: benchNow,
    pass: (ms) =>
      new Promise((resolve, reject) => {
        open()
        if (!(ms >= 0 && Number.isFinite(ms)))
          throw new GridproofError('bad-value', `${ms} ms cannot pass: take 0 or more`)
        const stop = (): void => {
          cancel()
          reject(new GridproofError('rig-broke', 'the world was closed while time was passing'))
        }
        const cancel = atOrAfter(benchNow() + ms, benchNow, () => {
          passing.delete(stop)
          resolve()
        })
        passing.add(stop)
      }),
    async host(spec): Promise<Host> {
      open()
      const address = addressOf(spec.address)
      await probeAddress(address)
      open()
      const host = createRealHost({
        ...spec,
        address,
        ledger,
        seed: Math.floor(2 ** 32 * random(`disk/${spec.name}`)),
      })
      return keep(`host ${spec.name}`, host, true)
    },
    realm: (spec): Realm => ({
      name: spec.name,
      address: addressOf(spec.address),
      run: (f) => f(),
      bind: (face) => face,
    }),
    async tcp(spec): Promise<{ wire: Wire; port: number }> {
      open()
      const port = await listenTcp({
        name: spec.name,
        host: spec.realm.address,
        port: spec.port,
        now: benchNow,
      })
      return keep(spec.name, port)
    },
    async serial(spec: Parameters<World['serial']>[0]): Promise<SerialLine> {
      open()
      if (spec.path !== undefined) return portOf(spec.name, spec.path, spec.settings)
      const line = await openPty({
        name: spec.name,
        settings: spec.settings,
        ...(o.pacing === undefined ? {} : { pacing: o.pacing }),
        ...(o.pty === undefined ? {} : { provider: o.pty }),
      })
      return keep(spec.name, line)
    },
    async link(spec) {
      open()
      const link = await createRealLink({
        name: spec.name,
        address: spec.realm.address,
        model: spec.model,
        ledger,
        now: benchNow,
        onTell: (what) => spec.onTell(what),
      })
      return keep(spec.name, link)
    },
    random,
    beginWatch: () => delay.reset(),
    report(): WorldReport {
      const share = closing === undefined ? probe.share() : stolen
      // Its timer wakes each `delayResolution` ms: what is beyond that is a stall.
      const stalledMs = Math.max(0, Math.round(delay.max / 1e6 - delayResolution))
      return { time: 'real', escapes: [], stalledMs, ...(share === undefined ? {} : { stolen: share }) }
    },
    [Symbol.asyncDispose]() {
      closing ??= close()
      return closing
    },
  }
}

/** A serial port of this machine as a line. Whoever opens its wire closes the port again. */
function portOf(name: string, path: string, settings: SerialSettings): SerialLine {
  return {
    wire: serialWire({ name, path, settings, now: benchNow }),
    path,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}

/** Closes one part; what went wrong, if anything did. */
async function within(ms: number, name: string, part: AsyncDisposable): Promise<Error | undefined> {
  const late = Promise.withResolvers<Error>()
  const timer = setTimeout(
    () => late.resolve(new GridproofError('timeout', `${name} did not close within ${ms} ms`)),
    ms,
  )
  try {
    return await Promise.race([
      Promise.resolve(part[Symbol.asyncDispose]()).then(() => undefined),
      late.promise,
    ])
  } catch (e) {
    return e instanceof Error ? e : new Error(String(e))
  } finally {
    clearTimeout(timer)
  }
}
