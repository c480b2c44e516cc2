/** HTML made from templates in which every inserted text is escaped, unless it is markup made the same way. */
import { manyLines } from '../text/plain.ts'

/** Markup that is safe as it stands. Made by `html` and `raw` alone. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

export type Insert = Markup | string | number | null | undefined | false | readonly Insert[]

/** ``html`<p>${anything}</p>` ``: what is inserted is escaped for text and for quoted attributes. */
export function html(parts: TemplateStringsArray, ...inserts: readonly Insert[]): Markup {
  let text = parts[0] ?? ''
  for (const [i, insert] of inserts.entries()) text += render(insert) + (parts[i + 1] ?? '')
  return new Markup(text)
}

/** Text of ours that is markup already: styles, scripts, drawn plots. Never a text out of a log. */
export function raw(text: string): Markup {
  return new Markup(text)
}

export function render(insert: Insert): string {
  if (insert === null || insert === undefined || insert === false) return ''
  if (insert instanceof Markup) return insert.text
  if (typeof insert === 'object') return insert.map(render).join('')
  return escapeHtml(String(insert))
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
}

/** Escapes for element content and quoted attributes; invisible characters become visible. */
export function escapeHtml(text: string): string {
  return manyLines(text).replace(/[&<>"'`]/g, (c) => entities[c] ?? c)
}

/** A relative address from path segments of ours or of a log: each segment is percent-encoded. */
export function relative(path: string, fragment?: string): string {
  const address = path
    .toWellFormed()
    .split('/')
    .map((s) => encodeURIComponent(s))
    .join('/')
  const safe = address.startsWith('/') ? `.${address}` : address
  return fragment === undefined ? safe : `${safe}#${encodeURIComponent(fragment.toWellFormed())}`
}

/** A text as an HTML id: letters, digits, `-`, `.`; anything else as `_` and its code, so that no two meet. */
export function anchor(text: string): string {
  return text.replace(/[^A-Za-z0-9.-]/g, (c) => (c === ':' ? ':' : `_${c.charCodeAt(0).toString(16)}_`))
}
