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

/** A line through points, as path data. */
export function linePath(points: readonly (readonly [x: number, y: number])[]): string {
  return points.map(([x, y], i) => `${i === 0 ? 'M' : 'L'}${coordinate(x)} ${coordinate(y)}`).join('')
}

/** Dots at points, as path data: strokes of no length, which round caps make into dots. */
export function dotPath(points: readonly (readonly [x: number, y: number])[]): string {
  return points.map(([x, y]) => `M${coordinate(x)} ${coordinate(y)}h0`).join('')
}
