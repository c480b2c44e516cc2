/**
 * junit.xml, for CI pages. There is no standard of this format: what is written is what its readers agree on. One comma-separated
 * property `verifies`; names of properties unique and none that a reader reserves; the text for people in the content,
 * since some read nothing else; (classname, name) unique, since some drop what they know already.
 */
import type { Blame } from '../bench/faces.ts'
import { type Case, type Suite, suitesOf } from './model/cases.ts'
import { cutShort, outcome } from './model/outcome.ts'
import type { RunView } from './model/run.ts'
import { observedText } from './text/figures.ts'
import { xmlElement, xmlText } from './text/xml.ts'

export interface JunitOptions {
  /**
   * What becomes of a test that could not be judged: `error` (the usual), or `skipped`, for readers that stop at an
   * `<error>` or count it as passed.
   */
  readonly faults?: 'error' | 'skipped'
  /** Most bytes; above it passed tests lose their text. GitLab reads 30 MB of a file. */
  readonly budget?: number
}

const usualBudget = 25_000_000
/** Most characters of one text. */
const room = 2000

export function junitXml(run: RunView, o: JunitOptions = {}): string {
  const full = documentOf(run, o.faults ?? 'error', true)
  return Buffer.byteLength(full) <= (o.budget ?? usualBudget)
    ? full
    : documentOf(run, o.faults ?? 'error', false)
}

interface Tally {
  readonly tests: number
  readonly failures: number
  readonly errors: number
  readonly skipped: number
  readonly time: string
}

type Faults = 'error' | 'skipped'

function documentOf(run: RunView, faults: Faults, texts: boolean): string {
  const suites = suitesOf(run)
  const h = run.header
  const what = h === undefined ? 'a run without a header' : `${h.subject.product} ${h.subject.version}`
  const name = ['Gridproof', what, cutShort(run) ?? outcome(run).sentence].join(': ')
  const inside = suites.map((s) => suiteText(s, run, faults, texts)).join('\n')
  const all = tally(
    suites.flatMap((s) => s.cases),
    faults,
  )
  return `<?xml version="1.0" encoding="UTF-8"?>\n${xmlElement('testsuites', { name, ...all }, `\n${inside}\n`)}\n`
}

function suiteText(s: Suite, run: RunView, faults: Faults, texts: boolean): string {
  const started = s.scenario?.header?.started ?? run.header?.started
  const cases = uniqueNames(s.cases).map((c) => `  ${caseText(c, s, faults, texts)}`)
  const attributes = { name: s.name, ...tally(s.cases, faults), timestamp: timestamp(started) }
  return xmlElement('testsuite', attributes, `\n${[properties(facts(s, run)), ...cases].join('\n')}\n`)
}

/** Two checks of a hostile log may share their name. */
function uniqueNames(cases: readonly Case[]): Case[] {
  const seen = new Map<string, number>()
  return cases.map((c) => {
    const n = (seen.get(c.name) ?? 0) + 1
    seen.set(c.name, n)
    return n === 1 ? c : { ...c, name: `${c.name} (${n})` }
  })
}

function facts(s: Suite, run: RunView): [string, string][] {
  const h = run.header
  const log = s.scenario?.contents?.log
  return [
    ['description', s.title],
    ...(h === undefined || s.scenario !== undefined
      ? []
      : ([
          ['rig', h.rig],
          ['seed', String(h.seed)],
          ['commit', h.commit],
          ['subject', `${h.subject.product} ${h.subject.version}, ${h.subject.maker} (${h.subject.kind})`],
        ] satisfies [string, string][])),
    ...(log === undefined
      ? []
      : ([
          ['log', log.file],
          ['sha256', log.sha256],
        ] satisfies [string, string][])),
  ]
}

function caseText(c: Case, s: Suite, faults: Faults, texts: boolean): string {
  const text = detail(c, s)
  const message = short(c.why ?? c.verdict, 300)
  const body = [
    texts || c.status !== 'passed' ? properties(caseFacts(c, s)) : '',
    c.status === 'failed' ? xmlElement('failure', { message, type: fault(c.blame) }, xmlText(text)) : '',
    c.status === 'broken' && faults === 'error'
      ? xmlElement('error', { message, type: fault(c.blame) }, xmlText(text))
      : '',
    skips(c, faults) ? xmlElement('skipped', { message }, xmlText(text)) : '',
    c.status === 'passed' && texts && text !== '' ? xmlElement('system-out', {}, xmlText(text)) : '',
  ]
  return xmlElement(
    'testcase',
    { classname: s.name, name: c.name, time: seconds(c.wallMs) },
    body.filter((b) => b !== '').join(''),
  )
}

function skips(c: Case, faults: Faults): boolean {
  return c.status === 'skipped' || (c.status === 'broken' && faults === 'skipped')
}

function fault(blame: Blame | undefined): string {
  return blame ?? 'unknown'
}

function caseFacts(c: Case, s: Suite): [string, string][] {
  const { contents, page } = s.scenario ?? {}
  return [
    ...(c.verifies.length === 0 ? [] : ([['verifies', c.verifies.join(',')]] satisfies [string, string][])),
    ['verdict', c.verdict],
    ...(c.blame === undefined ? [] : ([['blame', c.blame]] satisfies [string, string][])),
    ...(contents === undefined || page === undefined
      ? []
      : ([
          ['attachment1', page],
          ['attachment2', contents.log.file],
        ] satisfies [string, string][])),
  ]
}

/** What people read, as lines. */
function detail(c: Case, s: Suite): string {
  const { check } = c
  const log = s.scenario?.contents?.log.file
  const because = check?.result.because ?? []
  const seqs = because.length > 0 ? because.slice(0, 6) : check?.seq === undefined ? [] : [check.seq]
  const lines: [string, string | undefined][] = [
    [c.verdict, c.why ?? (c.verdict === 'pass' ? undefined : 'no reason is given')],
    ...c.remarks.map((r): [string, string] => ['tried again', r]),
    ['blame', c.blame],
    ['verifies', c.verifies.join(', ')],
    ['limit', check?.limit],
    ['observed', check === undefined ? undefined : observedText(check.result.observed)],
    [
      'evidence',
      log === undefined ? undefined : `${log}${seqs.length === 0 ? '' : ` seq ${seqs.join(', ')}`}`,
    ],
  ]
  return lines
    .filter(([, t]) => t !== undefined && t !== '')
    .map(([k, t]) => `${k}: ${short(t ?? '', room)}`)
    .join('\n')
}

function properties(list: readonly (readonly [string, string])[]): string {
  const inside = list.map(([name, value]) => xmlElement('property', { name, value: short(value, room) }))
  return inside.length === 0 ? '' : xmlElement('properties', {}, inside.join(''))
}

function tally(cases: readonly Case[], faults: Faults): Tally {
  const n = (f: (c: Case) => boolean): number => cases.filter(f).length
  return {
    tests: cases.length,
    failures: n((c) => c.status === 'failed'),
    errors: faults === 'error' ? n((c) => c.status === 'broken') : 0,
    skipped: n((c) => skips(c, faults)),
    time: seconds(cases.reduce((ms, c) => ms + c.wallMs, 0)),
  }
}

function seconds(ms: number): string {
  return (Number.isFinite(ms) ? Math.max(0, ms) / 1000 : 0).toFixed(3)
}

/** `2026-01-14T00:00:00`: the format has no zone; ours is UTC. */
function timestamp(iso: string | undefined): string | undefined {
  const t = iso === undefined ? Number.NaN : Date.parse(iso)
  return Number.isNaN(t) ? undefined : new Date(t).toISOString().slice(0, 19)
}

function short(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).toWellFormed()}…` : text
}
