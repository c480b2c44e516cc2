/** Figures as people read them. Nothing here depends on the machine's language. */
import type { Instant, Json } from '../../drivers/faces.ts'
import { oneLine } from './plain.ts'

/** `1,234,567`. */
export function grouped(n: number): string {
  const [whole = '', part] = String(Math.abs(n)).split('.')
  const groups = whole.replace(/\B(?=(?:\d{3})+(?!\d))/g, ',')
  return `${n < 0 ? '−' : ''}${groups}${part === undefined ? '' : `.${part}`}`
}

/** A measured figure to six significant digits, without an exponent where it can be helped. */
export function figure(n: number): string {
  if (!Number.isFinite(n)) return Number.isNaN(n) ? 'not a number' : n < 0 ? '−∞' : '∞'
  if (n === 0) return '0'
  const size = Math.abs(n)
  if (Number.isInteger(n) && size < 1e15) return grouped(n)
  if (size >= 1e9 || size < 1e-4) {
    const [m = '', e = ''] = n.toExponential(3).split('e')
    return `${Number(m)}×10^${Number(e)}`.replace('-', '−')
  }
  return grouped(Number(n.toPrecision(6)))
}

/** `1 failure`, `2 failures`; a third form where it is irregular. */
export function count(n: number, one: string, many = `${one}s`): string {
  return `${grouped(n)} ${n === 1 ? one : many}`
}

/** `2026-01-14 06:12:00 UTC`, with milliseconds where there are any. Out of range: the number itself. */
export function utc(at: Instant): string {
  const d = new Date(at)
  if (Number.isNaN(d.getTime())) return String(at)
  const text = d.toISOString().replace('T', ' ')
  return `${text.endsWith('.000Z') ? text.slice(0, -5) : text.slice(0, -1)} UTC`
}

/** `2026-01-14 06:12:00 to 07:00:00 UTC`; both dates where they differ. */
export function spanText(from: Instant, to: Instant): string {
  const [a, b] = [utc(from).replace(' UTC', ''), utc(to)]
  return `${a} to ${a.slice(0, 11) === b.slice(0, 11) ? b.slice(11) : b}`
}

/** `06:12:00` or `3 d 06:12:00`: a span as a clock shows it, in whole seconds. */
export function clock(ms: number): string {
  const s = Math.max(0, Math.floor(ms / 1000))
  const days = Math.floor(s / 86_400)
  const two = (n: number): string => String(n).padStart(2, '0')
  const day = `${two(Math.floor((s % 86_400) / 3600))}:${two(Math.floor((s % 3600) / 60))}:${two(s % 60)}`
  return days === 0 ? day : `${days} d ${day}`
}

/** The start of a digest, enough to tell two apart by eye. */
export function shortHash(hash: string): string {
  const [, kind = '', rest = hash] = /^(sha\d+:)?(.*)$/s.exec(hash) ?? []
  return rest.length > 16 ? `${kind}${rest.slice(0, 12)}…` : hash
}

/** Name and value of each observed figure, in the order of the log; deeper structure as JSON, cut to `room` signs. */
export function observedPairs(observed: Json, room = 240): [name: string, value: string][] {
  if (observed === null) return []
  if (typeof observed !== 'object' || Array.isArray(observed))
    return [['observed', valueText(observed, room)]]
  return Object.entries(observed).map(([k, v]) => [oneLine(k), valueText(v, room)])
}

function valueText(v: Json, room: number): string {
  if (typeof v === 'number') return figure(v)
  if (typeof v === 'boolean') return v ? 'yes' : 'no'
  const text = oneLine(typeof v === 'string' ? v : JSON.stringify(v))
  return text.length > room ? `${text.slice(0, room).toWellFormed()}…` : text
}

/** `largest gap 120 s, readings 1,440`: the unit in a name's brackets goes behind its value. */
export function observedText(observed: Json): string {
  return observedPairs(observed, 80)
    .map(([name, value]) => {
      const { label, unit } = splitUnit(name)
      return `${label} ${value}${unit === '' || unit === '1' ? '' : ` ${unit}`}`
    })
    .join(', ')
}

/** `feeder1.l1.current [A]` to its label and unit; no brackets: no unit. */
export function splitUnit(name: string): { label: string; unit: string } {
  const m = /^(.*?)\s*\[([^\]]*)\]$/.exec(name)
  return m?.[1] === undefined ? { label: name, unit: '' } : { label: m[1], unit: m[2] ?? '' }
}
