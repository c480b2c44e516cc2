/**
 * The shapes of what a log says of itself, checked before a report believes them: a log is a file, and may hold
 * anything. They mirror bench/evidence/schema.ts; the types at the end keep the two from drifting apart.
 */
import { z } from 'zod'
import { eventKinds } from '../../bench/evidence/kinds.ts'
import type { Json } from '../../drivers/faces.ts'
import type { Event, Result, Series } from '../../bench/faces.ts'
import type {
  CheckEvent,
  ClockNote,
  DefectNote,
  RunEnd,
  RunHeader,
  ScenarioEnd,
  ScenarioHeader,
  ScenarioStep,
} from '../../bench/evidence/schema.ts'

const json = z.custom<Json>((v) => v !== undefined)
const blame = z.enum(['product', 'bench', 'rig', 'operator'])
const kind = z.enum(eventKinds)

const subject = z.object({
  kind: z.enum(['reference', 'real']),
  maker: z.string(),
  product: z.string(),
  version: z.string(),
  model: z.string().exactOptional(),
  serial: z.string().exactOptional(),
  digest: z.string().exactOptional(),
  images: z.record(z.string(), z.string()).exactOptional(),
})

const identity = z.object({
  operator: z.string().exactOptional(),
  site: z.string().exactOptional(),
  instruments: z
    .array(
      z.object({
        name: z.string(),
        serial: z.string().exactOptional(),
        calibration: z.string().exactOptional(),
      }),
    )
    .exactOptional(),
})

export const runHeader = z.object({
  format: z.literal('gridproof-run/1'),
  id: z.string(),
  rig: z.string(),
  seed: z.number(),
  short: z.boolean(),
  commit: z.string(),
  node: z.string(),
  bench: z.string(),
  started: z.string(),
  scenarios: z.array(z.string()),
  verifies: z.record(z.string(), z.array(z.string())),
  subject,
  identity: identity.exactOptional(),
  revisions: z.record(z.string(), z.string()).exactOptional(),
})

export const scenarioHeader = z.object({
  format: z.literal('gridproof-scenario/1'),
  scenario: z.string(),
  title: z.string(),
  verifies: z.array(z.string()),
  sha256: z.string(),
  rig: z.string(),
  seed: z.number(),
  commit: z.string(),
  node: z.string(),
  time: z.enum(['virtual', 'real']),
  started: z.string(),
  horizonMs: z.number(),
  fullHorizonMs: z.number(),
  subject,
  identity: identity.exactOptional(),
  played: z.record(z.string(), z.string()),
  defects: z.array(z.string()),
})

const worldReport = z.object({
  time: z.enum(['virtual', 'real']),
  traceHash: z.string().exactOptional(),
  untraced: z.string().exactOptional(),
  traceEvents: z.number().exactOptional(),
  escapes: z.array(z.object({ what: z.string(), where: z.string() })),
  stolen: z.number().exactOptional(),
  stalledMs: z.number().exactOptional(),
})

export const scenarioEnd = z.object({
  outcome: z.enum(['finished', 'aborted', 'broke']),
  blame: blame.exactOptional(),
  why: z.string().exactOptional(),
  world: worldReport,
  wallMs: z.number(),
  cpuMs: z.number(),
})

export const scenarioStep = z.object({
  scenario: z.string(),
  file: z.string(),
  sha256: z.string().exactOptional(),
  outcome: z.enum(['finished', 'aborted', 'broke', 'not run']).exactOptional(),
  why: z.string().exactOptional(),
  blame: blame.exactOptional(),
  attempt: z.number().exactOptional(),
  again: z.string().exactOptional(),
})

export const runEnd = z.object({
  outcome: z.enum(['finished', 'aborted']),
  wallMs: z.number(),
  exitCode: z.number(),
})

export const defectNote = z.object({
  defect: z.string(),
  phase: z.enum(['applied', 'reached']),
  proc: z.string(),
})

export const clockNote = z.object({ offsetMs: z.number(), uncertaintyMs: z.number() })

export const series = z.object({ src: z.string(), kind, select: z.string() })

export const declared = z.object({
  phase: z.literal('declared'),
  id: z.string(),
  verifies: z.array(z.string()),
  limit: z.string(),
  least: z.number().exactOptional(),
  over: series.exactOptional(),
})

export type Declared = z.infer<typeof declared>

export const result = z.object({
  verdict: z.enum(['pass', 'marginal', 'inconclusive', 'fail']),
  blame: blame.exactOptional(),
  why: z.string().exactOptional(),
  observed: json,
  because: z.array(z.number()),
})

export const judged = z.object({
  phase: z.literal('judged'),
  id: z.string(),
  result,
  beforehand: z.literal(true).exactOptional(),
})

/** One line of a log, as far as every event has it. */
export const event = z.object({
  seq: z.number(),
  at: z.number(),
  src: z.string(),
  kind,
  stamp: z.number().exactOptional(),
  cause: z.number().exactOptional(),
  data: json,
})

/** Each line stops compiling when a shape no longer gives what the bench's own type promises. */
export type Held = [
  Fits<z.infer<typeof runHeader>, RunHeader>,
  Fits<z.infer<typeof scenarioHeader>, ScenarioHeader>,
  Fits<z.infer<typeof scenarioEnd>, ScenarioEnd>,
  Fits<z.infer<typeof scenarioStep>, ScenarioStep>,
  Fits<z.infer<typeof runEnd>, RunEnd>,
  Fits<z.infer<typeof defectNote>, DefectNote>,
  Fits<z.infer<typeof clockNote>, ClockNote>,
  Fits<z.infer<typeof series>, Series>,
  Fits<z.infer<typeof declared>, CheckEvent>,
  Fits<z.infer<typeof judged>, CheckEvent>,
  Fits<z.infer<typeof result>, Result>,
  Fits<z.infer<typeof event>, Event>,
]
type Fits<A extends B, B> = A
