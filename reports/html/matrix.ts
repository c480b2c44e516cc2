/** The requirement matrix: a table for each document, a group for each priority, a row for each ID. */
import { count } from '../text/figures.ts'
import type { ClauseView, RequirementView, RunView } from '../model/run.ts'
import { isJudged, looks } from '../model/states.ts'
import { anchor, html, type Insert, type Markup, relative } from './html.ts'
import { stateMark } from './page.ts'

export function matrix(run: RunView): Insert {
  if (run.requirements.length === 0) return html`<p class="note">No catalogue of requirements was read.</p>`
  const pages = new Map(run.scenarios.filter((s) => s.contents !== undefined).map((s) => [s.id, s.page]))
  return [...Map.groupBy(run.requirements, (r) => r.document)].map(([document, list]) => {
    const judged = list.filter((r) => isJudged(r.state)).length
    const title = list[0]?.documentTitle ?? document
    const groups = [
      ...Map.groupBy(list, (r) => `${priorityWord(r.priority)}${r.ours ? ', section IDs of ours' : ''}`),
    ]
    return html`<h3 id="document-${anchor(document)}">${title}</h3>
      <table class="matrix" role="table">
        <caption>
          ${judged} of ${count(list.length, 'requirement')} judged
        </caption>
        <thead role="rowgroup">
          <tr role="row">
            <th scope="col" role="columnheader">ID</th>
            <th scope="col" role="columnheader">State</th>
            <th scope="col" role="columnheader">Blame</th>
            <th scope="col" role="columnheader">Requirement</th>
            <th scope="col" role="columnheader">Looked at by</th>
          </tr>
        </thead>
        ${groups.map(
          ([name, rs]) =>
            html`<tbody role="rowgroup">
              <tr class="group" role="row">
                <th scope="rowgroup" colspan="5" role="rowheader">${name} (${rs.length})</th>
              </tr>
              ${rs.map((r) => row(r, pages))}
            </tbody> `,
        )}
      </table>`
  })
}

function priorityWord(p: string): string {
  const words: Readonly<Record<string, string>> = {
    must: 'Must',
    should: 'Should',
    'will-not': 'Will not',
    information: 'Information',
    stated: 'Stated without a priority',
  }
  return words[p] ?? p
}

function row(r: RequirementView, pages: ReadonlyMap<string, string>): Markup {
  const id = anchor(r.id)
  const where = [...new Set(r.clauses.flatMap((c) => c.checks.map((k) => k.scenario)))]
  return html`<tr id="${id}" data-state="${looks[r.state].name}" role="row">
    <th scope="row" class="id" role="rowheader"><a href="#${encodeURIComponent(id)}">${r.id}</a></th>
    <td role="cell">${stateMark(r.state)}</td>
    <td class="blame" role="cell">${r.blame ?? ''}</td>
    <td class="what" role="cell">${clauses(r, pages)}</td>
    <td class="where" role="cell">
      ${where.map((s, i) => html`${i === 0 ? '' : ', '}${pageLink(s, pages)}`)}
    </td>
  </tr> `
}

function pageLink(scenario: string, pages: ReadonlyMap<string, string>, check?: string): Markup {
  const page = pages.get(scenario)
  const text = html`<span class="mono">${scenario}</span
    >${check === undefined ? '' : html` <span class="mono">${check}</span>`}`
  if (page === undefined) return text
  return html`<a href="${relative(page, check === undefined ? undefined : `check-${anchor(check)}`)}"
    >${text}</a
  >`
}

function clauses(r: RequirementView, pages: ReadonlyMap<string, string>): Insert {
  const about = [`section ${r.section}`, `binds: ${r.subject}`, `by ${r.method}`].join(', ')
  const open = r.state === 'fail' || r.state === 'inconclusive' || r.state === 'marginal'
  const inside = html`${r.why === undefined || r.clauses.some((c) => c.why !== undefined) ? '' : html`<p>${r.why}</p>`}
    ${r.reading === undefined ? '' : html`<p>Our reading: ${r.reading}</p>`}
    <ul class="clauses">
      ${r.clauses.map((c) => clause(r, c, pages))}
    </ul>
    <p class="muted">${about}</p>`
  const n = r.clauses.length === 0 ? '' : html` <span class="muted">${clauseCount(r)}</span>`
  const summary = html`<summary>${r.statement}${n}</summary>`
  return open
    ? html`<details open>${summary}${inside}</details>`
    : html`<details>${summary}${inside}</details>`
}

/** `3 clauses`, and how many of them passed where a check looked at any. */
function clauseCount(r: RequirementView): string {
  const all = count(r.clauses.length, 'clause')
  if (!r.clauses.some((c) => c.checks.length > 0)) return all
  const good = r.clauses.filter((c) => c.state === 'pass' || c.state === 'marginal').length
  return `${all}, ${good} passed`
}

function clause(r: RequirementView, c: ClauseView, pages: ReadonlyMap<string, string>): Markup {
  const checks = c.checks.map(
    (k, i) => html`${i === 0 ? ' — ' : ', '}${pageLink(k.scenario, pages, k.check)}`,
  )
  const other = [
    ...(c.subject === r.subject ? [] : [`binds: ${c.subject}`]),
    ...(c.method === r.method ? [] : [`by ${c.method}`]),
  ].join(', ')
  return html`<li>
    ${stateMark(c.state)}
    <span class="mono">/${c.id}</span>
    ${c.asks}${other === '' ? '' : ` (${other})`}${c.why === undefined ? '' : html`<br /><span class="muted">${c.why}${c.blame === undefined ? '' : ` (${c.blame})`}</span>`}${checks}
  </li> `
}
