/**
 * The tripwire: what leaves virtual time is caught when it is made. An async_hooks hook sees each asynchronous
 * resource of Node; a type that is not on the list, or a call that the parts of the kernel report, is an escape,
 * recorded with the place in the code that made it.
 */
import { asyncWrapProviders, createHook } from 'node:async_hooks'

export interface Escape {
  readonly what: string
  /** File and line of the first frame outside the kernel and Node. */
  readonly where: string
}

export interface Tripwire {
  readonly escapes: readonly Escape[]
  /** Real asynchronous work may be under way: the pump asks Node what. */
  busy: boolean
  enable(): void
  disable(): void
  reset(): void
  /** Reports an escape that a replaced function has seen. */
  hit(what: string): void
  /** Makes real resources that are the kernel's own. */
  own<T>(f: () => T): T
  readonly place: () => string
}

/** Types that bring no clock and no thread of their own, or that wrap a virtual socket. */
const harmless = new Set([
  'TickObject',
  'Microtask',
  'STREAM_END_OF_STREAM',
  'PROMISE',
  'JSSTREAM',
  'TLSWRAP',
  'WRITEWRAP',
  'SHUTDOWNWRAP',
  'HTTPINCOMINGMESSAGE',
  'HTTPCLIENTREQUEST',
  'ZLIB',
  'SIGNALWRAP',
  'TTYWRAP',
  'DNSCHANNEL',
  'ELDHISTOGRAM',
  'SIGINTWATCHDOG',
])

/** Crypto jobs are made for the synchronous call too; only the asynchronous one leaves virtual time. */
const jobs = /(?:REQUEST|PRIMEREQUEST)$/

/** At most so many escapes are kept: one is enough to fail a run. */
const keepLimit = 100

const ownFolder = new URL('.', import.meta.url).href
const rootFolder = new URL('../../', import.meta.url)

/** The file and line of the first frame outside the kernel and Node, relative to the project. */
export function placeOf(stack: string): string {
  for (const line of stack.split('\n').slice(1)) {
    const m = /(?:\(|^at (?:async )?)((?:file:\/\/|\/|[A-Za-z]:\\)[^()]*:\d+:\d+)\)?$/.exec(line.trim())
    const at = m?.[1]
    if (at === undefined || isOwn(at)) continue
    return relative(at)
  }
  return 'unknown place'
}

function isOwn(at: string): boolean {
  const file = at.startsWith('file://') ? at : `file://${at}`
  return file.startsWith(ownFolder) && !/\.(?:test|case)\.ts:/.test(file)
}

function relative(at: string): string {
  const root = rootFolder.href
  if (at.startsWith(root)) return at.slice(root.length)
  const path = rootFolder.pathname
  return at.startsWith(path) ? at.slice(path.length) : at
}

function stackNow(): string {
  const had = Error.stackTraceLimit
  Error.stackTraceLimit = 60
  const { stack } = new Error('place')
  Error.stackTraceLimit = had
  return stack ?? ''
}

export function createTripwire(watching: () => boolean): Tripwire {
  const builtIn = new Set([...Object.keys(asyncWrapProviders), 'Timeout', 'Immediate'])
  const escapes: Escape[] = []
  let ours = 0
  let looking = false

  const record = (what: string, stack: string): void => {
    if (escapes.length >= keepLimit) return
    const where = placeOf(stack)
    if (!escapes.some((e) => e.what === what && e.where === where)) escapes.push({ what, where })
  }
  const wire: Tripwire = {
    escapes,
    busy: false,
    enable: () => hook.enable(),
    disable: () => hook.disable(),
    reset() {
      escapes.length = 0
      wire.busy = false
    },
    hit(what) {
      if (watching()) record(what, stackNow())
    },
    own(f) {
      ours++
      try {
        return f()
      } finally {
        ours--
      }
    },
    place: () => placeOf(stackNow()),
  }
  const hook = createHook({
    trackPromises: false,
    init(_id: number, type: string) {
      if (harmless.has(type) || !builtIn.has(type) || ours > 0 || looking) return
      if (!watching()) {
        wire.busy = true
        return
      }
      looking = true
      try {
        const stack = stackNow()
        // The module loader reads files in its own way; time waits for it.
        if (/node:internal\/modules\//.test(stack)) {
          wire.busy = true
          return
        }
        if (jobs.test(type) && !type.startsWith('FS') && /at [\w.]*Sync \(node:/.test(stack)) return
        wire.busy = true
        record(`async ${type}`, stack)
      } finally {
        looking = false
      }
    },
  })
  return wire
}
