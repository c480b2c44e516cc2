/** Tables of events: those that decided a check, and what happened during the run. */
import { wayTo } from '../model/paths.ts'
import { decidingShown } from '../model/read-scenario.ts'
import type { CheckView, Extract, LogContents, Moment, ScenarioView } from '../model/run.ts'
import { grouped, utc } from '../text/figures.ts'
import { html, type Insert, type Markup, raw, relative } from './html.ts'
import { table } from './page.ts'

/** The events that decided a check, as they stand in the log. `anchored`: seqs that have an anchor on the page already. */
export function decidingTable(
  c: CheckView,
  s: ScenarioView,
  contents: LogContents,
  anchored: Set<number>,
): Insert {
  const because = c.result.because ?? []
  if (because.length === 0) return ''
  const shown = because.slice(0, decidingShown)
  const lines = shown.map((seq) => {
    const e = contents.deciding.get(seq)
    return e === undefined
      ? html`<tr>
          <th scope="row" class="n">${seq}</th>
          <td colspan="4">is not in the log</td>
        </tr>`
      : extractRow(e, anchored)
  })
  const more = because.length > shown.length ? ` Of ${because.length}, the first ${shown.length}.` : ''
  return table({
    label: `Events that decided ${c.id}`,
    caption: html`Events that decided, by seq, which is the line of
      <a class="mono" href="${relative(wayTo(s.page, contents.log.file))}">${contents.log.file}</a>.${more}`,
    columns: ['Seq#', 'Time, UTC', 'From', 'Kind', 'Data'],
    rows: lines,
  })
}

function extractRow(e: Extract, anchored: Set<number>): Markup {
  const notes = [
    ...(e.stamp === undefined ? [] : [`stamp ${utc(e.stamp)}`]),
    ...(e.cause === undefined ? [] : [`because of seq ${e.cause}`]),
  ].join(', ')
  // The same event may decide several checks: its anchor stands where it is met first on the page.
  const id = anchored.has(e.seq) ? '' : raw(` id="seq-${e.seq}"`)
  anchored.add(e.seq)
  return html`<tr${id}>
    <th scope="row" class="n">${e.seq}</th>
    <td class="mono">${utc(e.at).replace(' UTC', '')}</td>
    <td>${e.src}</td>
    <td>${e.kind}</td>
    <td>
      <pre>${e.text}${e.cut ? ' … (cut)' : ''}</pre>
      ${notes === '' ? '' : html`<span class="muted">${notes}</span>`}
    </td>
  </tr>`
}

/** Steps, faults, power and notes, in the order of the log. */
export function timeline(contents: LogContents): Insert {
  if (contents.timeline.length === 0) return ''
  const lines = contents.timeline.map(
    (m: Moment) =>
      html`<tr>
        <th scope="row" class="n">${m.seq}</th>
        <td class="mono">${utc(m.at).replace(' UTC', '')}</td>
        <td>${m.src}</td>
        <td>${m.kind}</td>
        <td>${m.what}${m.detail === '' ? '' : html` <code>${m.detail}</code>`}</td>
      </tr>`,
  )
  const more =
    contents.momentsLeftOut === 0 ? '' : `; ${grouped(contents.momentsLeftOut)} more stand in the log`
  return html`<section>
    <h2 id="timeline">What happened</h2>
    ${table({ label: 'What happened', caption: html`Steps, faults, power and notes${more}`, columns: ['Seq#', 'Time, UTC', 'From', 'Kind', 'What'], rows: lines })}
  </section>`
}
