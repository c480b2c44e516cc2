/** summary.md: for a merge request or a CI page. The requirement table first, then what did not pass, within a budget. */
import { countStates, type Finding, findings, notice, outcome, troubles } from './model/outcome.ts'
import type { RequirementView, RunView } from './model/run.ts'
import { isJudged, looks, severity, states } from './model/states.ts'
import { runClockText } from './text/clock.ts'
import { identityTexts } from './text/identity.ts'
import { count, observedText, shortHash } from './text/figures.ts'
import { oneLine } from './text/plain.ts'

/** Well below what CI pages show (1 MiB on GitHub), and no more than anybody reads. */
const usualBudget = 60_000

/** Markdown of at most `budget` bytes of UTF-8. What does not fit is counted, and stands in index.html. */
export function summaryMarkdown(run: RunView, budget = usualBudget): string {
  const o = outcome(run)
  const h = run.header
  const page = new Budgeted(budget)
  const name = h === undefined ? 'a run without a header' : `${h.subject.product} ${h.subject.version}`
  const cut = notice(run)
  page.add(`# ${looks[o.state].sign} ${md(name)}\n\n`)
  if (cut !== undefined) page.add(`**${md(cut)}**\n\n`)
  page.add(`${md(o.sentence)}\n\n`)
  if (h !== undefined) {
    const kind = h.subject.kind === 'reference' ? 'the bench’s own reference platform' : 'a real platform'
    const clock = runClockText(run)
    const how = [
      `Judged: ${h.subject.product} ${h.subject.version} by ${h.subject.maker} (${kind})`,
      ...(h.subject.digest === undefined ? [] : [`digest ${shortHash(h.subject.digest)}`]),
      ...identityTexts(h),
      `rig ${h.rig}`,
      `seed ${h.seed}`,
      `commit ${shortHash(h.commit)}`,
      `Node ${h.node}`,
      h.short ? 'short run' : 'full run',
      `started ${h.started}`,
      ...(clock === undefined ? [] : [`the platform's clock ${clock}`]),
    ]
    page.add(`${md(how.join(', '))}.\n\n`)
  }
  counts(run, page)
  table(run, page)
  notPassed(run, page)
  trouble(run, page)
  page.end('Everything stands in [index.html](index.html) and [requirements.json](requirements.json).\n')
  return page.text()
}

/** Takes whole pieces as long as they fit, and always keeps room for the end. */
class Budgeted {
  #text = ''
  #bytes = 0
  readonly #budget: number

  constructor(budget: number) {
    this.#budget = budget
  }

  /** False if it did not fit; 400 bytes stay free for what must come. */
  add(piece: string): boolean {
    const n = Buffer.byteLength(piece)
    if (this.#bytes + n > this.#budget - 400) return false
    this.#text += piece
    this.#bytes += n
    return true
  }

  /** Adds each, and tells how many did not fit. */
  addAll(pieces: readonly string[]): number {
    for (const [i, p] of pieces.entries()) if (!this.add(p)) return pieces.length - i
    return 0
  }

  end(piece: string): void {
    this.#text += piece
  }

  text(): string {
    return this.#text
  }
}

function counts(run: RunView, page: Budgeted): void {
  const { numbered, ours } = countStates(run.requirements)
  const used = states.filter((s) => numbered.by[s] + ours.by[s] > 0)
  if (used.length === 0) return
  const line = (name: string, c: typeof numbered): string =>
    c.all === 0 ? '' : `| ${name} | ${used.map((s) => c.by[s]).join(' | ')} | ${c.all} |\n`
  page.add(
    `| | ${used.map((s) => `${looks[s].sign} ${s}`).join(' | ')} | in all |\n|---|${used.map(() => '--:|').join('')}--:|\n${line('numbered by the sources', numbered)}${line('section IDs of ours', ours)}\n`,
  )
}

/** Requirements that this run says something about, worst first. */
function table(run: RunView, page: Budgeted): void {
  const told = run.requirements
    .filter((r) => isJudged(r.state) || r.state === 'not run' || r.clauses.some((c) => c.checks.length > 0))
    .toSorted((a, b) => severity(a.state) - severity(b.state))
  if (told.length === 0) return
  page.add('| ID | State | Blame | Requirement |\n|---|---|---|---|\n')
  const left = page.addAll(told.map(row))
  page.add(left === 0 ? '\n' : `\n${count(left, 'more row')} in index.html.\n\n`)
}

function row(r: RequirementView): string {
  const mark = `${looks[r.state].sign} ${r.state}`
  return `| ${md(r.id)} | ${mark} | ${r.blame ?? ''} | ${md(r.statement, 240)} |\n`
}

function notPassed(run: RunView, page: Budgeted): void {
  const all = findings(run)
  if (all.length === 0 || !page.add('## What did not pass\n\n')) return
  const left = page.addAll(all.map(findingText))
  if (left > 0) page.add(`${count(left, 'more')} in index.html.\n\n`)
}

function findingText(f: Finding): string {
  const ids = f.verifies.length === 0 ? 'no requirement' : f.verifies.join(', ')
  const because = f.result.because
  const seqs = because.slice(0, 6).join(', ')
  const more = because.length > 6 ? ` and ${because.length - 6} more` : ''
  const where = `${f.scenario.contents?.log.file ?? ''}${seqs === '' ? '' : `, seq ${seqs}${more}`}`
  const lines: [string, string][] = [
    ['what', f.result.why ?? ''],
    ['whose fault', f.blame ?? 'not known'],
    ['limit', f.check.limit],
    ['observed', observedText(f.result.observed)],
    ['check', `${f.check.id}, in ${f.scenario.id}`],
    ['evidence', where],
  ]
  const list = lines.filter(([, t]) => t !== '').map(([name, t]) => `- ${name}: ${md(t, 500)}\n`)
  return `### ${looks[f.verdict].sign} ${f.verdict}: ${md(ids, 300)}\n\n${list.join('')}\n`
}

function trouble(run: RunView, page: Budgeted): void {
  const all = troubles(run)
  if (all.length === 0 || !page.add('## Trouble during the run\n\n')) return
  const left = page.addAll(
    all.map(
      (t) =>
        `- ${md(t.scenario?.id ?? 'the run')}${t.blame === undefined ? '' : ` (${t.blame})`}: ${md(t.what, 500)}\n`,
    ),
  )
  page.add(left === 0 ? '\n' : `- ${count(left, 'more')} in index.html\n\n`)
}

/** Plain text for Markdown: one line, cut, and with nothing in it that Markdown or HTML would act on. */
export function md(text: string, room = 400): string {
  const line = oneLine(text)
  const short = line.length > room ? `${line.slice(0, room).toWellFormed()}…` : line
  return short
    .replace(/[\\`*_[\]#!|~$]/g, (c) => `\\${c}`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/@(?=\w)/g, '@\u2060')
    .replace(/(https?|ftp):\/\//gi, '$1:&#47;&#47;')
}
