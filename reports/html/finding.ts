/** One check that did not pass: what, whose fault, the limit, what was observed, and where the evidence is. */
import type { Finding } from '../model/outcome.ts'
import type { CheckView, RunView } from '../model/run.ts'
import { observedPairs, splitUnit } from '../text/figures.ts'
import { anchor, html, type Insert, type Markup, relative } from './html.ts'
import { rows, stateMark } from './page.ts'

/** Requirements whose statement is spelt out; more are only named. */
const spelt = 4
/** Events that are linked; more are counted. */
const linked = 8

export function finding(f: Finding, run: RunView): Markup {
  const fragment = `check-${anchor(f.check.id)}`
  const { contents, page } = f.scenario
  return html`<article
    class="finding s-${f.verdict}"
    id="finding-${anchor(`${f.scenario.id}/${f.check.id}`)}"
  >
    <h3>
      ${stateMark(f.verdict)}
      ${f.verifies.length === 0 ? 'no requirement' : f.verifies.map((v, i) => html`${i === 0 ? '' : ', '}${requirementLink(v, '')}`)}
    </h3>
    ${statements(run, f.verifies)}
    ${rows([
      ['What', f.result.why ?? ''],
      ['Whose fault', f.blame === undefined ? 'not known' : blameWords[f.blame]],
      ['Limit', f.check.limit],
      ['Observed', observedInline(f.check)],
      [
        'Check',
        html`<a href="${relative(page, fragment)}"
          ><span class="mono">${f.check.id}</span> in <span class="mono">${f.scenario.id}</span></a
        >`,
      ],
      [
        'Evidence',
        html`${contents === undefined ? '' : html`<a class="mono" href="${relative(contents.log.file)}">${contents.log.file}</a>`}
        ${eventLinks(f.check, page, contents?.deciding)}`,
      ],
    ])}
  </article>`
}

export const blameWords = {
  product: 'the product’s',
  bench: 'the bench’s own',
  rig: 'the rig’s',
  operator: 'the operator’s',
} as const

function statements(run: RunView, verifies: readonly string[]): Insert {
  const ids = [...new Set(verifies.map((v) => v.split('/')[0] ?? v))].slice(0, spelt)
  return run.requirements
    .filter((r) => ids.includes(r.id))
    .map((r) => html`<p>${ids.length > 1 ? html`<span class="mono">${r.id}</span> ` : ''}${r.statement}.</p>`)
}

/** A link to a requirement's row on the first page, from a page that lies `up` below it. */
export function requirementLink(reference: string, up: string): Markup {
  const id = reference.split('/')[0] ?? reference
  return html`<a class="mono" href="${up === '' ? '' : `${up}index.html`}#${encodeURIComponent(anchor(id))}"
    >${reference}</a
  >`
}

/** `seq 812, 813 and 10 more`, each linked to its extract where there is one. */
export function eventLinks(c: CheckView, page: string, kept?: ReadonlyMap<number, unknown>): Insert {
  const because = c.result.because ?? []
  const seqs = because.length > 0 ? because : c.seq === undefined ? [] : [c.seq]
  if (seqs.length === 0) return ''
  const links = seqs
    .slice(0, linked)
    .map(
      (s, i) =>
        html`${i === 0 ? '' : ', '}${kept?.has(s) === true ? html`<a href="${page === '' ? '' : relative(page)}#seq-${s}">${s}</a>` : s}`,
    )
  const more = seqs.length > linked ? ` and ${seqs.length - linked} more` : ''
  return html`seq ${links}${more}`
}

/** `longest gap 180 s · lost 1`. */
export function observedInline(c: CheckView): Insert {
  return observedPairs(c.result.observed ?? null).map(([name, value], i) => {
    const { label, unit } = splitUnit(name)
    return html`${i === 0 ? '' : ', '}${label} ${value}${unit === '' || unit === '1' ? '' : ` ${unit}`}`
  })
}
