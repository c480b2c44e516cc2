/** The page of one scenario: its checks with limits, figures and deciding events, plots, timeline, trace. */
import { durationText } from '../../drivers/units.ts'
import type { Neighbours } from '../model/read-run.ts'
import type { Place } from '../model/read-scenario.ts'
import type { CheckView, LogContents, ScenarioView } from '../model/run.ts'
import { wayTo } from '../model/paths.ts'
import { looks } from '../model/states.ts'
import { clockText } from '../text/clock.ts'
import { count, figure, grouped, observedPairs, spanText, splitUnit } from '../text/figures.ts'
import { blameWords, requirementLink } from './finding.ts'
import { anchor, html, type Insert, type Markup, relative } from './html.ts'
import { scenarioState } from './index-page.ts'
import { facts, pageText, rows, table, stateMark } from './page.ts'
import { decidingTable, timeline } from './events.ts'
import { checkPlots, type Drawn } from './plots.ts'

/** What stands on the page already, and is not to stand there twice. */
interface Marks {
  readonly drawn: Drawn
  /** Seqs with an anchor. */
  readonly anchored: Set<number>
}

/** The text of a scenario's page, or undefined where there is nothing to show. */
export function scenarioPage(s: ScenarioView, near: Neighbours): string | undefined {
  const { contents } = s
  if (contents === undefined) return undefined
  const up = wayTo(s.page, 'index.html').replace(/index\.html$/, '')
  const title = s.header?.title ?? s.id
  const marks: Marks = { drawn: new Map(), anchored: new Set() }
  const order = [...s.checks].sort((a, b) => rank(a) - rank(b))
  const body = html` <header>
      <p class="eyebrow"><a href="${relative(`${up}index.html`)}">Gridproof acceptance report</a></p>
      <h1>${title}</h1>
      ${headline(s)} ${headerFacts(s, contents, up)}
    </header>
    <main id="main">
      ${tries(s, up)} ${problems(s, contents)}
      <section>
        <h2 id="checks">Checks</h2>
        ${checkTable(order, up)}
      </section>
      ${order.map((c) => checkSection(c, s, contents, up, marks))} ${timeline(contents)}
      ${accounting(s, contents)}
    </main>
    <footer>
      ${neighbours(near, up)}Made from <span class="mono">${contents.log.file}</span> alone. Times are UTC, on
      the clock of the bench.
    </footer>`
  return pageText({ title: `${title}: ${scenarioState(s)}`, body })
}

const order = { fail: 0, inconclusive: 1, marginal: 2, pass: 3 } as const

function rank(c: CheckView): number {
  return order[c.result.verdict]
}

function headline(s: ScenarioView): Markup {
  const state = scenarioState(s)
  const tally = (['fail', 'inconclusive', 'marginal', 'pass'] as const)
    .map((v) => [v, s.checks.filter((c) => c.result.verdict === v).length] as const)
    .filter(([, n]) => n > 0)
    .map(([v, n]) => `${n} ${v}`)
    .join(', ')
  const ends =
    s.end === undefined
      ? 'The log was cut short.'
      : s.end.outcome === 'finished'
        ? ''
        : `The scenario ${s.end.outcome === 'broke' ? 'broke' : 'was aborted'}${s.end.why === undefined ? '' : `: ${s.end.why}`}.`
  return html`<p class="outcome s-${looks[state].name}">
    <strong
      ><span class="s-${looks[state].name}" aria-hidden="true">${looks[state].sign}</span> ${state}.</strong
    >
    <span>${count(s.checks.length, 'check')}${tally === '' ? '' : `: ${tally}`}. ${ends}</span>
  </p>`
}

function headerFacts(s: ScenarioView, contents: LogContents, up: string): Markup {
  const h = s.header
  const e = s.end
  const span = contents.last - contents.first
  const speed =
    e === undefined || e.wallMs <= 0 || span <= 0
      ? ''
      : `${grouped(Math.round(span / e.wallMs))} times real time`
  const horizon =
    h === undefined
      ? ''
      : h.horizonMs === h.fullHorizonMs
        ? `${durationText(h.horizonMs)}, full`
        : `${durationText(h.horizonMs)} of ${durationText(h.fullHorizonMs)}: a short run`
  return facts([
    ['Scenario', html`<code>${s.id}</code>`],
    ['Verifies', h === undefined ? '' : verified(h.verifies, up), true],
    [
      'Judged',
      h === undefined
        ? ''
        : `${h.subject.product} ${h.subject.version} (${h.subject.kind}), ${h.subject.maker}`,
    ],
    [
      'Played by the bench',
      h === undefined ? '' : Object.entries(h.played).map(([role, what]) => html`${role}: ${what}<br />`),
    ],
    ['Length', horizon],
    ['Bench time', spanText(contents.first, contents.last)],
    ['Wall time', e === undefined ? '' : `${durationText(e.wallMs)}${speed === '' ? '' : `, ${speed}`}`],
    ['Rig, seed', h === undefined ? '' : `${h.rig}, ${h.seed}, ${h.time} time`],
    ['Commit, Node', h === undefined ? '' : html`<code>${h.commit}</code>, ${h.node}`, true],
    ['Scenario file, SHA-256', h === undefined ? '' : html`<code>${h.sha256}</code>`, true],
    [
      'Trace hash',
      e?.world.traceHash === undefined
        ? h?.time === 'real'
          ? 'none: only virtual time has one'
          : (e?.world.untraced ?? 'none in the log')
        : html`<code>${e.world.traceHash}</code
            >${e.world.traceEvents === undefined ? '' : ` over ${grouped(e.world.traceEvents)} events`}`,
      true,
    ],
    [
      'Escapes from virtual time',
      e === undefined
        ? ''
        : e.world.time === 'real'
          ? 'does not apply: real time'
          : e.world.escapes.length === 0
            ? 'none'
            : String(e.world.escapes.length),
    ],
    ['Clock of the platform', contents.clock === undefined ? '' : clockText(contents.clock)],
    ['Longest stall of the bench', e?.world.stalledMs === undefined ? '' : `${figure(e.world.stalledMs)} ms`],
    ['Time stolen from the bench', e?.world.stolen === undefined ? '' : `${figure(e.world.stolen * 100)} %`],
    ['Defects put in on purpose', h === undefined || h.defects.length === 0 ? '' : h.defects.join(', ')],
  ])
}

/** `M:0022 (voltage, current), M:0027`: clauses behind their ID. */
function verified(references: readonly string[], up: string): Insert {
  const byId = Map.groupBy(references, (r) => r.split('/')[0] ?? r)
  return [...byId].map(([id, refs], i) => {
    const clauses = refs.flatMap((r) => (r.length > id.length ? [r.slice(id.length + 1)] : []))
    const inside = clauses.length === 0 ? '' : ` (${clauses.join(', ')})`
    return html`${i === 0 ? '' : ', '}${requirementLink(id, up)}${inside}`
  })
}

function problems(s: ScenarioView, contents: LogContents): Insert {
  const escapes = s.end?.world.escapes ?? []
  const items = [
    ...contents.problems,
    ...escapes.slice(0, 20).map((e) => `escaped from virtual time: ${e.what}, at ${e.where}`),
  ]
  if (items.length === 0) return ''
  return html`<section>
    <h2 id="problems">Trouble with this evidence</h2>
    <ul>
      ${items.map((i) => html`<li>${i}</li>`)}
    </ul>
  </section>`
}

/** Other tries of the same scenario: where they are, and that only the last one counts. */
function tries(s: ScenarioView, up: string): Insert {
  if (s.step?.again !== undefined)
    return html`<p class="note">
      This try does not count: it was repeated for a reason of the rig (${s.step.again}).
    </p>`
  if (s.earlier.length === 0) return ''
  return html`<section>
    <h2 id="tries">Earlier tries</h2>
    <p>Repeated for a reason of the rig. Only this last one counts.</p>
    <ol>
      ${s.earlier.map((e) => html`<li>${e.contents === undefined ? 'no log' : html`<a href="${relative(up + e.page)}">${e.contents.log.file}</a>`}: ${e.step?.again ?? ''}</li>`)}
    </ol>
  </section>`
}

function checkTable(checks: readonly CheckView[], up: string): Markup {
  if (checks.length === 0) return html`<p class="note">No check was declared.</p>`
  const lines = checks.map(
    (c) =>
      html`<tr>
        <th scope="row"><a class="mono" href="#check-${anchor(c.id)}">${c.id}</a></th>
        <td>${checkState(c)}</td>
        <td>${c.result.blame ?? ''}</td>
        <td>${c.limit}</td>
        <td>${c.verifies.map((v, i) => html`${i === 0 ? '' : ', '}${requirementLink(v, up)}`)}</td>
      </tr>`,
  )
  return table({
    label: 'Checks',
    caption: html`${count(checks.length, 'check')}, worst first`,
    columns: ['Check', 'Verdict', 'Blame', 'Limit', 'Verifies'],
    rows: lines,
  })
}

function checkState(c: CheckView): Markup {
  return stateMark(c.result.verdict, c.seq === undefined ? 'never judged' : c.result.verdict)
}

function checkSection(
  c: CheckView,
  s: ScenarioView,
  contents: LogContents,
  up: string,
  marks: Marks,
): Markup {
  const why = c.result.why ?? ''
  const beforehand = c.beforehand ? ' This was known before the run began.' : ''
  return html`<section id="check-${anchor(c.id)}">
    <h3>${checkState(c)} <span class="mono">${c.id}</span></h3>
    ${rows([
      ['Verifies', c.verifies.map((v, i) => html`${i === 0 ? '' : ', '}${requirementLink(v, up)}`)],
      ['Limit', c.limit],
      ['Needs at least', c.least === undefined ? '' : durationText(c.least)],
      ['Why', why === '' ? '' : `${why}.${beforehand}`.replace(/\.\./g, '.')],
      ['Whose fault', c.result.blame === undefined ? '' : blameWords[c.result.blame]],
    ])}
    ${observedTable(c)} ${decidingTable(c, s, contents, marks.anchored)}
    ${checkPlots(c, contents, marks.drawn)}
  </section>`
}

function observedTable(c: CheckView): Insert {
  const pairs = observedPairs(c.result.observed ?? null)
  if (pairs.length === 0) return ''
  const lines = pairs.slice(0, 60).map(([name, value]) => {
    const { label, unit } = splitUnit(name)
    return html`<tr>
      <th scope="row">${label}</th>
      <td class="n">${value}</td>
      <td>${unit === '1' ? '' : unit}</td>
    </tr>`
  })
  return table({ caption: html`Observed`, columns: ['Figure', 'Value#', 'Unit'], rows: lines, fit: true })
}

function accounting(s: ScenarioView, contents: LogContents): Markup {
  const lines = contents.kinds.map(
    ([kind, n]) =>
      html`<tr>
        <th scope="row">${kind}</th>
        <td class="n">${grouped(n)}</td>
      </tr>`,
  )
  return html`<section>
    <h2 id="evidence">Evidence</h2>
    ${rows([
      [
        'Log',
        html`<a class="mono" href="${relative(wayTo(s.page, contents.log.file))}">${contents.log.file}</a>,
          ${grouped(contents.log.bytes)} bytes`,
      ],
      ['SHA-256', html`<code>${contents.log.sha256}</code>`],
    ])}
    ${table({ caption: html`${count(contents.events, 'event')} by kind`, columns: ['Kind', 'Events#'], rows: lines, fit: true })}
  </section>`
}

function neighbours(near: Neighbours, up: string): Markup {
  const link = (name: string, p: Place | undefined): Insert =>
    p === undefined
      ? ''
      : html`<a href="${relative(up + p.page)}">${name}: <span class="mono">${p.id}</span></a> · `
  const all = html`<a href="${relative(`${up}index.html`)}">All requirements</a>`
  return html`<p>${link('Before', near.before)}${link('Next', near.next)}${all}</p>`
}
