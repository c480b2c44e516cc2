/** Parts of the acceptance report: states, tables, and how a piece of evidence is told. */
import type { AcceptState, Evidence, PersonEvidence } from '../../bench/acceptance/faces.ts'
import { html, type Insert, type Markup, relative } from '../html/html.ts'
import { scrollable } from '../html/page.ts'
import { looks } from '../model/states.ts'
import { count, utc } from '../text/figures.ts'

interface Look {
  readonly sign: string
  readonly name: string
  readonly means: string
}

const own: Readonly<Record<'waived' | 'outdated', Look>> = {
  waived: {
    sign: '⊘',
    name: 'waived',
    means: 'Not shown to be met; a person has taken that upon himself, with a reason. Never a pass.',
  },
  outdated: {
    sign: '↺',
    name: 'outdated',
    means: 'What there is was seen on another revision of the subject, the requirement or the scenario.',
  },
}

/** What differs from the words of a single run. */
const meanings: Readonly<Partial<Record<AcceptState, string>>> = {
  pass: 'Each of its clauses passed a check, or a person recorded that it is met.',
  uncovered: 'No scenario of these runs looks at it.',
}

export function lookOf(s: AcceptState): Look {
  if (s === 'waived' || s === 'outdated') return own[s]
  return { ...looks[s], means: meanings[s] ?? looks[s].means }
}

export function mark(s: AcceptState): Markup {
  const look = lookOf(s)
  return html`<span class="state s-${look.name}"><span aria-hidden="true">${look.sign}</span>${s}</span>`
}

export function table(
  id: string,
  title: string,
  means: string,
  heads: readonly string[],
  lines: readonly Markup[],
): Markup {
  return html`<section>
    <h2 id="${id}">${title}</h2>
    <p>${means}</p>
    ${scrollable(
      title,
      html`<table class="accepted">
        <caption>
          ${count(lines.length, 'line')}
        </caption>
        <thead>
          <tr>
            ${heads.map((h) => html`<th scope="col">${h}</th>`)}
          </tr>
        </thead>
        <tbody>
          ${lines}
        </tbody>
      </table>`,
    )}
  </section>`
}

/** Each piece once, although it may decide several clauses. */
export function saidBy(list: readonly Evidence[]): Insert {
  const once = new Map(list.map((e) => [JSON.stringify(e), e]))
  return html`<ul>
    ${[...once.values()].map((e) => html`<li>${e.by === 'check' ? checkText(e) : personText(e)}</li>`)}
  </ul>`
}

function checkText(e: Extract<Evidence, { by: 'check' }>): Markup {
  const where = html`<span class="mono">${e.scenario}</span> <span class="mono">${e.check}</span>`
  const log =
    e.log === undefined
      ? ''
      : html`, <a href="${relative(e.log)}">log</a>${e.seq === undefined ? '' : ` line ${e.seq}`}`
  return html`${e.verdict}: ${where}, rig ${e.rig}, ${time(e.at)}${log}`
}

function personText(e: PersonEvidence): Markup {
  return html`${e.verdict} by ${e.name}, ${time(e.at)}: ${e.note} ${attachments(e)}`
}

export function attachments(e: PersonEvidence): Insert {
  return e.attachments.map(
    (a) =>
      html` <a href="${relative(a.file)}">${a.name}</a>
        <span class="muted">(SHA-256 ${a.sha256.slice(0, 16)}…)</span>`,
  )
}

/** To the second: nobody signs milliseconds. */
export function time(iso: string): string {
  const t = Date.parse(iso)
  return Number.isNaN(t) ? iso : `${utc(t).slice(0, 19)} UTC`
}
