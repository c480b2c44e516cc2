/** The requirement tables of the acceptance report: how many, of which something was seen, and the rest. */
import type { Acceptance, AcceptedRequirement } from '../../bench/acceptance/faces.ts'
import { acceptStates } from '../../bench/acceptance/faces.ts'
import { anchor, html, type Insert, type Markup } from '../html/html.ts'
import { scrollable } from '../html/page.ts'
import { count, grouped } from '../text/figures.ts'
import { lookOf, mark, saidBy } from './parts.ts'

export function countsTable(a: Acceptance): Markup {
  const { numbered, ours } = a.counts
  const used = acceptStates.filter((s) => numbered.by[s] + ours.by[s] > 0).toReversed()
  return html`<table class="fit counts">
    <caption>
      Requirements by state, worst first; a requirement is as bad as its worst clause
    </caption>
    <thead>
      <tr>
        <th scope="col">State</th>
        <th scope="col" class="n">Numbered</th>
        <th scope="col" class="n">Ours</th>
        <th scope="col">Meaning</th>
      </tr>
    </thead>
    <tbody>
      ${used.map(
        (s) =>
          html`<tr>
            <th scope="row">${mark(s)}</th>
            <td class="n">${grouped(numbered.by[s])}</td>
            <td class="n">${grouped(ours.by[s])}</td>
            <td>${lookOf(s).means}</td>
          </tr>`,
      )}
    </tbody>
  </table>`
}

export function seenTable(list: readonly AcceptedRequirement[]): Insert {
  if (list.length === 0) return html`<p class="note">Nothing was seen of any requirement.</p>`
  return [...Map.groupBy(list, (r) => r.document)].map(
    ([document, rs]) =>
      html`<h3 id="document-${anchor(document)}">${rs[0]?.documentTitle ?? document}</h3>
        ${scrollable(
          `Requirements of ${rs[0]?.documentTitle ?? document}`,
          html`<table class="accepted reqs">
            <caption>
              ${count(rs.length, 'requirement')} of which something was seen
            </caption>
            <thead>
              <tr>
                <th scope="col">ID</th>
                <th scope="col">State</th>
                <th scope="col">What</th>
                <th scope="col">Who and when</th>
              </tr>
            </thead>
            ${rs.map((r) => requirementRows(r))}
          </table>`,
        )}`,
  )
}

function requirementRows(r: AcceptedRequirement): Markup {
  return html`<tbody id="${anchor(r.id)}">
    <tr class="group">
      <th scope="rowgroup" class="id">${r.id}</th>
      <td>${mark(r.state)}</td>
      <td>
        ${r.statement}
        <span class="muted"
          >(${r.priority}${r.ours ? ', a section ID of ours' : ''}, section ${r.section})</span
        >
      </td>
      <td></td>
    </tr>
    ${r.clauses
      .filter((c) => c.method !== 'information')
      .map(
        (c) =>
          html`<tr>
            <td class="id">/${c.ref.slice(r.id.length + 1)}</td>
            <td>${mark(c.state)}</td>
            <td>
              ${c.asks}
              <span class="muted">(by ${c.method})</span
              >${c.why === undefined ? '' : html`<br /><span class="muted">${c.why}${c.blame === undefined ? '' : ` (${c.blame})`}</span>`}
            </td>
            <td class="said">
              ${c.state === 'waived' && c.waiver !== undefined ? saidBy([c.waiver]) : saidBy(c.decidedBy)}
            </td>
          </tr> `,
      )}
  </tbody> `
}

export function restTable(list: readonly AcceptedRequirement[]): Insert {
  if (list.length === 0) return ''
  return html`<h3 id="not-judged">Of which nothing was seen</h3>
    ${scrollable(
      'Requirements of which nothing was seen',
      html`<table class="accepted">
        <caption>
          ${count(list.length, 'requirement')}
        </caption>
        <thead>
          <tr>
            <th scope="col">ID</th>
            <th scope="col">State</th>
            <th scope="col">What</th>
          </tr>
        </thead>
        <tbody>
          ${list.map(
            (r) =>
              html`<tr id="${anchor(r.id)}">
                <th scope="row" class="id">${r.id}</th>
                <td>${mark(r.state)}</td>
                <td>${r.statement}</td>
              </tr> `,
          )}
        </tbody>
      </table>`,
    )}`
}
