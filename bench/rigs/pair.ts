/** Two substations in one rig: which role stands at which, and what each platform is told of. */
import type { Json } from '../../drivers/faces.ts'
import type { Device, DeviceEnv, Emit, Feeders } from '../../sim/faces.ts'
import type { Platform, Roles } from '../faces.ts'

/** Suffix of roles, sources and aliases: nothing for the first substation, `2` for the second. */
export type Suffix = '' | '2'

/** Makes the network between the two substations and begins. */
export type MakeNetwork = (
  options: Json,
  env: DeviceEnv,
) => {
  readonly role: Feeders
  /** Puts a device into it, before it is started; `run` runs something in the device's realm. */
  feed(device: Device, run: (f: () => void) => void): void
}

/** Roles of the pair as a whole: both platforms are installed for them. */
const ofBoth: ReadonlySet<string> = new Set<keyof Roles>(['network', 'peers', 'automation'])

/** The roles of a scenario as the platform of one substation sees them: by their names without suffix. */
export function wantedAt(side: Suffix, wanted: ReadonlySet<keyof Roles>): ReadonlySet<keyof Roles> {
  const names = [...wanted].flatMap((role): string[] => {
    if (ofBoth.has(role)) return [role]
    const second = role.endsWith('2') && role !== 'meter2'
    if (side === '') return second ? [] : [role]
    return second ? [role.slice(0, -1)] : []
  })
  return new Set(names as (keyof Roles)[])
}

/** Writes in the name of a source of the second substation. What defects do is told alike. */
export function emitFor(side: Suffix, emitAs: (src: string) => Emit): (src: string) => Emit {
  return (src) => emitAs(src === 'defect' ? src : `${src}${side}`)
}

/** Aliases at the second substation's marketplace: `gridkey2.busbar.l1n.voltage`; names of instances stay as they are. */
export function aliasFor(side: Suffix, aliasOf: (topic: string) => string): (topic: string) => string {
  if (side === '') return aliasOf
  return (topic) => {
    const alias = aliasOf(topic)
    const [first = '', second = '', ...rest] = alias.split('.')
    if (general.has(first)) return alias
    if (first === 'metadata') return [first, `${second}${side}`, ...rest].join('.')
    return `${first}${side}${alias.slice(first.length)}`
  }
}

/** First parts of aliases that name no app or device. */
const general: ReadonlySet<string> = new Set([
  'unknown',
  'status',
  'config',
  'command',
  'pulse',
  'error',
  'log',
  'operator',
])

/** Both platforms for whoever waits until all is up, and samples their figures. */
export function bothOf(
  first: Platform & AsyncDisposable,
  second: Platform & AsyncDisposable,
): Platform & AsyncDisposable {
  return {
    can: first.can,
    hosts: [...first.hosts, ...second.hosts],
    async ready(within) {
      await Promise.all([first.ready(within), second.ready(within)])
    },
    watch: (port, select) => first.watch(port, select),
    ask: (port, request) => first.ask(port, request),
    async [Symbol.asyncDispose]() {
      await first[Symbol.asyncDispose]()
      await second[Symbol.asyncDispose]()
    },
  }
}

/** A network that does nothing, for a scenario that is tried on paper. */
export function idleFeeders(): Feeders {
  return {
    role: 'network',
    faults: [],
    truth: { quantities: [], at: () => 0, range: () => ({ min: 0, max: 0, mean: 0 }) },
    follow: () => undefined,
    weather: () => undefined,
    always: () => undefined,
    halfHours: () => ({ transformer: [], feeder: [] }),
    inflict: (_, params = null) => ({ id: 'rehearsal', params, lift: () => undefined }),
    [Symbol.asyncDispose]: async () => undefined,
  }
}
