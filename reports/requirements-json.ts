/**
 * requirements.json: the verdict of each requirement with its evidence, for programs.
 * A reader should refuse a `format` that it does not know. Keys are only added within one format number.
 */
import type { Json } from '../drivers/faces.ts'
import type { Blame, VerdictWord } from '../bench/faces.ts'
import type { ClockNote, Identity, RunEnd, RunHeader, Subject } from '../bench/evidence/schema.ts'
import { countStates, notice, outcome } from './model/outcome.ts'
import type { CheckView, FileDigest, RunView, ScenarioView } from './model/run.ts'
import type { State } from './model/states.ts'

export const requirementsFormat = 'gridproof-requirements/1'

export interface RequirementsJson {
  readonly format: typeof requirementsFormat
  /** That the run did not come to its end, in a sentence; null: it did. */
  readonly notice: string | null
  /** What was run; null where the run's log has no header. */
  readonly run: Pick<
    RunHeader,
    'id' | 'rig' | 'seed' | 'short' | 'commit' | 'node' | 'bench' | 'started'
  > | null
  /** What was judged; null where it is not known. */
  readonly subject: Subject | null
  /** Who judged it, where, and with what; null: nobody said. */
  readonly identity: Identity | null
  /** Null: the run's log was cut short. */
  readonly end: RunEnd | null
  /** `sentence` is for people, `state` is the worst that came of any requirement. */
  readonly outcome: { readonly state: State; readonly sentence: string }
  /** IDs that the sources number, and section IDs of ours, by state. */
  readonly counts: { readonly numbered: Counted; readonly ours: Counted }
  /** What is wrong with the evidence or kept scenarios from running. */
  readonly problems: readonly string[]
  /** In the order of the catalogue. */
  readonly requirements: readonly RequirementJson[]
  readonly scenarios: readonly ScenarioJson[]
  /** Logs that all this was made from, by their path in the run's folder. */
  readonly evidence: readonly FileDigest[]
}

interface Counted {
  readonly all: number
  /** Pass, marginal, inconclusive and fail. */
  readonly judged: number
  readonly states: Readonly<Record<State, number>>
}

export interface RequirementJson {
  readonly id: string
  readonly document: string
  readonly section: string
  readonly priority: string
  /** Our own one-line statement. */
  readonly statement: string
  readonly subject: string
  readonly method: string
  /** True: a section ID that we gave. */
  readonly ours: boolean
  readonly state: State
  readonly blame: Blame | null
  readonly why: string | null
  /** Inconclusive only because the run is a short one. */
  readonly beforehand: boolean
  readonly clauses: readonly ClauseJson[]
}

export interface ClauseJson {
  /** `M:0022/voltage` */
  readonly ref: string
  readonly asks: string
  readonly state: State
  readonly blame: Blame | null
  readonly why: string | null
  /** Checks that looked at it, `decided` those with the worst verdict. */
  readonly checks: readonly { readonly scenario: string; readonly check: string; readonly decided: boolean }[]
}

export interface ScenarioJson {
  readonly id: string
  readonly title: string | null
  /** `cut short`: its log has no trailer. */
  readonly ended: 'finished' | 'aborted' | 'broke' | 'cut short' | 'not run'
  readonly why: string | null
  readonly blame: Blame | null
  /** Path of its log in the run's folder; its digest stands in `evidence`. */
  readonly log: string | null
  readonly traceHash: string | null
  readonly escapes: number
  /** The platform's clock against the bench's, in milliseconds, as it was known last; null: nothing was known of it. */
  readonly clock: ClockNote | null
  /** Tries before this one, which do not count: each was repeated for a reason of the rig. */
  readonly earlier: readonly { readonly log: string | null; readonly why: string }[]
  readonly checks: readonly CheckJson[]
}

export interface CheckJson {
  readonly id: string
  readonly verifies: readonly string[]
  readonly limit: string
  readonly verdict: VerdictWord
  readonly blame: Blame | null
  readonly why: string | null
  readonly beforehand: boolean
  /** Figures by name, with the unit in brackets. */
  readonly observed: Json
  /** Where it is told: the log, the seq of the verdict (null: never judged), seqs of the events that decided. */
  readonly evidence: {
    readonly file: string | null
    readonly sha256: string | null
    readonly seq: number | null
    readonly because: readonly number[]
  }
}

export function requirementsJson(run: RunView): RequirementsJson {
  const h = run.header
  const { numbered, ours } = countStates(run.requirements)
  return {
    format: requirementsFormat,
    notice: notice(run) ?? null,
    run:
      h === undefined
        ? null
        : {
            id: h.id,
            rig: h.rig,
            seed: h.seed,
            short: h.short,
            commit: h.commit,
            node: h.node,
            bench: h.bench,
            started: h.started,
          },
    subject: h?.subject ?? null,
    identity: h?.identity ?? null,
    end: run.end ?? null,
    outcome: outcome(run),
    counts: {
      numbered: { all: numbered.all, judged: numbered.judged, states: numbered.by },
      ours: { all: ours.all, judged: ours.judged, states: ours.by },
    },
    problems: [
      ...run.problems,
      ...run.scenarios.flatMap((s) => (s.contents?.problems ?? []).map((p) => `${s.id}: ${p}`)),
    ],
    requirements: run.requirements.map((r) => ({
      id: r.id,
      document: r.document,
      section: r.section,
      priority: r.priority,
      statement: r.statement,
      subject: r.subject,
      method: r.method,
      ours: r.ours,
      state: r.state,
      blame: r.blame ?? null,
      why: r.why ?? null,
      beforehand: r.beforehand,
      clauses: r.clauses.map((c) => ({
        ref: `${r.id}/${c.id}`,
        asks: c.asks,
        state: c.state,
        blame: c.blame ?? null,
        why: c.why ?? null,
        checks: c.checks.map((k) => ({
          scenario: k.scenario,
          check: k.check,
          decided: c.decidedBy.some((d) => d.scenario === k.scenario && d.check === k.check),
        })),
      })),
    })),
    scenarios: run.scenarios.map(scenarioJson),
    evidence: evidenceOf(run),
  }
}

/** Every log that was read, the run's own first. */
export function evidenceOf(run: RunView): FileDigest[] {
  return [run.log, ...run.scenarios.flatMap((s) => [...s.earlier, s].flatMap((t) => t.contents?.log ?? []))]
}

function scenarioJson(s: ScenarioView): ScenarioJson {
  const { trouble } = s.record
  return {
    id: s.id,
    title: s.header?.title ?? null,
    ended: s.contents === undefined ? 'not run' : (s.end?.outcome ?? 'cut short'),
    why: trouble?.why ?? null,
    blame: trouble?.blame ?? null,
    log: s.contents?.log.file ?? null,
    traceHash: s.end?.world.traceHash ?? null,
    escapes: s.end?.world.escapes.length ?? 0,
    clock: s.contents?.clock ?? null,
    earlier: s.earlier.map((e) => ({ log: e.contents?.log.file ?? null, why: e.step?.again ?? '' })),
    checks: s.checks.map((c) => checkJson(c, s)),
  }
}

function checkJson(c: CheckView, s: ScenarioView): CheckJson {
  const { verdict, blame, why, observed, because } = c.result
  return {
    id: c.id,
    verifies: c.verifies,
    limit: c.limit,
    verdict,
    blame: blame ?? null,
    why: why ?? null,
    beforehand: c.beforehand,
    observed,
    evidence: {
      file: s.contents?.log.file ?? null,
      sha256: s.contents?.log.sha256 ?? null,
      seq: c.seq ?? null,
      because,
    },
  }
}
