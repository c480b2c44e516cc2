/** The frame of a page: nothing comes from outside it, and no text in it can run. */
import { createHash } from 'node:crypto'
import { type Insert, type Markup, html, raw, render } from './html.ts'
import { looks, type State } from '../model/states.ts'
import { style } from './style.ts'

export interface Page {
  readonly title: string
  readonly body: Insert
  /** An inline script; the page's policy lets this one run and no other. */
  readonly script?: string
}

/** A whole HTML document. Its policy names its style and script by digest: even a text that got in could not run. */
export function pageText(p: Page): string {
  const policy = [
    "default-src 'none'",
    `style-src '${digest(style)}'`,
    ...(p.script === undefined ? [] : [`script-src '${digest(p.script)}'`]),
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ')
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${raw(policy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="referrer" content="no-referrer" />
        <title>${p.title}</title>
        <link rel="icon" href="data:," />
        ${raw(`<style>${style}</style>`)}
      </head>
      <body>
        <a class="skip" href="#main">To the content</a>
        ${p.body} ${p.script === undefined ? '' : raw(`<script>${p.script}</script>`)}
      </body>
    </html> `
  return render(page)
}

function digest(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`
}

/** A state as sign and word. */
export function stateMark(s: State, word: string = s): Markup {
  return html`<span class="state s-${looks[s].name}"
    ><span aria-hidden="true">${looks[s].sign}</span>${word}</span
  >`
}

/** Names and values, as a description list; empty values are left out. */
export function facts(
  list: readonly (readonly [name: string, value: Insert, wide?: boolean])[],
  name = 'facts',
): Markup {
  const rows = list
    .filter(([, v]) => render(v) !== '')
    .map(
      ([k, v, wide]) =>
        html`<div${raw(wide === true ? ' class="wide"' : '')}><dt>${k}</dt><dd>${v}</dd></div>`,
    )
  return html`<dl class="${name}">${rows}</dl>`
}

/** As `facts`, one below the other, the names in a column of their own. */
export function rows(list: readonly (readonly [name: string, value: Insert])[]): Markup {
  const inside = list
    .filter(([, v]) => render(v) !== '')
    .map(
      ([k, v]) =>
        html`<dt>${k}</dt>
          <dd>${v}</dd>`,
    )
  return html`<dl class="rows">${inside}</dl>`
}

/** A table that scrolls by itself where it is too wide; a keyboard can scroll it too. */
export function scrollable(label: string, table: Markup): Markup {
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${label}">${table}</div>`
}

/** A column's head; one that ends in `#` holds figures. */
function columnHead(name: string): Markup {
  return name.endsWith('#')
    ? html`<th scope="col" class="n">${name.slice(0, -1)}</th>`
    : html`<th scope="col">${name}</th>`
}

export interface Table {
  /** What a table is called that scrolls by itself where it is too wide. */
  readonly label?: string
  readonly caption: Insert
  /** Heads of the columns; `Events#`: a column of figures. */
  readonly columns: readonly string[]
  /** Rows, with their cells. */
  readonly rows: Insert
  /** Not as wide as the page. */
  readonly fit?: true
}

export function table(t: Table): Markup {
  const inside = html`<table${raw(t.fit === true ? ' class="fit"' : '')}>
    <caption>
      ${t.caption}
    </caption>
    <thead>
      <tr>
        ${t.columns.map(columnHead)}
      </tr>
    </thead>
    <tbody>
      ${t.rows}
    </tbody>
  </table>`
  return t.label === undefined ? inside : scrollable(t.label, inside)
}
