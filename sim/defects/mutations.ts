/**
 * Untailored mutations: one change to one call of one part, whatever it means. Their survivors tell what no check looks at.
 * An ID says all: `mutation/<app>/<part>/<change>/<n>` changes the n-th call of that part since the program's start.
 */
import { GridproofError } from '../../drivers/errors.ts'
import { stream } from '../../drivers/random.ts'
import type { Message } from '../reference/lvcap/api.ts'
import type { AppId, Defect } from './defect.ts'

/**
 * What a part is, seen as a function. `message`: lets one message go. `list`: arranges several things. `value`: computes
 * one. `words`: reads registers.
 */
export type Seam = 'message' | 'list' | 'value' | 'words'

type Seams = Readonly<Record<string, Seam>>

const sensorSeams: Seams = {
  publish: 'message',
  arrange: 'list',
  read: 'words',
  decode: 'value',
  judge: 'value',
  stamp: 'value',
  topic: 'value',
  compose: 'value',
  due: 'value',
  answer: 'value',
}

/** Parts that mutations take, by app. Those that only say where to connect are left out: a program that does not start proves nothing. */
export const seams: Readonly<Record<AppId, Seams>> = {
  'gridkey-app': sensorSeams,
  'temperature-app': sensorSeams,
  marketplace: { judge: 'value', admit: 'value', mayPublish: 'value', forward: 'value', record: 'value' },
  maintenance: { guarded: 'value', record: 'value' },
  'csv-recorder': { wants: 'value', publisher: 'value', row: 'value', line: 'value', answer: 'value' },
  'data-storage': {
    publish: 'message',
    place: 'value',
    keeps: 'value',
    record: 'value',
    plan: 'value',
    judge: 'value',
    respond: 'value',
    marks: 'list',
  },
  'han-logger': { payload: 'value', keeps: 'value', read: 'value', envelope: 'value' },
  'container-manager': { publish: 'message', decide: 'value', interpret: 'value' },
  'predictor-app': { publish: 'message', predict: 'value', seriesOf: 'value', compose: 'list' },
  'dtr-app': {
    publish: 'message',
    forecastOf: 'value',
    presentOf: 'value',
    arrange: 'list',
  },
  // What it sends oftener than each minute (M:0030) nobody could miss; what it records has a defect each (meshing.ts).
  'meshing-app': { compose: 'message' },
  // Its rules have a defect each (loadsense.ts).
  'loadsense-app': {},
  // Whom it trusts and what it passes on have a defect each (peer.ts).
  'peer-app': {},
  // What it sends and reports has a defect each (upload.ts).
  'upload-app': {},
  // When it pulls has a defect each (watchdog.ts).
  watchdog: {},
  'comms-app': {},
  // What it answers and keeps has a defect each (upload-server.ts).
  'upload-server': {},
  // A setting, of which nothing is sent or kept.
  host: {},
  // Played by the bench.
  'data-server': {},
}

/**
 * Changes by seam. Left out because the API allows them, so that nobody could object: another order of what one output
 * sends (`list`: every message has a topic of its own, and the API orders nothing across topics; the legal variant
 * `other-order` shows it). A message is put behind the next one of its own topic instead.
 */
const changes: Readonly<Record<Seam, readonly string[]>> = {
  message: ['drop', 'duplicate', 'reorder', 'delay', 'alter', 'reveal'],
  list: ['drop', 'duplicate', 'alter'],
  value: ['alter', 'repeat'],
  words: ['drop', 'alter', 'repeat'],
}

/**
 * How many calls of a part a mutation may wait for: of a message many, of others about an hour's at one a minute. Early
 * calls are drawn as often as late ones are, magnitude by magnitude: most runs never come to the late ones.
 */
const calls: Readonly<Record<Seam, number>> = { message: 2_000, list: 60, value: 300, words: 300 }

/** How long a delayed message waits, ms: longer than any tolerance of a minute's interval. */
const delay = 20_000

/** `n` different mutations, drawn from a seed. */
export function mutations(seed: number | string, n: number): readonly Defect<object>[] {
  const random = stream(seed, 'mutations')
  const pick = <T>(list: readonly T[]): T => {
    const one = list[Math.floor(random() * list.length)]
    if (one === undefined) throw new GridproofError('internal', 'nothing to pick from')
    return one
  }
  const all = Object.entries(seams).flatMap(([app, parts]) =>
    Object.entries(parts).flatMap(([part, seam]) =>
      changes[seam].map((change) => ({ app, part, seam, change })),
    ),
  )
  const drawn = new Map<string, Defect<object>>()
  // Each draw may repeat an earlier one; there are some ten thousand in all.
  for (let tries = 0; drawn.size < n && tries < 20 * n; tries++) {
    const { app, part, seam, change } = pick(all)
    const n = Math.floor(calls[seam] ** random())
    const id = `mutation/${app}/${part}/${change}/${n}`
    const found = mutationOf(id)
    if (found !== undefined) drawn.set(id, found)
  }
  return [...drawn.values()]
}

/** The mutation of an ID; undefined where it names none. */
export function mutationOf(id: string): Defect<object> | undefined {
  const [word, appName, part = '', change = '', count = '', ...rest] = id.split('/')
  if (word !== 'mutation' || rest.length > 0 || !/^[1-9]\d{0,5}$/.test(count)) return undefined
  const app = (Object.keys(seams) as AppId[]).find((a) => a === appName)
  if (app === undefined) return undefined
  const seam = Object.hasOwn(seams[app], part) ? seams[app][part] : undefined
  if (seam === undefined || !changes[seam].includes(change)) return undefined
  const n = Number(count)
  return {
    id,
    app,
    kind: 'mutation',
    describes: `Changes call ${n} of ${part}: ${change}.`,
    wrap: (parts, reached) => {
      const original: unknown = Reflect.get(parts, part)
      if (typeof original !== 'function') {
        throw new GridproofError('no-such', `${app} has no part '${part}', which ${id} would change`)
      }
      const call: Call = (...args) => Reflect.apply(original, parts, args) as unknown
      const changed =
        seam === 'message'
          ? messageSeam(call, change, n, reached, id)
          : part === 'due'
            ? dueSeam(call, change, n, reached, id)
            : resultSeam(call, change, n, reached, id)
      return { ...parts, [part]: changed }
    },
  }
}

type Call = (...args: readonly unknown[]) => unknown

/** Told when the change is made, with what it changed. */
type Reached = (what: string) => void

/** Longest text of a value in the evidence, in characters. */
const longest = 160

function shown(v: unknown): string {
  const text = JSON.stringify(v, (_k, x: unknown) => (typeof x === 'bigint' ? String(x) : x)) ?? String(v)
  return text.length > longest ? `${text.slice(0, longest)}...` : text
}

/** The first leaf in which two values of one shape differ, with its path: `payload.Value: 12 -> 13`. */
export function difference(before: unknown, after: unknown, path = ''): string | undefined {
  if (Object.is(before, after)) return undefined
  const both = [before, after]
  if (both.every((v) => Array.isArray(v)) || both.every((v) => isPlain(v))) {
    const [a, b] = both as [Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>]
    for (const k of new Set([...Object.keys(a), ...Object.keys(b)])) {
      const found = difference(a[k], b[k], path === '' ? k : `${path}.${k}`)
      if (found !== undefined) return found
    }
    return undefined
  }
  if (both.every((v) => v instanceof Map)) {
    const [a, b] = both as unknown as [ReadonlyMap<unknown, unknown>, ReadonlyMap<unknown, unknown>]
    return difference(Object.fromEntries(a), Object.fromEntries(b), path)
  }
  return `${path === '' ? '' : `${path}: `}${shown(before)} -> ${shown(after)}`
}

function topicOf(message: unknown): string {
  return isPlain(message) && typeof message['topic'] === 'string' ? message['topic'] : ''
}

function messageSeam(call: Call, change: string, n: number, reached: Reached, id: string): Call {
  let count = 0
  let held: { readonly topic: string; readonly release: () => void } | undefined
  return async (...args) => {
    const [message, ...rest] = args
    const now = ++count === n
    if (!now) {
      const done = await call(...args)
      if (held?.topic === topicOf(message)) {
        held.release()
        held = undefined
      }
      return done
    }
    switch (change) {
      case 'drop':
        reached(`${shown(message)} -> never sent`)
        return undefined
      case 'duplicate':
        reached(`${shown(message)} -> sent twice`)
        await call(...args)
        return call(...args)
      case 'reorder':
        reached(`${shown(message)} -> sent behind the next one of its topic`)
        await new Promise<void>((resolve) => {
          held = { topic: topicOf(message), release: resolve }
        })
        return call(...args)
      case 'delay':
        reached(`${shown(message)} -> sent ${delay / 1000} s later`)
        await new Promise<void>((resolve) => {
          setTimeout(resolve, delay)
        })
        return call(...args)
      case 'alter': {
        const other = altered(message, id)
        reached(difference(message, other) ?? '')
        return call(other, ...rest)
      }
      default: {
        const other = revealed(message as Message, id)
        reached(`never to be sent -> ${shown(other)}`)
        await call(...args)
        return call(other, ...rest)
      }
    }
  }
}

/**
 * The n-th due time, wherever it is asked for: an engine asks for one several times, mostly to know how long it may
 * prepare, and a change to one of those answers alone would show nowhere.
 */
function dueSeam(call: Call, change: string, n: number, reached: Reached, id: string): Call {
  return (k, ...rest) => {
    const due = call(k, ...rest)
    if (k !== n) return due
    const other = change === 'repeat' ? call(n - 1, ...rest) : altered(due, id)
    reached(`output ${n}: ${shown(due)} -> ${shown(other)}`)
    return other
  }
}

/** A message that was never to be sent: on the same topic, with another content. */
function revealed(message: Message, id: string): Message {
  return { ...message, payload: altered(message.payload, id) as Message['payload'] }
}

/**
 * Changes the n-th result, or the first after it on which the change makes a difference: a value repeated that was the
 * same before, or one without anything to alter, would change nothing that anybody could see.
 */
function resultSeam(call: Call, change: string, n: number, reached: Reached, id: string): Call {
  let count = 0
  let last: unknown
  let done = false
  const apply = (result: unknown): unknown => {
    const due = ++count >= n && !done
    const before = last
    last = result
    if (!due) return result
    const other = changed(result, before)
    const what = difference(result, other)
    if (what === undefined) return result
    done = true
    reached(what)
    return other
  }
  const changed = (result: unknown, before: unknown): unknown => {
    switch (change) {
      case 'alter':
        return alteredResult(result, id)
      case 'repeat':
        return repeatedResult(result, before)
      case 'drop':
        return Array.isArray(result) ? result.slice(1) : result
      default:
        return Array.isArray(result) ? [...result, ...result.slice(0, 1)] : result
    }
  }
  return (...args) => {
    const result = call(...args)
    return result instanceof Promise ? result.then(apply) : apply(result)
  }
}

/**
 * Of a decision, `[state, effects]`, only what it effects is altered: what a program remembers shows only where that is
 * asked for again, which may be never.
 */
function alteredResult(result: unknown, id: string): unknown {
  return isDecision(result) ? [result[0], altered(result[1], id)] : altered(result, id)
}

/** Of a decision again only what it effects: a forgotten answer of an app is a silence, of which the API allows two. */
function repeatedResult(result: unknown, before: unknown): unknown {
  if (before === undefined) return result
  if (!isDecision(result) || !isDecision(before)) return before
  return [result[0], before[1]]
}

function isDecision(v: unknown): v is readonly [state: unknown, effects: readonly unknown[]] {
  return Array.isArray(v) && v.length === 2 && Array.isArray(v[1])
}

/**
 * Keys whose change nobody outside could see: `retain`, for the marketplace takes the flag off readings and a subscriber
 * of before never sees it; `quantity`, an app's own name from which only the topic is made, and `why`, which goes nowhere.
 */
const unseen: ReadonlySet<string> = new Set(['retain', 'quantity', 'why'])

/** Beside those keys the value of what is not valid: it does not matter (API section 4.8). */
function isUnseen(object: Readonly<Record<string, unknown>>, key: string): boolean {
  if (key === 'Value') return object['Valid'] === false
  if (key === 'value') return object['valid'] === false
  return unseen.has(key)
}

/** The value with one leaf changed, chosen by the ID: a number grows by a hundredth and one, a truth turns round, a text gets longer. */
export function altered(value: unknown, id: string): unknown {
  const random = stream(id, 'leaf')
  const leaves = countLeaves(value)
  const wanted = Math.floor(random() * leaves)
  let seen = 0
  const walk = (v: unknown): unknown => {
    if (Array.isArray(v)) return v.map(walk)
    if (isPlain(v))
      return Object.fromEntries(Object.entries(v).map(([k, x]) => [k, isUnseen(v, k) ? x : walk(x)]))
    if (!isLeaf(v)) return v
    if (seen++ !== wanted) return v
    if (typeof v === 'boolean') return !v
    if (typeof v === 'string') return `${v}x`
    return Number.isInteger(v) ? v + 1 + Math.floor(Math.abs(v) / 100) : v * 1.01 + 1
  }
  return walk(value)
}

function countLeaves(v: unknown): number {
  if (Array.isArray(v)) return v.reduce<number>((sum, x) => sum + countLeaves(x), 0)
  if (isPlain(v))
    return Object.entries(v).reduce<number>((sum, [k, x]) => sum + (isUnseen(v, k) ? 0 : countLeaves(x)), 0)
  return isLeaf(v) ? 1 : 0
}

function isLeaf(v: unknown): v is number | boolean | string {
  return typeof v === 'number' || typeof v === 'boolean' || typeof v === 'string'
}

function isPlain(v: unknown): v is Readonly<Record<string, unknown>> {
  if (typeof v !== 'object' || v === null) return false
  const prototype: unknown = Object.getPrototypeOf(v)
  return prototype === Object.prototype || prototype === null
}
