/** The report of an acceptance: what was judged, by whom and when, what stands against it, and where to sign. */
import type {
  Acceptance,
  AcceptedClause,
  AcceptedRequirement,
  AcceptState,
} from '../../bench/acceptance/faces.ts'
import { anchor, html, type Insert, type Markup, relative } from '../html/html.ts'
import { facts, pageText, rows } from '../html/page.ts'
import { count, grouped } from '../text/figures.ts'
import { attachments, lookOf, mark, saidBy, table, time } from './parts.ts'
import { countsTable, restTable, seenTable } from './requirements.ts'

export interface AcceptanceFile {
  readonly file: string
  readonly bytes: number
  readonly sha256: string
}

export interface AcceptancePage {
  readonly acceptance: Acceptance
  /** Evidence that it was made from: runs and records, with their digests. */
  readonly files: readonly AcceptanceFile[]
  /** SHA-256 of the public key with which it is signed. */
  readonly keyid?: string
}

/** The text of an acceptance's index.html. */
export function acceptancePage(p: AcceptancePage): string {
  const a = p.acceptance
  const name =
    a.subject === null ? 'A subject that nobody named' : `${a.subject.product} ${a.subject.version}`
  const seen = a.requirements.filter(looked)
  const rest = a.requirements.filter((r) => !looked(r))
  const waived = clausesWith(a, (c) => c.state === 'waived')
  const contrary = clausesWith(a, (c) => c.against.length > 0)
  const outdated = clausesWith(a, (c) => c.outdated.length > 0)
  const bad = (['fail', 'inconclusive', 'outdated'] as const).flatMap((s) =>
    a.requirements.filter((r) => r.state === s),
  )
  const body = html`<header>
      <p class="eyebrow">Gridproof acceptance</p>
      <h1>${name}</h1>
      ${outcomeLine(a)} ${first(a)} ${subjectFacts(p)}
    </header>
    <nav aria-label="Contents">
      <ul class="toc">
        ${link(bad.length, 'not-passed', 'What did not pass')}
        ${link(contrary.length, 'contradictory', 'Contradictory verdicts')}
        ${link(waived.length, 'waivers', 'Waivers')}
        <li><a href="#requirements">Requirements</a></li>
        ${link(outdated.length, 'outdated', 'Outdated evidence')}
        <li><a href="#sources">Runs and records</a></li>
        <li><a href="#signatures">Signatures</a></li>
        <li><a href="#evidence">Evidence</a></li>
      </ul>
    </nav>
    <main id="main">
      ${notPassed(bad)} ${contradictory(contrary)} ${waivers(waived)}
      <section>
        <h2 id="requirements">Requirements</h2>
        ${countsTable(a)} ${seenTable(seen)} ${restTable(rest)}
      </section>
      ${outdatedSection(outdated)} ${sources(a)} ${signatures(p)} ${evidence(p)}
    </main>
    <footer>Made by Gridproof ${a.bench} (${a.commit}) at ${time(a.made)}. Times are UTC.</footer>`
  return pageText({ title: `Acceptance of ${name}: ${a.sentence}`, body })
}

/** Something was seen of it, valid or not. */
function looked(r: AcceptedRequirement): boolean {
  return r.clauses.some(
    (c) => c.decidedBy.length > 0 || c.outdated.length > 0 || c.waiver !== undefined || c.against.length > 0,
  )
}

function clausesWith(a: Acceptance, f: (c: AcceptedClause) => boolean): readonly AcceptedClause[] {
  return a.requirements.flatMap((r) => r.clauses.filter(f))
}

function link(n: number, id: string, text: string): Insert {
  return n === 0 ? '' : html`<li><a href="#${id}">${text} (${n})</a></li>`
}

const words: Readonly<Partial<Record<AcceptState, string>>> = {
  fail: 'Not met',
  inconclusive: 'Not decided',
  outdated: 'Not decided: some of the evidence is outdated',
  waived: 'Passed as far as judged, with waivers',
  marginal: 'Passed as far as judged, barely',
  pass: 'Passed as far as judged',
}

function outcomeLine(a: Acceptance): Markup {
  const look = lookOf(a.state)
  return html`<p class="outcome s-${look.name}">
    <strong
      ><span class="s-${look.name}" aria-hidden="true">${look.sign}</span>
      ${words[a.state] ?? 'Nothing judged'}.</strong
    >
    <span>${a.sentence}</span>
  </p>`
}

/** What failed, whose fault, where the evidence stands: for the first screen, on a phone too. */
function first(a: Acceptance): Insert {
  const failed = a.requirements.filter((r) => r.state === 'fail')
  if (failed.length === 0) return ''
  const items = failed.slice(0, 3).map((r) => {
    const why = r.why ?? r.statement
    const log = r.clauses
      .filter((c) => c.state === 'fail')
      .flatMap((c) => c.decidedBy)
      .find((e) => e.by === 'check' && e.log !== undefined)
    return html`<li>
      <strong><a class="mono" href="#${anchor(r.id)}">${r.id}</a></strong>
      ${why.length > 110 ? `${why.slice(0, 110).toWellFormed()}…` : why} —
      ${r.blame === undefined ? 'blame not known' : `${blames[r.blame] ?? r.blame} fault`}${log?.by === 'check' && log.log !== undefined ? html`, <a href="${relative(log.log)}">evidence</a>${log.seq === undefined ? '' : ` line ${log.seq}`}` : ''}
    </li>`
  })
  const rest = failed.length - items.length
  return html`<ul class="first" aria-label="What failed">
    ${items} ${rest > 0 ? html`<li><a href="#not-passed">${rest} more</a></li>` : ''}
  </ul>`
}

function subjectFacts({ acceptance: a, keyid }: AcceptancePage): Markup {
  const s = a.subject
  return html`${facts([
    [
      'Judged',
      s === null
        ? 'not stated'
        : `${s.product} ${s.version}, ${s.kind === 'reference' ? 'the reference platform that comes with the bench' : 'a real platform'}`,
      true,
    ],
    ['Maker', s?.maker ?? ''],
    ['Serial', s?.serial ?? ''],
    ['Digest of what was judged', html`<code>${s?.digest ?? 'not given'}</code>`, true],
    ['Made', time(a.made)],
    ['Runs', String(a.runs.length)],
    ['Records by persons', String(a.records.length)],
    ['Revision of the requirements', html`<code>${a.catalogue}</code>`, true],
    ['Signed with key', keyid === undefined ? 'not signed' : html`<code>${keyid}</code>`, true],
  ])}
  ${s?.kind === 'reference' ? html`<p class="muted">The reference platform stands in for a product, so that the bench can run anywhere. Its verdicts say nothing about any other platform.</p>` : ''}`
}

const blames: Readonly<Record<string, string>> = {
  product: 'the product’s',
  bench: 'the bench’s',
  rig: 'the rig’s, or the run was too short',
  operator: 'the operator’s',
}

function notPassed(list: readonly AcceptedRequirement[]): Insert {
  if (list.length === 0) return ''
  return html`<section>
    <h2 id="not-passed">What did not pass</h2>
    ${list.map((r) => {
      const open = r.clauses.filter((c) => c.state === r.state)
      const seen = new Set(open.flatMap((c) => [...c.decidedBy, ...c.outdated.map((o) => o.evidence)]))
      return html`<article class="finding s-${lookOf(r.state).name}">
        <h3>${mark(r.state)} <a class="mono" href="#${anchor(r.id)}">${r.id}</a> ${r.statement}</h3>
        ${rows([
          ['What', r.why ?? ''],
          ['Whose fault', r.blame === undefined ? '' : (blames[r.blame] ?? r.blame)],
          ['Clauses', open.length === r.clauses.length ? '' : open.map((c) => c.ref).join(', ')],
          ['Evidence', seen.size === 0 ? '' : html`<div class="accepted">${saidBy([...seen])}</div>`],
        ])}
      </article> `
    })}
  </section>`
}

function contradictory(list: readonly AcceptedClause[]): Insert {
  if (list.length === 0) return ''
  return table(
    'contradictory',
    'Contradictory verdicts',
    'On the same revisions of subject, requirement and scenario it came out both ways. The state above follows the newest of each rig and seed, and of these the worst; whoever signs should know why they differ.',
    ['Clause', 'State', 'Decided by', 'Against it'],
    list.map(
      (c) =>
        html`<tr>
          <th scope="row" class="id">${c.ref}</th>
          <td>${mark(c.state)}</td>
          <td class="said">${saidBy(c.decidedBy)}</td>
          <td class="said">${saidBy(c.against)}</td>
        </tr>`,
    ),
  )
}

function waivers(list: readonly AcceptedClause[]): Insert {
  if (list.length === 0) return ''
  return table(
    'waivers',
    'Waivers',
    'Clauses that are not shown to be met, and that somebody accepts so. A waiver is no pass.',
    ['Clause', 'Without it', 'Waived by', 'When', 'Reason'],
    list.map(
      (c) =>
        html`<tr>
          <th scope="row" class="id">${c.ref}</th>
          <td>${c.without === undefined ? '' : mark(c.without)}</td>
          <td>${c.waiver?.name ?? ''}</td>
          <td>${time(c.waiver?.at ?? '')}</td>
          <td>${c.waiver?.note ?? ''} ${c.waiver === undefined ? '' : attachments(c.waiver)}</td>
        </tr>`,
    ),
  )
}

function outdatedSection(list: readonly AcceptedClause[]): Insert {
  if (list.length === 0) return ''
  return table(
    'outdated',
    'Outdated evidence',
    'Seen on another revision of the subject, the requirement or the scenario. It decides nothing.',
    ['Clause', 'What was seen', 'Why it is outdated'],
    list.flatMap((c) =>
      c.outdated.map(
        (o) =>
          html`<tr>
            <th scope="row" class="id">${c.ref}</th>
            <td class="said">${saidBy([o.evidence])}</td>
            <td>${o.why}</td>
          </tr>`,
      ),
    ),
  )
}

function sources(a: Acceptance): Markup {
  const runs = a.runs.map(
    (r) =>
      html`<tr>
        <th scope="row"><a class="mono" href="${relative(`${r.folder}/index.html`)}">${r.id}</a></th>
        <td>run of ${count(r.scenarios, 'scenario')} on ${r.rig}</td>
        <td>${time(r.started)}</td>
        <td>${r.counts ? 'yes' : 'no'}</td>
      </tr>`,
  )
  const records = a.records.map(
    (r) =>
      html`<tr>
        <th scope="row"><a class="mono" href="${relative(`${r.folder}/record.json`)}">${r.id}</a></th>
        <td>
          ${r.record.verdict} of ${r.record.requirement} by
          ${r.record.by}${r.record.subject === null ? '; subject not stated' : ''}
        </td>
        <td>${time(r.record.at)}</td>
        <td>${r.counts ? 'yes' : 'no'}</td>
      </tr>`,
  )
  const none = a.notCounted.map((n) => html`<li><span class="mono">${n.what}</span>: ${n.why}</li>`)
  return html`${table(
    'sources',
    'Runs and records',
    'What was handed in. What counts as a whole may still be outdated for single clauses.',
    ['Name', 'What', 'When', 'Counts'],
    [...runs, ...records],
  )}
  ${
    none.length === 0
      ? ''
      : html`<h3 id="not-counted">Not counted</h3>
          <ul>
            ${none}
          </ul>`
  }`
}

function signatures({ acceptance: a, keyid }: AcceptancePage): Markup {
  const s = a.subject
  const box = (role: string): Markup =>
    html`<div>
      <h3>${role}</h3>
      <dl>
        <dt>Name</dt>
        <dd></dd>
        <dt>Organisation and function</dt>
        <dd></dd>
        <dt>Place and date</dt>
        <dd></dd>
        <dt>Signature</dt>
        <dd class="tall"></dd>
      </dl>
    </div>`
  return html`<section class="own-page">
    <h2 id="signatures">Signatures</h2>
    <p>
      Acceptance of
      ${s === null ? 'a subject that nobody named' : `${s.product} ${s.version}, made by ${s.maker}`}${s?.serial === undefined ? '' : `, serial ${s.serial}`}${s?.digest === undefined ? '' : html`, digest <code>${s.digest}</code>`}.
      ${a.sentence}
    </p>
    <p>
      ${
        keyid === undefined
          ? 'This acceptance carries no electronic signature.'
          : html`The digests of all files are signed with the operator’s key <code>${keyid}</code>;
              <code>gridproof verify</code> checks them.`
      }
    </p>
    <div class="signatures">
      ${box('For the operator of the bench')} ${box('For the maker of the platform')} ${box('Witness')}
    </div>
  </section>`
}

function evidence({ files }: AcceptancePage): Markup {
  return table(
    'evidence',
    'Evidence',
    'Files that this was made from. The digest of this report itself stands in the statement beside it.',
    ['File', 'Bytes', 'SHA-256'],
    files.map(
      (f) =>
        html`<tr>
          <th scope="row"><a class="mono" href="${relative(f.file)}">${f.file}</a></th>
          <td class="n">${grouped(f.bytes)}</td>
          <td class="digest"><code>${f.sha256}</code></td>
        </tr>`,
    ),
  )
}
