/** The requirement table printed after a run. Text only: who calls it writes it. */
import { durationText } from '../drivers/units.ts'
import { clock, count, grouped, observedText, shortHash } from './text/figures.ts'
import { runClockText } from './text/clock.ts'
import { identityTexts } from './text/identity.ts'
import { columns, cut, oneLine, pad, wrap } from './text/plain.ts'
import {
  countStates,
  type Counts,
  type Finding,
  findings,
  notice,
  outcome,
  troubles,
} from './model/outcome.ts'
import type { RequirementView, RunView } from './model/run.ts'
import { isJudged, severity, type State, states } from './model/states.ts'
import { paint, type Paint, type Terminal } from './text/terminal.ts'

export interface ConsoleOptions {
  readonly terminal: Terminal
  /** Which requirements the table lists. Default: `judged`. */
  readonly show?: 'all' | 'judged' | 'failures'
}

/** Table, findings, summary: worst first in each group, the summary last, where the eye is. */
export function consoleReport(run: RunView, options: ConsoleOptions): string {
  const p = paint(options.terminal)
  const lines = [
    ...subjectLines(run, p, options.terminal),
    ...tableLines(run, options, p),
    ...findingLines(run, p, options.terminal),
    ...troubleLines(run, p, options.terminal),
    ...summaryLines(run, p, options.terminal),
  ]
  return `${lines.join('\n')}\n`
}

function subjectLines(run: RunView, p: Paint, t: Terminal): string[] {
  const h = run.header
  if (h === undefined) return ['', p.bold('No run header in the log: nothing is known of this run.'), '']
  const s = h.subject
  const what = `${s.product} ${s.version}, ${s.maker} (${s.kind})`
  const clock = runClockText(run)
  const how = [
    ...identityTexts(h),
    `rig ${h.rig}`,
    `seed ${h.seed}`,
    `commit ${shortHash(h.commit)}`,
    `Node ${h.node}`,
    h.short ? 'short run' : 'full run',
    ...(s.digest === undefined ? [] : [`digest ${shortHash(s.digest)}`]),
  ]
  const stopped = notice(run)
  return [
    '',
    ...(stopped === undefined ? [] : hanging('', oneLine(stopped), t.width).map((l) => p.bold(l))),
    p.bold(cut(oneLine(`Judged: ${what}`), t.width)),
    p.dim(cut(oneLine(how.join(', ')), t.width)),
    ...(clock === undefined ? [] : [p.dim(cut(oneLine(`The platform's clock: ${clock}`), t.width))]),
    '',
  ]
}

function tableLines(run: RunView, o: ConsoleOptions, p: Paint): string[] {
  const show = o.show ?? 'judged'
  const listed = run.requirements.filter((r) =>
    show === 'all'
      ? true
      : show === 'judged'
        ? isJudged(r.state) || r.state === 'not run' || r.clauses.some((c) => c.checks.length > 0)
        : r.state === 'fail' || r.state === 'inconclusive',
  )
  if (listed.length === 0) return []
  const width = {
    state: Math.max(...listed.map((r) => r.state.length)) + 2,
    id: Math.min(24, Math.max(...listed.map((r) => columns(oneLine(r.id))))),
    // On a narrow terminal the statement needs the room; the findings name the blame.
    blame: o.terminal.width < 80 ? 0 : Math.max(0, ...listed.map((r) => r.blame?.length ?? 0)),
    where: Math.min(40, Math.max(...listed.map((r) => columns(oneLine(whereText(r)))))),
  }
  const out: string[] = []
  for (const [heading, group] of groups(listed)) {
    out.push(p.bold(cut(oneLine(heading), o.terminal.width)))
    const worstFirst = group.toSorted((a, b) => severity(a.state) - severity(b.state))
    for (const r of worstFirst) out.push(row(r, width, o.terminal, p))
    out.push('')
  }
  return out
}

function groups(list: readonly RequirementView[]): Map<string, RequirementView[]> {
  const out = new Map<string, RequirementView[]>()
  for (const r of list) {
    const key = `${r.documentTitle}: ${r.priority}${r.ours ? ' (section IDs of ours)' : ''}`
    out.set(key, [...(out.get(key) ?? []), r])
  }
  return out
}

function row(
  r: RequirementView,
  width: { state: number; id: number; blame: number; where: number },
  t: Terminal,
  p: Paint,
): string {
  const state = p.state(r.state, pad(`${p.sign(r.state)} ${r.state}`, width.state))
  const id = pad(cut(oneLine(r.id), width.id), width.id)
  const blame = width.blame === 0 ? '' : `  ${pad(r.blame ?? '', width.blame)}`
  const where = whereText(r)
  const taken = 2 + width.state + 2 + width.id + columns(blame) + 2
  const left = Math.max(12, t.width - taken)
  // Beside a statement cut too short, the scenario is no help.
  const column = left >= 64 ? Math.min(width.where, Math.floor(left * 0.4)) : 0
  const whereWidth = where === '' ? 0 : column
  const statementWidth = column === 0 ? left : left - column - 2
  const statement = cut(oneLine(r.statement), statementWidth)
  if (whereWidth === 0) return `  ${state}  ${id}${blame}  ${statement}`
  return `  ${state}  ${id}${blame}  ${pad(statement, statementWidth)}  ${p.dim(cutLeft(oneLine(where), whereWidth))}`
}

/** The scenario that looked at it, and how many more. */
function whereText(r: RequirementView): string {
  const [first = '', ...more] = new Set(r.clauses.flatMap((c) => c.checks.map((k) => k.scenario)))
  return more.length === 0 ? first : `${first} +${more.length}`
}

/** Keeps the end: of a scenario's path, the name says most. */
function cutLeft(text: string, width: number): string {
  if (columns(text) <= width) return text
  return `…${Array.from(text)
    .slice(1 - width)
    .join('')}`
}

/** At most so many events are named for one finding. */
const namedEvents = 6

function findingLines(run: RunView, p: Paint, t: Terminal): string[] {
  const all = findings(run)
  if (all.length === 0) return []
  const out = [p.bold('Not passed')]
  for (const f of all) out.push(...oneFinding(f, run, p, t), '')
  return out
}

function oneFinding(f: Finding, run: RunView, p: Paint, t: Terminal): string[] {
  const ids = f.verifies.map(oneLine).join(', ')
  const head = `${p.state(f.verdict, `${p.sign(f.verdict)} ${f.verdict}`)}  ${p.bold(ids === '' ? 'no requirement' : ids)}`
  const statement = statementOf(run, f.verifies)
  const because = f.result.because
  const seqs =
    because.length === 0 ? (f.check.seq === undefined ? [] : [f.check.seq]) : because.slice(0, namedEvents)
  const more = because.length > namedEvents ? ` and ${because.length - namedEvents} more` : ''
  const file = f.scenario.contents?.log.file ?? ''
  const rows: [string, string][] = [
    ['asks', statement],
    ['blame', f.blame ?? 'not known'],
    ['check', `${f.check.id}, in ${f.scenario.id}`],
    ['limit', f.check.limit],
    ['observed', observedText(f.result.observed)],
    ['why', `${f.result.why ?? ''}${f.check.beforehand ? ' (known beforehand: a short run)' : ''}`],
    ['evidence', `${file}${seqs.length === 0 ? '' : ` seq ${seqs.join(', ')}${more}`}`],
  ]
  const out = [`  ${head}`]
  for (const [name, text] of rows)
    if (text !== '') out.push(...hanging(`    ${pad(name, 9)} `, oneLine(text), t.width))
  return out
}

function statementOf(run: RunView, verifies: readonly string[]): string {
  const ids = new Set(verifies.map((v) => v.split('/')[0] ?? v))
  return run.requirements
    .filter((r) => ids.has(r.id))
    .slice(0, 3)
    .map((r) => r.statement)
    .join('; ')
}

function hanging(prefix: string, text: string, width: number): string[] {
  const lines = wrap(text, Math.max(24, width - columns(prefix)))
  return lines.map((l, i) => (i === 0 ? prefix : ' '.repeat(columns(prefix))) + l)
}

function troubleLines(run: RunView, p: Paint, t: Terminal): string[] {
  const all = troubles(run)
  if (all.length === 0) return []
  const out = [p.bold('Trouble')]
  for (const { scenario, what, blame } of all) {
    const who = blame === undefined ? '' : ` (${blame})`
    out.push(
      ...hanging('  ', oneLine(`${scenario === undefined ? 'run' : scenario.id}${who}: ${what}`), t.width),
    )
  }
  return [...out, '']
}

function summaryLines(run: RunView, p: Paint, t: Terminal): string[] {
  const { numbered, ours } = countStates(run.requirements)
  const o = outcome(run)
  const out = [
    ...hanging(
      '',
      `Of ${count(numbered.all, 'numbered requirement')}: ${countsText(numbered, p)}`,
      t.width + 400,
    ),
  ]
  if (ours.all > 0) out.push(`Of ${count(ours.all, 'section ID')} of ours: ${countsText(ours, p)}`)
  const wall = run.end === undefined ? '' : ` In ${durationText(run.end.wallMs)}.`
  const simulated = run.scenarios.reduce(
    (n, s) => n + Math.max(0, (s.contents?.last ?? 0) - (s.contents?.first ?? 0)),
    0,
  )
  const ran = run.scenarios.filter((s) => s.contents !== undefined).length
  out.push(
    p.dim(
      `${count(ran, 'scenario')}, ${clock(simulated)} of bench time, ${grouped(run.scenarios.reduce((n, s) => n + (s.contents?.events ?? 0), 0))} events.${wall}`,
    ),
    p.state(o.state, p.bold(`${p.sign(o.state)} ${oneLine(o.sentence)}`)),
  )
  return out
}

function countsText(c: Counts, p: Paint): string {
  return states
    .filter((s: State) => c.by[s] > 0)
    .map((s) => p.state(s, `${c.by[s]} ${s}`))
    .join(', ')
}
