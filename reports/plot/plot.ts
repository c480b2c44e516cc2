/** A plot of what was true against what was seen, as SVG. Colours are classes of the page's style. */
import type { Instant } from '../../drivers/faces.ts'
import { figure } from '../text/figures.ts'
import type { Point } from './decimate.ts'
import { dayText, figureRange, figureTicks, scale, timeTicks } from './scale.ts'
import { dotPath, element, linePath, textElement } from './svg.ts'

export interface Span {
  readonly from: Instant
  readonly to: Instant
}

export interface Band {
  readonly low: number
  readonly high: number
}

export interface Plot {
  /** Unique in its page. */
  readonly id: string
  readonly title: string
  /** What a person who cannot see the plot should know. */
  readonly description: string
  /** Empty: a pure number. */
  readonly unit: string
  readonly span: Span
  /** True values, drawn as a line. */
  readonly truth: readonly Point[]
  /** What the device answered, its own error included: a thin dashed line. */
  readonly answered: readonly Point[]
  /** What was seen, drawn as dots. */
  readonly seen: readonly Point[]
  /** Seen, but late: drawn as open circles. */
  readonly late: readonly Point[]
  /** Events that decided the verdict: drawn as rings. */
  readonly deciding: readonly Point[]
  /** They speak against the subject: drawn in the colour of failure. */
  readonly bad: boolean
  /** Spans in which nothing was seen. */
  readonly gaps: readonly Span[]
  /** Allowed range of values, where the limit is a constant one. */
  readonly band?: Band | undefined
}

/** Sizes in px of the drawing's own coordinates; the page scales it. */
export interface Size {
  readonly width: number
  readonly height: number
  readonly left: number
  readonly right: number
  readonly top: number
  readonly bottom: number
}

const large: Size = { width: 760, height: 230, left: 58, right: 24, top: 16, bottom: 38 }
const small: Size = { width: 240, height: 104, left: 40, right: 8, top: 10, bottom: 18 }

/** A large plot with both axes; `small` draws one of many, with the least of axes. */
export function drawPlot(p: Plot, kind: 'large' | 'small' = 'large'): string {
  const size = kind === 'large' ? large : small
  const points = [...p.truth, ...p.answered, ...p.seen, ...p.late, ...p.deciding]
  const values = [...points.map((q) => q.value), ...(p.band === undefined ? [] : [p.band.low, p.band.high])]
  const range = values.length === 0 ? { low: 0, high: 1 } : rangeOf(values)
  const x = scale(p.span.from, p.span.to, size.left, size.width - size.right)
  const y = scale(range.low, range.high, size.height - size.bottom, size.top)
  const at = (q: Point): [number, number] => [x.of(q.at), y.of(q.value)]
  const bottom = size.height - size.bottom

  const inside = [
    textElement('title', { id: `${p.id}-title` }, p.title),
    textElement('desc', { id: `${p.id}-desc` }, p.description),
    ...gapRects(p.gaps, x.of, size),
    ...bandRect(p.band, y.of, size),
    ...(kind === 'large' ? largeAxes(p, size, x.of, y.of, range) : smallAxes(p, size, y.of, range)),
    element('path', {
      class: 'axis',
      d: `M${size.left} ${size.top}V${bottom}H${size.width - size.right}`,
    }),
  ]
  if (p.truth.length > 0) inside.push(element('path', { class: 'truth', d: linePath(p.truth.map(at)) }))
  if (p.answered.length > 0)
    inside.push(element('path', { class: 'answered', d: linePath(p.answered.map(at)) }))
  // Few dots are drawn larger, else nobody finds them.
  const seen = p.seen.length < 80 ? 'seen few' : 'seen'
  if (p.seen.length > 0) inside.push(element('path', { class: seen, d: dotPath(p.seen.map(at)) }))
  for (const q of p.late) inside.push(circle('late', at(q), kind === 'large' ? 3 : 2))
  for (const q of p.deciding)
    inside.push(circle(p.bad ? 'deciding bad' : 'deciding', at(q), kind === 'large' ? 6 : 4))
  return element(
    'svg',
    {
      class: `plot ${kind}`,
      viewBox: `0 0 ${size.width} ${size.height}`,
      role: 'img',
      'aria-labelledby': `${p.id}-title ${p.id}-desc`,
    },
    inside,
  )
}

/** The least and greatest, without spreading a long array over a call. */
function rangeOf(values: readonly number[]): { low: number; high: number } {
  let low = Infinity
  let high = -Infinity
  for (const v of values) {
    low = Math.min(low, v)
    high = Math.max(high, v)
  }
  return figureRange(low, high)
}

function circle(name: string, [cx, cy]: [number, number], r: number): string {
  return element('circle', { class: name, cx, cy, r })
}

function gapRects(gaps: readonly Span[], x: (t: number) => number, size: Size): string[] {
  return gaps.map((g) => {
    const from = Math.max(size.left, x(g.from))
    const to = Math.min(size.width - size.right, x(g.to))
    return element('rect', {
      class: 'gap',
      x: from,
      y: size.top,
      width: Math.max(1.5, to - from),
      height: size.height - size.bottom - size.top,
    })
  })
}

function bandRect(band: Band | undefined, y: (v: number) => number, size: Size): string[] {
  if (band === undefined) return []
  return [
    element('rect', {
      class: 'band',
      x: size.left,
      y: y(band.high),
      width: size.width - size.left - size.right,
      height: Math.max(1, y(band.low) - y(band.high)),
    }),
  ]
}

function largeAxes(
  p: Plot,
  size: Size,
  x: (t: number) => number,
  y: (v: number) => number,
  range: Band,
): string[] {
  const bottom = size.height - size.bottom
  const right = size.width - size.right
  const out: string[] = []
  for (const t of figureTicks(range.low, range.high)) {
    out.push(element('path', { class: 'grid', d: `M${size.left} ${y(t.value).toFixed(1)}H${right}` }))
    out.push(
      textElement(
        'text',
        { class: 'tick', x: size.left - 6, y: y(t.value) + 4, 'text-anchor': 'end' },
        t.label,
      ),
    )
  }
  for (const t of timeTicks(p.span.from, p.span.to)) {
    out.push(element('path', { class: 'axis', d: `M${x(t.value).toFixed(1)} ${bottom}v4` }))
    out.push(
      textElement('text', { class: 'tick', x: x(t.value), y: bottom + 16, 'text-anchor': 'middle' }, t.label),
    )
  }
  out.push(
    textElement(
      'text',
      { class: 'axis-name', x: size.left, y: size.top - 5 },
      p.unit === '' ? 'value' : p.unit,
    ),
    textElement(
      'text',
      { class: 'axis-name', x: right, y: size.height - 6, 'text-anchor': 'end' },
      `UTC, ${dayText(p.span.from, p.span.to)}`,
    ),
  )
  return out
}

function smallAxes(p: Plot, size: Size, y: (v: number) => number, range: Band): string[] {
  const bottom = size.height - size.bottom
  const few = figureTicks(range.low, range.high, 4)
  const ticks = few.length < 2 ? figureTicks(range.low, range.high, 6) : few
  const out = ticks.map((t) =>
    textElement(
      'text',
      { class: 'tick', x: size.left - 4, y: y(t.value) + 3, 'text-anchor': 'end' },
      t.label,
    ),
  )
  if (ticks.length === 0)
    out.push(
      textElement(
        'text',
        { class: 'tick', x: size.left - 4, y: bottom, 'text-anchor': 'end' },
        figure(range.low),
      ),
    )
  const times = timeTicks(p.span.from, p.span.to, 4)
  for (const t of times) {
    const px =
      size.left +
      ((t.value - p.span.from) / (p.span.to - p.span.from)) * (size.width - size.left - size.right)
    // At the right edge the label stands to the left of its time, else it would be cut off.
    const anchor = px > size.width - 18 ? 'end' : 'middle'
    out.push(
      textElement('text', { class: 'tick', x: px, y: size.height - 5, 'text-anchor': anchor }, t.label),
    )
  }
  return out
}
