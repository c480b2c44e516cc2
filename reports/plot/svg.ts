/** A small writer of SVG: elements as text, with every attribute and text escaped. */
import { escapeHtml } from '../html/html.ts'

export type Attributes = Readonly<Record<string, string | number | undefined>>

/** One element. `inside` is SVG already made by this writer. Undefined attributes are left out. */
export function element(name: string, attributes: Attributes, inside: readonly string[] = []): string {
  const list = Object.entries(attributes)
    .filter(([, v]) => v !== undefined)
    .map(([k, v]) => ` ${k}="${typeof v === 'number' ? coordinate(v) : escapeHtml(String(v))}"`)
    .join('')
  return inside.length === 0 ? `<${name}${list}/>` : `<${name}${list}>${inside.join('')}</${name}>`
}

/** An element that holds text. */
export function textElement(name: string, attributes: Attributes, text: string): string {
  return element(name, attributes, [escapeHtml(text)])
}

/** A pixel position with one decimal: finer than a screen shows, and short. */
export function coordinate(n: number): string {
  const r = Math.round(n * 10) / 10
  return String(r === 0 ? 0 : r)
}

type Place = readonly [x: number, y: number]

/** A line through points, as path data. */
export function linePath(points: readonly Place[]): string {
  return steps(points)
    .map((s, i) => (i === 0 ? `M${s}` : `l${s}`))
    .join('')
}

/** Dots at points, as path data: strokes of no length, which round caps make into dots. */
export function dotPath(points: readonly Place[]): string {
  return steps(points)
    .map((s, i) => `${i === 0 ? 'M' : 'm'}${s}h0`)
    .join('')
}

/**
 * The first position, then the way from each to the next, in tenths of a pixel: half as long as positions. The way
 * goes between rounded positions, so that rounding does not add up.
 */
function steps(points: readonly Place[]): string[] {
  let [x, y] = [0, 0]
  return points.map(([px, py]) => {
    const [nx, ny] = [Math.round(px * 10), Math.round(py * 10)]
    const [a, b] = [tenths(nx - x), tenths(ny - y)]
    ;[x, y] = [nx, ny]
    return b.startsWith('-') ? a + b : `${a} ${b}`
  })
}

/** `12.3`, `.5`, `-.5`, `0` */
function tenths(n: number): string {
  return String(n / 10).replace(/^(-?)0\./, '$1.')
}
