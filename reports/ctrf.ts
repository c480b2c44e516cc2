/**
 * ctrf.json, in the Common Test Report Format (its schema 0.0, which knows no other key outside `extra`): the same tests as
 * junit.xml, with measured figures and the digests of the evidence.
 */
import { createHash } from 'node:crypto'
import type { Json } from '../drivers/faces.ts'
import { type Case, type CaseStatus, requirementsOf, type Suite, suitesOf } from './model/cases.ts'
import { notice, outcome } from './model/outcome.ts'
import type { RunView, ScenarioView } from './model/run.ts'
import { evidenceOf } from './requirements-json.ts'
import { oneLine } from './text/plain.ts'

/** Of the schema that it keeps to. */
const specVersion = '0.0.0'

/** Statuses of the format: what could not be judged is `other`, never passed and never failed. */
const statusOf: Readonly<Record<CaseStatus, string>> = {
  passed: 'passed',
  failed: 'failed',
  broken: 'other',
  skipped: 'skipped',
}

/** The report as data. The same logs give the same report, its ID included. */
export function ctrfReport(run: RunView): Json {
  const suites = suitesOf(run)
  const cases = suites.flatMap((s) => s.cases)
  const n = (status: CaseStatus): number => cases.filter((c) => c.status === status).length
  const h = run.header
  const start = whole(Date.parse(h?.started ?? ''))
  const wall = whole(run.end?.wallMs ?? 0)
  const cut = notice(run)
  return {
    reportFormat: 'CTRF',
    specVersion,
    reportId: reportId(run),
    ...(h === undefined || h.id === '' ? {} : { runId: oneLine(h.id) }),
    ...(start === 0 ? {} : { timestamp: new Date(start).toISOString() }),
    generatedBy: 'Gridproof',
    extra: { notice: cut ?? null, outcome: outcome(run).sentence },
    results: {
      tool: { name: 'Gridproof', ...(h === undefined ? {} : { version: oneLine(h.bench) }) },
      summary: {
        tests: cases.length,
        passed: n('passed'),
        failed: n('failed'),
        skipped: n('skipped'),
        pending: 0,
        other: n('broken'),
        suites: suites.length,
        start,
        stop: start + wall,
        duration: wall,
      },
      tests: suites.flatMap((s) => s.cases.map((c) => testOf(c, s))),
      ...(h === undefined
        ? {}
        : {
            environment: {
              appName: oneLine(h.subject.product),
              appVersion: oneLine(h.subject.version),
              commit: oneLine(h.commit),
              testEnvironment: oneLine(h.rig),
              extra: {
                maker: oneLine(h.subject.maker),
                kind: h.subject.kind,
                ...(h.subject.serial === undefined ? {} : { serial: oneLine(h.subject.serial) }),
                ...(h.subject.digest === undefined ? {} : { digest: oneLine(h.subject.digest) }),
                seed: h.seed,
                node: oneLine(h.node),
              },
            },
          }),
    },
  }
}

function testOf(c: Case, s: Suite): Json {
  const ids = requirementsOf(c.verifies).map(oneLine)
  return {
    testId: oneLine(`${s.name} ${c.name}`),
    name: oneLine(c.name),
    status: statusOf[c.status],
    rawStatus: c.verdict,
    duration: whole(c.wallMs),
    suite: [oneLine(s.name)],
    ...(c.why === undefined ? {} : { message: oneLine(c.why) }),
    ...(c.check !== undefined || s.scenario === undefined ? {} : tries(s.scenario, c)),
    ...(ids.length === 0 ? {} : { labels: { requirement: ids, clause: c.verifies.map(oneLine) } }),
    ...(s.scenario === undefined ? {} : { attachments: attachments(s.scenario) }),
    extra: {
      blame: c.blame ?? null,
      ...(c.check === undefined
        ? {}
        : {
            limit: oneLine(c.check.limit),
            observed: c.check.result.observed,
            beforehand: c.check.beforehand,
            evidence: {
              file: s.scenario?.contents?.log.file ?? null,
              seq: c.check.seq ?? null,
              because: c.check.result.because,
            },
          }),
    },
  }
}

/** Tries of a scenario; the last one is the test itself. `flaky` where it passed only after another try. */
function tries(s: ScenarioView, c: Case): Record<string, Json> {
  if (s.earlier.length === 0) return {}
  return {
    retries: s.earlier.length,
    flaky: c.status === 'passed',
    retryAttempts: s.earlier.map((e, i) => ({
      attempt: i + 1,
      status: 'other',
      message: oneLine(e.step?.again ?? ''),
      duration: whole(e.end?.wallMs ?? 0),
      attachments: attachments(e),
    })),
  }
}

function attachments(s: ScenarioView): Json {
  const log = s.contents?.log
  if (log === undefined) return []
  return [
    { name: 'report', contentType: 'text/html', path: s.page },
    {
      name: 'log',
      contentType: 'application/jsonl',
      path: log.file,
      extra: { sha256: log.sha256, bytes: log.bytes },
    },
  ]
}

/** A UUID (RFC 9562, version 8) over the digests of the evidence: a report of other evidence has another one. */
function reportId(run: RunView): string {
  const hash = createHash('sha256')
  for (const l of evidenceOf(run)) hash.update(`${l.file}\0${l.sha256}\0`)
  const hex = hash.digest('hex')
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function whole(ms: number): number {
  return Number.isFinite(ms) && Math.abs(ms) <= 8.64e15 ? Math.max(0, Math.round(ms)) : 0
}
