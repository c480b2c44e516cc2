/**
 * The predictor and the thermal rating app of the reference platform, as a scenario has them: installed, and with a past
 * that is put in place through the predictor's commissioning folder.
 */
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Host, Instant, Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import { readTransformer } from '../../sim/truth.ts'
import { checkPast, csvOf, pastOf } from '../analysis/past.ts'
import type { Forecaster, LoadPast } from '../faces.ts'

/** The transformer that the thermal rating app is told of, and that checks compute with. */
export const transformerName = 'transformer-onan'

/** ContainerConfig of the predictor: its first forecast soon, so that none has to be waited for. Ours. */
export const predictorConfig: { readonly [k: string]: Json } = { firstAfter: 3 }

/** ContainerConfig of the thermal rating app. */
export function dtrConfig(): { readonly [k: string]: Json } {
  return { transformer: { ratedCurrent: readTransformer(transformerName).rated_current } }
}

/** The predictor's folder on the platform's disk: its default. */
const folder = 'predictor'

/** How long the app may take to end, and to start and read its files, in ms: else whoever waits goes on without it. Ours. */
const patience = 20_000

export interface ForecasterOptions {
  readonly host: Pick<Host, 'disk' | 'onLog'>
  /** Instance of the predictor. */
  readonly iid: string
  readonly realm: Realm
  readonly emit: Emit
  readonly seed: number
  now(): Instant
  /** Asks the platform's operator. */
  operate(request: Json): Promise<Json>
}

const past = { src: 'forecaster', kind: 'sent', select: 'forecaster.past' } as const
const disk = { src: 'forecaster', kind: 'seen', select: 'forecaster.disk' } as const

/**
 * Gives a predictor a past, as an engineer would at commissioning: it is ended, and started again with a file to read.
 * `told` is called between the two.
 */
export function importer(
  o: Pick<ForecasterOptions, 'host' | 'iid' | 'operate'>,
): (
  file: { readonly name: string; readonly csv: string },
  beside: boolean,
  told?: () => void,
) => Promise<void> {
  const own = join(o.host.disk, folder)
  const imports = join(own, 'import')

  const waiting = new Set<(event: string) => void>()
  o.host.onLog((proc, entry) => {
    const e = typeof entry === 'object' && entry !== null ? (entry as { readonly [k: string]: Json }) : {}
    const event = typeof e['event'] === 'string' ? e['event'] : ''
    // its own words, and the Container Manager's of it
    if (proc === o.iid || e['iid'] === o.iid) for (const f of waiting) f(event)
  })

  /** Does something, and resolves when the platform's log tells this event of the predictor. */
  async function andAwait(event: string, act: () => Promise<Json>): Promise<void> {
    const came = Promise.withResolvers<void>()
    const see = (said: string): void => {
      if (said === event) came.resolve()
    }
    waiting.add(see)
    const late = setTimeout(() => came.resolve(), patience)
    try {
      await act()
      await came.promise
    } finally {
      clearTimeout(late)
      waiting.delete(see)
    }
  }

  return async (file, beside, told) => {
    await andAwait('exited', () => o.operate({ do: 'shutdown', app: 'predictor' }))
    if (!beside) rmSync(own, { recursive: true, force: true })
    mkdirSync(imports, { recursive: true })
    writeFileSync(join(imports, `${file.name}.csv`), file.csv)
    told?.()
    await andAwait('configured', () => o.operate({ do: 'start', app: 'predictor' }))
    // whoever brings files along takes them away again: from now on the app has what it has kept itself
    rmSync(imports, { recursive: true, force: true })
  }
}

export function makeForecaster(o: ForecasterOptions): Forecaster {
  const own = join(o.host.disk, folder)
  const put = importer(o)

  async function remember(p: LoadPast): Promise<void> {
    const made = pastOf(p, o.now(), o.seed)
    const payload = {
      name: p.name,
      ...(p.group === undefined ? {} : { group: p.group }),
      beside: p.beside ?? false,
      ...made,
    }
    await put({ name: p.name, csv: csvOf(made) }, p.beside === true, () => {
      o.emit('sent', { alias: past.select, payload: payload as unknown as Json })
    })
  }

  return {
    past,
    disk,
    remember: (p) => o.realm.run(() => remember(p)),
    measure: () =>
      o.realm.run(async () => {
        o.emit('seen', { alias: disk.select, payload: { 'kept [B]': bytesIn(own) } })
      }),
  }
}

/** Stands in where nothing runs. */
export function idleForecaster(): Forecaster {
  return { past, disk, remember: async (p) => checkPast(p), measure: async () => undefined }
}

function bytesIn(folder: string): number {
  let sum = 0
  try {
    for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
      sum += statSync(join(folder, name)).size
  } catch {
    // it has none, or a file has just been renamed: what is there is counted
  }
  return sum
}
