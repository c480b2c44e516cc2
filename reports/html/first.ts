/** What belongs on the first screen of a report with failures, on a phone too: what failed, whose fault, where it stands. */
import { blameWords, requirementLink } from './finding.ts'
import { anchor, html, type Insert, relative } from './html.ts'
import type { Finding, Trouble } from '../model/outcome.ts'

/** Failures that are told there; the rest are counted. */
const told = 3
/** Characters of a reason that are told there. */
const room = 110

/** Nothing where nothing failed. A platform that went down is a failure, whatever the checks saw. */
export function firstFailures(found: readonly Finding[], trouble: readonly Trouble[]): Insert {
  const failed = found.filter((f) => f.verdict === 'fail')
  const down = trouble.filter((t) => t.blame === 'product')
  if (failed.length + down.length === 0) return ''
  const items = [
    ...down.map(
      (t) =>
        html`<li>
          <strong>${short(t.what)}</strong> — the product’s fault,
          <a href="#trouble">${t.scenario?.id ?? 'the run'}</a>
        </li>`,
    ),
    ...failed.map((f) => {
      const log = f.scenario.contents?.log.file
      const details = `finding-${anchor(`${f.scenario.id}/${f.check.id}`)}`
      return html`<li>
        <strong
          >${f.verifies.slice(0, 3).map((v, i) => html`${i === 0 ? '' : ', '}${requirementLink(v, '')}`)}</strong
        >
        ${short(f.result.why ?? f.check.limit)} —
        ${f.blame === undefined ? 'blame not known' : `${blameWords[f.blame]} fault`},
        <a href="#${encodeURIComponent(details)}">details</a
        >${log === undefined ? '' : html`, <a href="${relative(log)}">evidence</a>${f.check.seq === undefined ? '' : ` line ${f.check.seq}`}`}
      </li>`
    }),
  ]
  const rest = items.length - told
  return html`<ul class="first" aria-label="What failed">
    ${items.slice(0, told)}
    ${rest > 0 ? html`<li><a href="#${failed.length > 0 ? 'findings' : 'trouble'}">${rest} more</a></li>` : ''}
  </ul>`
}

function short(text: string): string {
  return text.length > room ? `${text.slice(0, room).toWellFormed()}…` : text
}
