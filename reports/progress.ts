/** Live lines of a run: what is running, how far it is, how fast, how long still. */
import type { Terminal } from './text/terminal.ts'
import { paint } from './text/terminal.ts'
import { clock, grouped } from './text/figures.ts'
import { columns, cut, oneLine, pad } from './text/plain.ts'

/** One scenario that runs. */
export interface Running {
  readonly scenario: string
  /** Bench time that has passed and that the run will take, in ms. */
  readonly simulatedMs: number
  readonly horizonMs: number
  /** Wall time since it began, in ms. */
  readonly wallMs: number
}

export interface ProgressState {
  readonly running: readonly Running[]
  /** Scenarios that ended, of all. */
  readonly ended: number
  readonly all: number
}

/** The lines of a state, each at most as wide as the terminal: one for each running scenario. Pure. */
export function progressLines(state: ProgressState, t: Terminal): string[] {
  const p = paint(t)
  const known = state.running.map((r) => figuresOf(r))
  const width = {
    time: Math.max(0, ...known.map((k) => columns(k.time))),
    speed: Math.max(0, ...known.map((k) => columns(k.speed))),
    left: Math.max(0, ...known.map((k) => columns(k.left))),
  }
  const lines = state.running.map((r, i) => {
    const k = known[i] ?? figuresOf(r)
    const figures = `${pad(k.time, width.time)}  ${k.percent}  ${pad(k.speed, width.speed)}  ${pad(k.left, width.left)}`
    const room = t.width - columns(figures) - 3
    if (room < 16) return cut(`${oneLine(r.scenario)} ${figures}`, t.width)
    return `${pad(cut(oneLine(r.scenario), room), room)}  ${p.dim(figures.trimEnd())}`.trimEnd()
  })
  const count = `${state.ended} of ${state.all} scenarios ended`
  return state.all > 1 ? [...lines, p.dim(cut(count, t.width))] : lines
}

interface Figures {
  readonly time: string
  readonly percent: string
  readonly speed: string
  readonly left: string
}

function figuresOf(r: Running): Figures {
  const share = r.horizonMs > 0 ? Math.min(1, Math.max(0, r.simulatedMs / r.horizonMs)) : 0
  const speed = r.wallMs > 0 ? r.simulatedMs / r.wallMs : 0
  const leftMs = speed > 0 ? Math.max(0, r.horizonMs - r.simulatedMs) / speed : undefined
  // Less than a second's running, or a thousandth of the way, tells too little to promise anything.
  const sure = r.wallMs >= 1000 && share >= 0.001 && leftMs !== undefined
  return {
    time: `${clock(r.simulatedMs)} of ${clock(r.horizonMs)}`,
    percent: `${(share * 100).toFixed(1).padStart(5)} %`,
    speed: r.wallMs > 0 ? `${speed >= 10 ? grouped(Math.round(speed)) : speed.toFixed(1)}x` : '',
    left: sure ? `${clock(leftMs)} left` : '',
  }
}

/** What a plain stream is told at most: a line when a scenario has gone on by this share, or after this wall time. */
const plainShare = 0.1
const plainEveryMs = 30_000
/** A terminal is drawn anew at most so often. */
const drawEveryMs = 100

export interface ProgressOptions {
  readonly terminal: Terminal
  /** Writes at once: `(text) => writeSync(2, text)`. Called by nothing but `show`, `say` and `close`. */
  write(text: string): void
}

/**
 * Writes progress to a stream: on a terminal the lines are drawn over, else a plain line comes now and then.
 * It has no clock and no timer: the caller says what wall time it is, because in virtual time only the caller knows.
 */
export class Progress {
  readonly #terminal: Terminal
  readonly #write: (text: string) => void
  #drawn = 0
  #lastDraw = Number.NEGATIVE_INFINITY
  readonly #told = new Map<string, { share: number; wallMs: number }>()

  constructor(options: ProgressOptions) {
    this.#terminal = options.terminal
    this.#write = (text) => options.write(text)
  }

  /** Shows a state at wall time `nowMs` (from any origin, but always the same). Cheap when nothing is due. */
  show(state: ProgressState, nowMs: number): void {
    if (this.#terminal.redraws) {
      if (nowMs - this.#lastDraw < drawEveryMs) return
      this.#lastDraw = nowMs
      const lines = progressLines(state, this.#terminal)
      this.#write(this.#erase() + lines.map((l) => `${l}\n`).join(''))
      this.#drawn = lines.length
      return
    }
    const due = state.running.filter((r) => this.#isDue(r, nowMs))
    if (due.length === 0) return
    const lines = progressLines({ running: due, ended: 0, all: 1 }, this.#terminal)
    this.#write(lines.map((l) => `${l}\n`).join(''))
  }

  /** Writes a lasting line above the live ones. */
  say(text: string): void {
    this.#write(`${this.#erase()}${cut(oneLine(text), this.#terminal.width)}\n`)
    this.#lastDraw = Number.NEGATIVE_INFINITY
  }

  /** Takes the live lines away. Nothing of them stays behind, also after a crash that calls this. */
  close(): void {
    if (this.#drawn > 0) this.#write(this.#erase())
    this.#told.clear()
  }

  #isDue(r: Running, nowMs: number): boolean {
    const share = r.horizonMs > 0 ? r.simulatedMs / r.horizonMs : 0
    const last = this.#told.get(r.scenario)
    if (last !== undefined && share - last.share < plainShare && nowMs - last.wallMs < plainEveryMs)
      return false
    this.#told.set(r.scenario, { share, wallMs: nowMs })
    return true
  }

  /** To the first live line, and everything from there on away. */
  #erase(): string {
    if (this.#drawn === 0) return ''
    const up = `\u001b[${this.#drawn}A\r\u001b[0J`
    this.#drawn = 0
    return up
  }
}
