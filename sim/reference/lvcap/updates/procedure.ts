/**
 * The update procedure of the Container Manager. A package that has been fetched whole is judged, copied aside and entered
 * in a journal; all applications that it touches are shut down (API section 6), and only then started as it has them. When
 * each has said that it runs, and goes on saying so, the new set is installed in one step. Where that does not come to
 * pass, what was before is brought back in the same way. A loss of power at any point finds either the old set or the new
 * one entire, and the journal, by which the procedure goes on at the next boot.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { sameJson, status } from '../api.ts'
import type { AppEntry } from '../config.ts'
import type { JsonObject } from '../env.ts'
import { textOf } from '../errors.ts'
import type { Input, State } from '../manager/decisions.ts'
import type { ConfigStore } from '../manager/store.ts'
import { sha256OfFile } from '../sdk/disk.ts'
import type { UpdateSettings } from './config.ts'
import {
  changedBy,
  isUpdate,
  judgePackage,
  soundJudging,
  type JudgingParts,
  type Manifest,
  type Trust,
} from './package.ts'
import type { Decision } from './decision.ts'
import type { Installed, Journal, UpdateStore } from './store.ts'

/** How updates are done, in parts. */
export interface UpdateParts extends JudgingParts {
  /** Flushes what updates write to the disk itself. */
  flushUpdate(fd: number): void
  /** Whether a package has been dealt with. */
  isDealtWith(decision: Decision | undefined): boolean
  /** What a boot makes of an update that the end of the last run broke into. */
  resume(j: Journal): 'try' | 'from the start' | 'return' | 'forget'
  /** The applications with the changes of an update. `resumed`: by a boot. */
  changedBy(m: Manifest, installed: readonly AppEntry[], resumed: boolean): readonly AppEntry[]
  /** Instances that are stopped together before any of them is started. */
  together(touched: readonly string[]): readonly (readonly string[])[]
  /** Whether what an update brought has proven itself; `running`: instances that say so, for `ms`. */
  isProven(touched: readonly string[], running: readonly string[], ms: number, s: UpdateSettings): boolean
  /** Whether it never will; `ms` since it was started. */
  isHopeless(ms: number, s: UpdateSettings): boolean
}

export const soundUpdates: Omit<UpdateParts, 'flushUpdate'> = {
  ...soundJudging,
  isDealtWith: (decision) => decision !== undefined,
  resume: (j) => (j.phase === 'trying' ? 'try' : 'return'),
  changedBy,
  together: (touched) => [touched],
  isProven: (touched, running, ms, s) => running.length === touched.length && ms >= s.settle * 1_000,
  isHopeless: (ms, s) => ms >= s.patience * 1_000,
}

/** What the procedure has of the Container Manager. */
export interface UpdateHost {
  readonly disk: string
  readonly settings: UpdateSettings
  trust(): Trust
  readonly configs: ConfigStore
  take(input: Input): void
  state(): State
  /** The Data Marketplace is told anew who may speak. */
  admit(apps: readonly AppEntry[]): Promise<void>
  log(entry: JsonObject): void
}

export interface Updates {
  /** What is to run now. */
  entries(): readonly AppEntry[]
  /** The configuration with which an application starts. */
  configOf(app: AppEntry): JsonObject | null
  /** Everything runs that is to run: from now on it acts. */
  begin(): void
  /** The Container Manager has taken this. */
  saw(input: Input): void
  stop(): void
}

interface Running {
  readonly digest: string
  readonly manifest: Manifest
  /** What was before, and what it is to become. */
  readonly from: readonly AppEntry[]
  readonly to: readonly AppEntry[]
  direction: 'there' | 'back'
  /** Groups of instances yet to be replaced; the first is being shut down. */
  groups: (readonly string[])[]
  /** Since when all has been started, ms of a clock that is never set. */
  started?: number
  /** Instances that say that they run, and since when they all do. */
  readonly fine: Set<string>
  allFine?: number
}

/** Digest of what lies in the inbox, by name: it is computed once. Undefined: it is no update. */
type Looked = Map<string, { readonly key: string; readonly digest: string | undefined }>

export function openUpdates(
  p: UpdateParts,
  host: UpdateHost,
  store: UpdateStore,
  configured: readonly AppEntry[],
): Updates {
  const { settings } = host
  const looked: Looked = new Map()
  let installed = store.installed()?.apps ?? configured
  let run: Running | undefined
  let entries = installed
  let timer: NodeJS.Timeout | undefined
  let moving = false

  const decide = (digest: string, state: Decision['state'], why = ''): void => {
    store.decide(digest, { state, why })
    host.log({ event: 'update', state, package: digest, why })
  }
  const end = (): void => {
    store.endJournal()
    store.unstage()
    run = undefined
  }
  const configOf = (app: AppEntry): JsonObject | null => {
    const brought = run?.direction === 'there' && broughtBy(run.manifest, app.iid)
    return (brought ? undefined : host.configs.load(app.iid)) ?? app.config
  }

  /** What the last run left undone; before anything is started. */
  const resume = (): void => {
    const j = store.journal()
    if (j === undefined) return
    const set = store.installed()
    if (set?.by === j.package) {
      // It was installed, and not all of what follows was done.
      settle(set, (app) => app.config)
      return
    }
    const how = p.resume(j)
    host.log({ event: 'update', state: 'resumed', package: j.package, why: how })
    if (how === 'try') {
      const file = store.staged(j.package)
      const judged = judgePackage(p, file, host.trust(), withConfigs(installed))
      if (judged.ok) {
        run = running(j.package, judged.manifest, true)
        run.groups = []
        entries = run.to
        return
      }
      host.log({ event: 'trouble', text: `The package of the update under way: ${judged.why}` })
    }
    if (how === 'return') decide(j.package, 'returned', 'what it brought did not run')
    if (how === 'forget') decide(j.package, 'refused', 'it was broken into')
    end()
  }

  const running = (digest: string, manifest: Manifest, resumed: boolean): Running => ({
    digest,
    manifest,
    from: installed,
    to: p.changedBy(manifest, installed, resumed),
    direction: 'there',
    groups: [],
    fine: new Set(),
  })

  /** Each step may be done again. */
  const settle = (set: Installed, configNow: (app: AppEntry) => JsonObject | null): void => {
    for (const app of set.apps) {
      const config = set.settings.includes(app.iid) ? configNow(app) : null
      if (config !== null) host.configs.save(app.iid, config)
    }
    decide(set.by, 'applied')
    end()
  }

  const touchedBy = (r: Running): readonly string[] => {
    const iids = new Set([...r.from, ...r.to].map((a) => a.iid))
    return [...iids].filter((iid) => !sameJson(entryIn(r.from, iid), entryIn(r.to, iid)))
  }

  const look = (): void => {
    for (const { file, digest } of inbox(join(host.disk, settings.inbox), looked)) {
      if (p.isDealtWith(store.decision(digest))) continue
      const judged = judgePackage(p, file, host.trust(), withConfigs(installed))
      if (!judged.ok) {
        decide(digest, 'refused', judged.why)
        continue
      }
      store.stage(file, digest)
      store.note({ package: digest, phase: 'trying' })
      host.log({ event: 'update', state: 'begun', package: digest, why: judged.manifest.id })
      run = running(digest, judged.manifest, false)
      move(run)
      return
    }
  }
  const withConfigs = (apps: readonly AppEntry[]): readonly AppEntry[] =>
    apps.map((a) => ({ ...a, config: host.configs.load(a.iid) ?? a.config }))

  /** Shuts down what is to be replaced. */
  const move = (r: Running): void => {
    r.groups = [...p.together(touchedBy(r))]
    delete r.started
    delete r.allFine
    r.fine.clear()
    hold(r)
  }
  const hold = (r: Running): void => {
    for (const iid of r.groups[0] ?? []) host.take({ kind: 'hold', iid })
    // Whoever was not running is gone already.
    void advance()
  }

  /** The group that is gone is started as it is to be. */
  const advance = async (): Promise<void> => {
    try {
      await replace()
    } catch (error) {
      host.log({ event: 'trouble', text: `updates: ${textOf(error)}` })
    }
  }
  const replace = async (): Promise<void> => {
    const r = run
    const group = r?.groups[0]
    if (r === undefined || group === undefined || moving) return
    if (!group.every((iid) => isGone(host.state(), iid))) return
    moving = true
    try {
      const target = r.direction === 'there' ? r.to : r.from
      const before = entries
      entries = target
      if (!sameJson(identities(before), identities(target))) await host.admit(target)
      r.groups.shift()
      for (const iid of group) {
        const app = target.find((a) => a.iid === iid)
        host.take(
          app === undefined ? { kind: 'remove', iid } : { kind: 'install', iid, config: configOf(app) },
        )
      }
    } finally {
      moving = false
    }
    if (r.groups.length > 0) hold(r)
    else if (r.direction === 'there') r.started = performance.now()
    else {
      decide(r.digest, 'returned', 'what it brought did not run')
      end()
    }
  }

  const judge = (): void => {
    const r = run
    if (r?.direction !== 'there' || r.started === undefined) return
    const now = performance.now()
    const wanted = touchedBy(r).filter((iid) => entryIn(r.to, iid) !== null)
    const fine = wanted.filter((iid) => r.fine.has(iid))
    if (fine.length < wanted.length) delete r.allFine
    else r.allFine ??= now
    if (p.isProven(wanted, fine, r.allFine === undefined ? 0 : now - r.allFine, settings)) {
      const settings = r.manifest.apps.filter((a) => a.config !== undefined).map((a) => a.iid)
      const set = { by: r.digest, apps: [...r.to], settings }
      store.install(set)
      installed = r.to
      // The operator may have changed them since.
      const { apps } = host.state()
      settle(set, (app) => apps.find((a) => a.iid === app.iid)?.config ?? app.config)
    } else if (p.isHopeless(now - r.started, settings)) {
      host.log({
        event: 'problem',
        text: `What ${r.manifest.id} brought does not run; what was before returns.`,
      })
      store.note({ package: r.digest, phase: 'returning' })
      r.direction = 'back'
      move(r)
    }
  }

  const act = (): void => {
    try {
      if (run === undefined) look()
      else judge()
    } catch (error) {
      host.log({ event: 'trouble', text: `updates: ${textOf(error)}` })
    }
  }

  resume()
  return {
    entries: () => entries,
    configOf,
    begin() {
      if (run !== undefined) run.started = performance.now()
      timer = setInterval(act, settings.look * 1_000)
    },
    saw(input) {
      if (run === undefined) return
      if (input.kind === 'exited') {
        run.fine.delete(input.iid)
        void advance()
      } else if (input.kind === 'status') {
        const { iid, code } = input
        // One that has no configuration says so, and does no more.
        const bare = code === status.initial && run.to.find((a) => a.iid === iid)?.config === null
        if (run.groups.length === 0 && (code === status.ok || bare)) run.fine.add(iid)
        else run.fine.delete(iid)
      }
    },
    stop: () => clearInterval(timer),
  }
}

/** Of a platform that takes none. */
export function noUpdates(configured: readonly AppEntry[], configs: ConfigStore): Updates {
  const nothing = (): void => undefined
  return {
    entries: () => configured,
    configOf: (app) => configs.load(app.iid) ?? app.config,
    begin: nothing,
    saw: nothing,
    stop: nothing,
  }
}

function broughtBy(m: Manifest, iid: string): boolean {
  return m.apps.some((a) => a.iid === iid && a.config !== undefined)
}

function entryIn(apps: readonly AppEntry[], iid: string): JsonObject | null {
  return (apps.find((a) => a.iid === iid) as JsonObject | undefined) ?? null
}

/** Who may speak as whom. */
function identities(apps: readonly AppEntry[]): readonly string[] {
  return apps.map((a) => `${a.apid} ${a.iid}`)
}

function isGone(state: State, iid: string): boolean {
  const app = state.apps.find((a) => a.iid === iid)
  return app === undefined || app.phase === 'held'
}

/**
 * Updates that were fetched, in the order of their names. One that has been replaced since it was looked at is looked at
 * again.
 */
function inbox(
  folder: string,
  looked: Looked,
): readonly { readonly file: string; readonly digest: string }[] {
  const files = inFolder(folder).flatMap((kind) =>
    inFolder(join(folder, kind)).map((n) => join(folder, kind, n)),
  )
  for (const known of looked.keys()) if (!files.includes(known)) looked.delete(known)
  return files.flatMap((file) => {
    const s = statSync(file, { throwIfNoEntry: false })
    if (s?.isFile() !== true) return []
    const key = `${s.ino} ${s.size} ${s.mtimeMs}`
    const before = looked.get(file)
    const digest = before?.key === key ? before.digest : isUpdate(file) ? sha256OfFile(file) : undefined
    looked.set(file, { key, digest })
    return digest === undefined ? [] : [{ file, digest }]
  })
}

function inFolder(folder: string): readonly string[] {
  try {
    return readdirSync(folder).toSorted()
  } catch {
    // Nothing was ever fetched.
    return []
  }
}
