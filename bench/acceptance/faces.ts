/** What an acceptance is made of, and what it says. Data only; acceptance.json is an `Acceptance`. */
import type { Blame, VerdictWord } from '../faces.ts'
import type { RunEnd, RunHeader, Subject } from '../evidence/schema.ts'
import type { ScenarioRecord } from '../verdicts/record.ts'
import type { State } from '../verdicts/rollup.ts'
import type { PersonRecord, RecordVerdict } from './record.ts'

/** From best to worst. A requirement is as bad as the worst of its clauses. */
export const acceptStates = [
  'information',
  'pass',
  'marginal',
  'waived',
  'played by the bench',
  'by person',
  'uncovered',
  'outdated',
  'not run',
  'inconclusive',
  'fail',
] as const satisfies readonly (State | 'waived' | 'outdated')[]

/**
 * As a run's states, and: `waived`: not met or not judged, and somebody has taken that upon himself, with a reason;
 * never a pass. `outdated`: what there is was seen on another revision of the subject, the requirement or the scenario.
 */
export type AcceptState = (typeof acceptStates)[number]

/** A run as the merge takes it: read and checked already. */
export interface RunInput {
  readonly id: string
  /** Its folder in the acceptance: `runs/<id>`. */
  readonly folder: string
  readonly header?: RunHeader
  readonly end?: RunEnd
  /** What is wrong with its log. */
  readonly problems: readonly string[]
  readonly scenarios: readonly ScenarioInput[]
}

export interface ScenarioInput {
  /** As the run names it; with several seeds `@<seed>` follows. */
  readonly id: string
  readonly record: ScenarioRecord
  /** Path of its log in the run's folder. */
  readonly log?: string
  readonly sha256?: string
  /** What is wrong with its evidence. */
  readonly problems: readonly string[]
}

export interface RecordInput {
  readonly id: string
  /** Its folder in the acceptance: `records/<id>`. */
  readonly folder: string
  readonly record: PersonRecord
  readonly problems: readonly string[]
}

/** One thing that was seen of a clause: a check of a run, or a person's record. */
export type Evidence = CheckEvidence | PersonEvidence

export interface CheckEvidence {
  readonly by: 'check'
  readonly run: string
  readonly scenario: string
  readonly check: string
  readonly rig: string
  readonly seed: number
  readonly verdict: VerdictWord
  readonly blame?: Blame
  readonly why?: string
  /** When the run began, ISO 8601 UTC. */
  readonly at: string
  /** Its log below the acceptance's folder, and the line of the verdict. */
  readonly log?: string
  readonly seq?: number
}

export interface PersonEvidence {
  readonly by: 'person'
  readonly record: string
  readonly name: string
  readonly verdict: RecordVerdict
  readonly note: string
  readonly at: string
  readonly attachments: readonly { readonly name: string; readonly file: string; readonly sha256: string }[]
}

export interface OutdatedEvidence {
  readonly evidence: Evidence
  readonly why: string
}

export interface AcceptedClause {
  /** `M:0022/voltage` */
  readonly ref: string
  readonly asks: string
  readonly subject: string
  readonly method: string
  readonly state: AcceptState
  readonly blame?: Blame
  readonly why?: string
  /** Where it is waived: what it would read without. */
  readonly without?: State | 'outdated'
  /** What decided it. */
  readonly decidedBy: readonly Evidence[]
  /** Valid evidence that says otherwise: it failed here and passed there, on the same revisions. */
  readonly against: readonly Evidence[]
  readonly waiver?: PersonEvidence
  readonly outdated: readonly OutdatedEvidence[]
}

export interface AcceptedRequirement {
  readonly id: string
  readonly document: string
  readonly documentTitle: string
  readonly section: string
  readonly priority: string
  readonly statement: string
  readonly ours: boolean
  readonly state: AcceptState
  readonly blame?: Blame
  readonly why?: string
  readonly clauses: readonly AcceptedClause[]
}

/** Something that was handed in and does not count at all. */
export interface NotCounted {
  readonly what: string
  readonly why: string
}

export interface Acceptance {
  readonly format: 'gridproof-acceptance/1'
  /** Wall clock, ISO 8601 UTC. */
  readonly made: string
  readonly bench: string
  readonly commit: string
  /** Digest of the whole catalogue. */
  readonly catalogue: string
  readonly subject: Subject | null
  readonly state: AcceptState
  readonly sentence: string
  readonly counts: { readonly numbered: AcceptCounts; readonly ours: AcceptCounts }
  readonly requirements: readonly AcceptedRequirement[]
  readonly runs: readonly {
    readonly id: string
    readonly folder: string
    readonly rig: string
    readonly started: string
    readonly commit: string
    readonly scenarios: number
    readonly counts: boolean
  }[]
  readonly records: readonly {
    readonly id: string
    readonly folder: string
    readonly record: PersonRecord
    readonly counts: boolean
  }[]
  readonly notCounted: readonly NotCounted[]
}

export interface AcceptCounts {
  readonly all: number
  readonly by: Readonly<Record<AcceptState, number>>
}
