/** The first page of a report: what was judged, what came of it, what failed and why; then every requirement. */
import { durationText } from '../../drivers/units.ts'
import { clock, count, grouped, utc } from '../text/figures.ts'
import { runClockText } from '../text/clock.ts'
import { instrumentText } from '../text/identity.ts'
import { countStates, type Counts, findings, notice, outcome, troubles } from '../model/outcome.ts'
import type { RunView, ScenarioView } from '../model/run.ts'
import { isJudged, looks, type State, states } from '../model/states.ts'
import { filterScript } from './filter.ts'
import { firstFailures } from './first.ts'
import { finding } from './finding.ts'
import { evidenceOf } from '../requirements-json.ts'
import { anchor, type Insert, html, type Markup, raw, relative } from './html.ts'
import { matrix } from './matrix.ts'
import { facts, pageText, table, stateMark } from './page.ts'
import { element } from '../plot/svg.ts'

/** The text of index.html. */
export function indexPage(run: RunView): string {
  const h = run.header
  const name = h === undefined ? 'A run without a header' : `${h.subject.product} ${h.subject.version}`
  const found = findings(run)
  const trouble = troubles(run)
  const body = html` <header>
      <p class="eyebrow">Gridproof acceptance report</p>
      <h1>${name}</h1>
      ${noticeLine(run)} ${outcomeLine(run)} ${firstFailures(found, trouble)} ${subjectFacts(run)}
    </header>
    <nav aria-label="Contents">
      <ul class="toc">
        ${found.length === 0 ? '' : html`<li><a href="#findings">What did not pass</a></li>`}
        ${trouble.length === 0 ? '' : html`<li><a href="#trouble">Trouble during the run</a></li>`}
        <li><a href="#requirements">Requirements</a></li>
        <li><a href="#scenarios">Scenarios</a></li>
        <li><a href="#evidence">Evidence</a></li>
      </ul>
    </nav>
    <main id="main">
      ${
        found.length === 0
          ? ''
          : html`<section>
              <h2 id="findings">What did not pass</h2>
              ${found.map((f) => finding(f, run))}
            </section>`
      }
      ${troubleSection(run, trouble)}
      <section>
        <h2 id="requirements">Requirements</h2>
        ${countsTable(run)} ${filterForm(run)} ${matrix(run)}
      </section>
      ${scenarioSection(run)} ${evidenceSection(run)}
    </main>
    <footer>Made from the evidence log of this run alone. Times are UTC, on the clock of the bench.</footer>`
  return pageText({ title: `${name}: ${outcome(run).sentence}`, body, script: filterScript })
}

const words: Readonly<Record<ReturnType<typeof outcome>['state'], string>> = {
  fail: 'Not met',
  inconclusive: 'Not decided',
  marginal: 'Passed as far as judged, barely',
  pass: 'Passed as far as judged',
  'not run': 'Nothing judged',
}

function noticeLine(run: RunView): Insert {
  const text = notice(run)
  return text === undefined ? '' : html`<p class="outcome s-inconclusive"><strong>${text}</strong></p>`
}

function outcomeLine(run: RunView): Markup {
  const o = outcome(run)
  const look = looks[o.state]
  return html`<p class="outcome s-${look.name}">
    <strong><span class="s-${look.name}" aria-hidden="true">${look.sign}</span> ${words[o.state]}.</strong>
    <span>${o.sentence}</span>
  </p>`
}

function subjectFacts(run: RunView): Markup {
  const h = run.header
  if (h === undefined) return html`<p class="note">The log has no header: what was judged is not known.</p>`
  const s = h.subject
  const kind = s.kind === 'reference' ? 'the reference platform that comes with the bench' : 'a real platform'
  const ran = run.scenarios.filter((v) => v.contents !== undefined).length
  const length = h.short ? 'short: what needs a full length stays open' : 'full'
  return html`${facts([
    ['Judged', `${s.product} ${s.version}, ${kind}`, true],
    ['Maker', s.maker],
    ['Model', s.model ?? ''],
    ['Serial', s.serial ?? ''],
    ...Object.entries(s.images ?? {}).map(
      ([name, image]) => [`Image ${name}`, html`<code>${image}</code>`, true] as const,
    ),
    ['Operator', h.identity?.operator ?? ''],
    ['Site', h.identity?.site ?? ''],
    ...(h.identity?.instruments ?? []).map((i) => ['Instrument', instrumentText(i), true] as const),
    ['Rig', h.rig],
    [
      'Digest of what was judged',
      s.digest === undefined ? 'not given' : html`<code>${s.digest}</code>`,
      true,
    ],
    ['Commit', html`<code>${h.commit}</code>`, true],
    ['Length', length],
    ['Seed', String(h.seed)],
    ['Started', startedText(h.started)],
    ['Took', run.end === undefined ? 'not known: no trailer' : durationText(run.end.wallMs)],
    ['Clock of the platform', runClockText(run) ?? ''],
    ['Scenarios', `${ran} of ${run.scenarios.length} ran`],
    ['Bench', `${h.bench}, on Node ${h.node}`],
  ])}
  ${s.kind === 'reference' ? html`<p class="muted">The reference platform stands in for a product, so that the bench can run anywhere. Its verdicts say nothing about any other platform.</p>` : ''}`
}

function startedText(iso: string): string {
  const t = Date.parse(iso)
  return Number.isNaN(t) ? iso : utc(t)
}

function troubleSection(run: RunView, list: ReturnType<typeof troubles>): Insert {
  if (list.length === 0) return ''
  const items = list.map(
    (t) =>
      html`<tr>
        <td>${t.scenario === undefined ? 'the run' : scenarioLink(t.scenario)}</td>
        <td>${t.what}</td>
        <td>${t.blame ?? ''}</td>
      </tr>`,
  )
  return html`<section>
    <h2 id="trouble">Trouble during the run</h2>
    <p>
      What kept scenarios from running, or their evidence from being whole. None of it is held against the
      product, unless it is blamed below.
    </p>
    ${table({ label: 'Trouble during the run', caption: html`${count(list.length, 'trouble')} in ${count(run.scenarios.length, 'scenario')}`, columns: ['Where', 'What', 'Blame'], rows: items })}
  </section>`
}

function countsTable(run: RunView): Markup {
  const { numbered, ours } = countStates(run.requirements)
  const lines = states.map((s) => {
    const apart = ours.all === 0 ? '' : html`<td class="n">${grouped(ours.by[s])}</td>`
    return html`<tr>
      <th scope="row">${stateMark(s)}</th>
      <td class="n">${grouped(numbered.by[s])}</td>
      ${apart}
      <td>${looks[s].means}</td>
    </tr>`
  })
  const total = html`<tr>
    <th scope="row">in all</th>
    <td class="n">${grouped(numbered.all)}</td>
    ${ours.all === 0 ? '' : html`<td class="n">${grouped(ours.all)}</td>`}
    <td></td>
  </tr>`
  const head = html`<tr>
    <th scope="col">State</th>
    <th scope="col" class="n">Numbered</th>
    ${ours.all === 0 ? '' : html`<th scope="col" class="n">Ours</th>`}
    <th scope="col">Meaning</th>
  </tr>`
  return html`<p>
      A requirement is split into clauses. It takes the worst state of its clauses, and each clause the worst
      verdict of its checks; of a part that did not run beside parts that passed, it is inconclusive. Blame
      says whose fault it is that a check did not pass: the product’s, the bench’s, the rig’s or the
      operator’s. IDs that the source documents number are counted apart from section IDs of ours.
    </p>
    ${bar(numbered)}
    <table class="fit counts">
      <caption>
        Requirements by state, worst first
      </caption>
      <thead>
        ${head}
      </thead>
      <tbody>
        ${lines}${total}
      </tbody>
    </table>`
}

function bar(c: Counts): Insert {
  if (c.all === 0) return ''
  let x = 0
  const parts = states
    .filter((s) => c.by[s] > 0)
    .map((s) => {
      const width = (c.by[s] / c.all) * 1000
      const rect = element('rect', {
        class: `s-${looks[s].name}`,
        x,
        y: 0,
        width: Math.max(1, width - 2),
        height: 10,
      })
      x += width
      return rect
    })
  const attributes = {
    class: 'bar',
    viewBox: '0 0 1000 10',
    preserveAspectRatio: 'none',
    'aria-hidden': 'true',
  }
  return raw(element('svg', attributes, parts))
}

function filterForm(run: RunView): Markup {
  const { numbered, ours } = countStates(run.requirements)
  const used = states.filter((s) => numbered.by[s] + ours.by[s] > 0)
  const judgedStates = used.filter((s) => isJudged(s))
  const not = (s: State): boolean => s === 'fail' || s === 'inconclusive' || s === 'marginal'
  const names = (list: readonly State[]): string => list.map((s) => looks[s].name).join(' ')
  return html`<form id="filter" class="filter" hidden role="search" aria-label="Filter of the requirements">
    <span class="presets"
      ><button type="button" value="">All</button>
      <button type="button" value="${names(judgedStates)}">Judged</button>
      <button type="button" value="${names(used.filter(not)) || 'none'}">Not passed</button></span
    >
    <fieldset>
      <legend>States shown</legend>
      ${used.map((s) => html`<label><input type="checkbox" value="${looks[s].name}" checked />${stateMark(s)}</label>`)}
    </fieldset>
    <label>Text <input type="search" id="filter-text" size="14" autocomplete="off" /></label>
    <output id="filter-count" aria-live="polite"></output>
  </form>`
}

export function scenarioLink(s: ScenarioView, check?: string): Markup {
  if (s.contents === undefined && s.header === undefined) return html`<span class="mono">${s.id}</span>`
  const fragment = check === undefined ? undefined : `check-${anchor(check)}`
  return html`<a class="mono" href="${relative(s.page, fragment)}">${s.id}</a>`
}

function scenarioSection(run: RunView): Markup {
  const lines = run.scenarios.map((s) => {
    const worst = scenarioState(s)
    const ends = s.end?.outcome ?? s.step?.outcome
    const word = s.contents === undefined ? 'not run' : ends === undefined ? 'cut short' : ends
    const span = s.contents === undefined ? '' : clock(s.contents.last - s.contents.first)
    const passed = s.checks.filter((c) => c.result.verdict === 'pass').length
    return html`<tr>
      <th scope="row">${scenarioLink(s)}<br />${s.header?.title ?? ''}</th>
      <td>${stateMark(worst)}</td>
      <td>${word}</td>
      <td class="n">${s.checks.length === 0 ? '' : `${passed} of ${s.checks.length}`}</td>
      <td class="n">${span}</td>
      <td class="n">${s.end === undefined ? '' : durationText(s.end.wallMs)}</td>
      <td class="n">${s.contents === undefined ? '' : grouped(s.contents.events)}</td>
    </tr>`
  })
  return html`<section>
    <h2 id="scenarios">Scenarios</h2>
    ${table({ label: 'Scenarios', caption: html`${count(run.scenarios.length, 'scenario')}, in the order of the run`, columns: ['Scenario', 'Worst verdict', 'Ended', 'Checks passed#', 'Bench time#', 'Wall time#', 'Events#'], rows: lines })}
  </section>`
}

/** The worst verdict of a scenario's checks. */
export function scenarioState(s: ScenarioView): State {
  const found = s.checks.map((c) => c.result.verdict)
  const worst = (['fail', 'inconclusive', 'marginal', 'pass'] as const).find((v) => found.includes(v))
  return worst ?? 'not run'
}

function evidenceSection(run: RunView): Markup {
  const logs = evidenceOf(run)
  const lines = logs.map(
    (l) =>
      html`<tr>
        <th scope="row"><a class="mono" href="${relative(l.file)}">${l.file}</a></th>
        <td class="n">${grouped(l.bytes)}</td>
        <td><code>${l.sha256}</code></td>
      </tr>`,
  )
  return html`<section>
    <h2 id="evidence">Evidence</h2>
    <p>
      Logs of JSON lines: line <i>n</i> holds the event with sequence number (seq) <i>n</i>. The same verdicts
      stand in <a href="requirements.json">requirements.json</a> and <a href="summary.md">summary.md</a>.
    </p>
    ${table({ label: 'Evidence files', caption: html`Files that this report was made from`, columns: ['File', 'Bytes#', 'SHA-256'], rows: lines })}
  </section>`
}
