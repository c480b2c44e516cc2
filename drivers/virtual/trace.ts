/**
 * The trace of a run: a rolling hash over every byte delivered, with its time and its ends, and beside it a cheap
 * hash over the timers armed. Two runs with one seed must have equal traces; where they do not, checkpoints say
 * between which steps, and a second pair of runs records that stretch line by line, with the place in the code.
 */
import { createHash } from 'node:crypto'

/** Steps (deliveries and timers armed) between two checkpoints. */
export const checkpointEvery = 1024

export interface TraceOptions {
  /** Record these steps line by line, with places: `from` included, `to` excluded. */
  readonly window?: { readonly from: number; readonly to: number }
}

export interface TraceSummary {
  /** SHA-256 over all deliveries, as hex. */
  readonly hash: string
  /** Deliveries: opened, bytes, FIN, RST. */
  readonly events: number
  /** Deliveries and timers armed. */
  readonly steps: number
  readonly checkpoints: readonly string[]
  /** The stretch asked for by `window`. */
  readonly lines: readonly string[]
}

export type Delivery = 'open' | 'bytes' | 'fin' | 'rst' | 'gap'

const kinds: Readonly<Record<Delivery, number>> = { open: 1, bytes: 2, fin: 3, rst: 4, gap: 5 }
const batchSize = 64 * 1024
const headSize = 18

export class Trace {
  events = 0
  steps = 0
  /** True while the recording of lines wants to know places. */
  detail = false
  private readonly sha = createHash('sha256')
  private readonly batch = Buffer.allocUnsafeSlow(batchSize)
  private used = 0
  private arms = 0
  private readonly checkpoints: string[] = []
  private readonly lines: string[] = []
  private readonly from: number
  private readonly to: number

  constructor(o: TraceOptions = {}) {
    this.from = o.window?.from ?? Number.POSITIVE_INFINITY
    this.to = o.window?.to ?? Number.POSITIVE_INFINITY
    this.detail = this.from <= checkpointEvery
  }

  /**
   * One delivery at `now` (ms since the start) on channel `id`, in direction `way` (0 or 1). Of an opaque channel
   * (TLS) only the length counts. `name` and `place` serve the lines alone.
   */
  delivered(
    kind: Delivery,
    now: number,
    id: number,
    way: number,
    data: Uint8Array | undefined,
    length: number,
    name: string,
    place: string | undefined,
  ): void {
    this.events++
    if (this.used + headSize > batchSize) this.flush()
    const b = this.batch
    let at = this.used
    b[at] = (kinds[kind] << 1) | way
    at = b.writeDoubleLE(now, at + 1)
    at = b.writeUInt32LE(id, at)
    this.used = b.writeUInt32LE(length, at)
    if (data !== undefined) this.append(data)
    if (this.steps >= this.from && this.steps < this.to)
      this.lines.push(
        `${this.steps} ${now.toFixed(3)} ms ${name} ${kind} ${length}${data === undefined ? '' : ` ${excerpt(data)}`}${place === undefined ? '' : ` from ${place}`}`,
      )
    this.step()
  }

  /** A timer armed at `now` for `due`, by the owner of that rank. */
  armed(now: number, due: number, rank: number, name: string, place: () => string): void {
    this.arms = (Math.imul(this.arms ^ ((due * 8) | 0), 0x01000193) + rank) | 0
    if (this.steps >= this.from && this.steps < this.to)
      this.lines.push(
        `${this.steps} ${now.toFixed(3)} ms ${name} timer due ${due.toFixed(3)} ms at ${place()}`,
      )
    this.step()
  }

  summary(): TraceSummary {
    this.flush()
    return {
      hash: this.sha.copy().digest('hex'),
      events: this.events,
      steps: this.steps,
      checkpoints: [...this.checkpoints, this.checkpoint()],
      lines: this.lines,
    }
  }

  private step(): void {
    this.steps++
    if (this.steps % checkpointEvery !== 0) return
    this.flush()
    this.checkpoints.push(this.checkpoint())
    this.detail = this.steps + checkpointEvery >= this.from && this.steps < this.to
  }

  private checkpoint(): string {
    return `${this.sha.copy().digest('hex').slice(0, 16)}${(this.arms >>> 0).toString(16)}`
  }

  private append(data: Uint8Array): void {
    if (data.length > batchSize - this.used) {
      this.flush()
      if (data.length > batchSize) {
        this.sha.update(data)
        return
      }
    }
    this.batch.set(data, this.used)
    this.used += data.length
  }

  private flush(): void {
    if (this.used === 0) return
    this.sha.update(this.batch.subarray(0, this.used))
    this.used = 0
  }
}

function excerpt(data: Uint8Array): string {
  const hex = Buffer.from(data.buffer, data.byteOffset, Math.min(data.length, 24)).toString('hex')
  return data.length > 24 ? `${hex}...` : hex
}

/** The steps between the last checkpoint that agrees and the first that does not; undefined where traces are equal. */
export function differingStretch(a: TraceSummary, b: TraceSummary): { from: number; to: number } | undefined {
  const n = Math.max(a.checkpoints.length, b.checkpoints.length)
  for (let i = 0; i < n; i++)
    if (a.checkpoints[i] !== b.checkpoints[i])
      return { from: i * checkpointEvery, to: (i + 1) * checkpointEvery }
  return undefined
}

export interface Divergence {
  /** Index of the step where the runs part. */
  readonly step: number
  /** What each run did there, with time, owner or ends, and the place in the code. */
  readonly first: string
  readonly second: string
  /** Two lines before and two after, of each run. */
  readonly context: readonly string[]
}

/** The first line in which two recorded stretches differ. */
export function firstDifference(a: readonly string[], b: readonly string[]): Divergence | undefined {
  const n = Math.max(a.length, b.length)
  for (let i = 0; i < n; i++) {
    if (a[i] === b[i]) continue
    const step = Number.parseInt(a[i] ?? b[i] ?? '0', 10)
    const context: string[] = []
    for (let k = Math.max(0, i - 2); k < i; k++) context.push(`  ${a[k]}`)
    for (let k = i; k < Math.min(n, i + 3); k++) {
      if (a[k] !== undefined) context.push(`- ${a[k]}`)
      if (b[k] !== undefined) context.push(`+ ${b[k]}`)
    }
    return { step, first: a[i] ?? '(nothing)', second: b[i] ?? '(nothing)', context }
  }
  return undefined
}

/**
 * Runs twice, compares, and where the traces differ runs twice more to record the stretch. `run` runs the same thing
 * with the same seed each time. Undefined: the runs are equal.
 */
export async function compareTraces(
  run: (o: TraceOptions) => Promise<TraceSummary>,
): Promise<Divergence | undefined> {
  const stretch = differingStretch(await run({}), await run({}))
  if (stretch === undefined) return undefined
  const a = await run({ window: stretch })
  const b = await run({ window: stretch })
  return (
    firstDifference(a.lines, b.lines) ?? {
      step: stretch.from,
      first: '(this stretch did not differ again)',
      second: '',
      context: [],
    }
  )
}
