/** Writes a run's folder as the bench would, for tests of reports: small, made up, the same each time. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createHash } from 'node:crypto'
import { dirname, join } from 'node:path'
import type { Json } from '../../drivers/faces.ts'
import type { Kind, Result } from '../../bench/faces.ts'
import type {
  RunHeader,
  ScenarioEnd,
  ScenarioHeader,
  ScenarioStep,
  Subject,
} from '../../bench/evidence/schema.ts'

/** 14 January 2026, 00:00 UTC. */
export const begin = Date.UTC(2026, 0, 14)
const minute = 60_000

export const subject: Subject = {
  kind: 'reference',
  maker: 'Gridproof',
  product: 'LV-CAP reference platform',
  version: '0.1.0',
  digest: '4b1d6c0e8f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7081920a1b',
}

/** Lines of a log, numbered as they come. */
export class LogText {
  readonly lines: string[] = []

  add(
    at: number,
    src: string,
    kind: Kind,
    data: Json | object,
    more: { stamp?: number; cause?: number } = {},
  ): number {
    const seq = this.lines.length + 1
    this.lines.push(JSON.stringify({ seq, at, src, kind, ...more, data }))
    return seq
  }

  text(): string {
    return this.lines.map((l) => `${l}\n`).join('')
  }
}

export function runHeader(scenarios: readonly string[], more: Partial<RunHeader> = {}): RunHeader {
  return {
    format: 'gridproof-run/1',
    id: '2026-01-14T00-00-00-virtual-1',
    rig: 'virtual',
    seed: 1,
    short: false,
    commit: '614fed8a0b1c2d3e4f5061728394a5b6c7d8e9f0',
    node: '24.21.0',
    bench: '0.1.0',
    started: '2026-02-03T09:14:07.000Z',
    scenarios,
    verifies: Object.fromEntries(scenarios.map((s) => [s, ['M:0023']])),
    subject,
    ...more,
  }
}

export function scenarioHeader(scenario: string, more: Partial<ScenarioHeader> = {}): ScenarioHeader {
  return {
    format: 'gridproof-scenario/1',
    scenario,
    title: scenario,
    verifies: ['M:0023'],
    sha256: createHash('sha256').update(scenario).digest('hex'),
    rig: 'virtual',
    seed: 1,
    commit: '614fed8a0b1c2d3e4f5061728394a5b6c7d8e9f0',
    node: '24.21.0',
    time: 'virtual',
    started: '2026-02-03T09:14:07.000Z',
    horizonMs: 86_400_000,
    fullHorizonMs: 86_400_000,
    subject,
    played: { gridkey: 'personality gridkey-standin' },
    defects: [],
    ...more,
  }
}

export function scenarioEnd(more: Partial<ScenarioEnd> = {}): ScenarioEnd {
  return {
    outcome: 'finished',
    world: {
      time: 'virtual',
      traceHash: createHash('sha256').update('trace').digest('hex'),
      traceEvents: 1_204_118,
      escapes: [],
    },
    wallMs: 16_420,
    cpuMs: 15_990,
    ...more,
  }
}

export function declared(
  log: LogText,
  at: number,
  id: string,
  verifies: readonly string[],
  limit: string,
  over?: string,
) {
  const series = over === undefined ? {} : { over: { src: 'marketplace', kind: 'seen', select: over } }
  log.add(at, 'bench', 'check', { phase: 'declared', id, verifies, limit, ...series })
}

export function judged(log: LogText, at: number, id: string, result: Result): void {
  log.add(at, 'bench', 'check', { phase: 'judged', id, result })
}

/** Writes a log under the run's folder and returns its step for the run's log. */
export function writeScenario(folder: string, scenario: string, log: LogText | string): ScenarioStep {
  const file = `data/${scenario.replaceAll('/', '.')}.jsonl`
  const text = typeof log === 'string' ? log : log.text()
  mkdirSync(dirname(join(folder, file)), { recursive: true })
  writeFileSync(join(folder, file), text)
  return { scenario, file, sha256: createHash('sha256').update(text).digest('hex'), outcome: 'finished' }
}

export function writeRun(
  folder: string,
  header: RunHeader,
  steps: readonly ScenarioStep[],
  ended = true,
): void {
  const log = new LogText()
  const at = Date.parse(header.started)
  log.add(at, 'bench', 'run', header)
  for (const detail of steps) {
    log.add(at, 'bench', 'step', {
      what: 'scenario begins',
      detail: { scenario: detail.scenario, file: detail.file },
    })
    log.add(at + 16_000, 'bench', 'step', { what: 'scenario ended', detail })
  }
  if (ended) log.add(at + 31_000, 'bench', 'end', { outcome: 'finished', wallMs: 31_000, exitCode: 1 })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'log.jsonl'), log.text())
}

const quantities: readonly (readonly [name: string, unit: string, base: number, swing: number])[] = [
  ['busbar.l1n.voltage', 'V', 243, 3],
  ['busbar.l2n.voltage', 'V', 241, 3],
  ['busbar.l3n.voltage', 'V', 242, 3],
  ['busbar.frequency', 'Hz', 50, 0.03],
  ...[1, 2, 3, 4, 5].flatMap((f) =>
    [1, 2, 3].flatMap((p): (readonly [string, string, number, number])[] => [
      [`feeder${f}.l${p}.current`, 'A', 60 + 18 * f, 40],
      [`feeder${f}.l${p}.power_factor`, '1', 0.96, 0.02],
      [`feeder${f}.l${p}.real_power`, 'W', 14_000 + 4_000 * f, 9_000],
    ]),
  ),
]

/** A winter day's shape, 0 to 1: low at night, high at breakfast and supper. */
function shape(minuteOfDay: number, phase: number): number {
  const h = minuteOfDay / 60 + phase
  const bump = (at: number, width: number): number => Math.exp(-(((h - at) / width) ** 2))
  return 0.25 * bump(7.6, 1.6) + 0.65 * bump(18.2, 2.4) + 0.12 * bump(13, 4)
}

/** Noise that is the same each time: a hash of where it stands. */
export function noise(n: number): number {
  const x = Math.sin(n * 12.9898) * 43_758.5453
  return x - Math.floor(x) - 0.5
}

/**
 * A day of feeder readings each minute. One channel lacks two readings at 06:13 and comes late at 14:00 when
 * `broken`; the rest is whole.
 */
export function feederDay(scenario: string, broken: boolean, minutes = 1440): LogText {
  const log = new LogText()
  const title = 'Feeder readings arrive once a minute for as long as anyone watches'
  log.add(begin, 'bench', 'run', scenarioHeader(scenario, { title, verifies: ['M:0022', 'M:0023'] }))
  declared(
    log,
    begin,
    'spacing',
    ['M:0023'],
    'every 60 s ±6 s, mean within 0.1 %, each of 49 channels',
    'gridkey.*',
  )
  declared(
    log,
    begin,
    'values',
    ['M:0022'],
    'within the accuracy of gridkey, at the moment it answered',
    'gridkey.*',
  )
  log.add(begin, 'bench', 'step', {
    what: 'gridkey follows a profile',
    detail: { profile: 'winter-weekday' },
  })
  const gap: number[] = []
  for (let m = 0; m < minutes; m++) {
    const at = begin + m * minute + 4000
    if (broken && m === 370)
      log.add(at - 500, 'link', 'fault', { phase: 'on', id: 'f1', name: 'drop', params: { share: 0.02 } })
    if (broken && m === 380)
      log.add(at - 500, 'link', 'fault', { phase: 'lifted', id: 'f1', name: 'drop', params: { share: 0.02 } })
    const answers: Record<string, [number, number]> = {}
    for (const [i, [name, unit, base, swing]] of quantities.entries()) {
      const true_ = base + swing * (shape(m, i * 0.05) * 2 - 0.6) + swing * 0.06 * noise(m * 97 + i)
      answers[`${name} [${unit}]`] = [
        Number((true_ + swing * 0.004 * noise(m + i)).toFixed(3)),
        Number(true_.toFixed(4)),
      ]
    }
    const said = log.add(at, 'gridkey', 'said', { answers })
    for (const [name, unit] of quantities) {
      const lost = broken && name === 'feeder3.l2.current' && (m === 373 || m === 374)
      if (lost) continue
      const late = broken && name === 'feeder3.l2.current' && m === 840 ? 75_000 : 0
      const [answered] = answers[`${name} [${unit}]`] ?? [0]
      const seq = log.add(
        at + 210 + late,
        'marketplace',
        'seen',
        {
          alias: `gridkey.${name}`,
          topic: `sensor/data/gridkey_00/${name.replaceAll('.', '/')}`,
          payload: { Timestamp: Math.floor(at / 1000), Value: answered, Valid: true, ToStore: true },
          qos: 1,
        },
        { cause: said, stamp: at },
      )
      if (broken && name === 'feeder3.l2.current' && (m === 372 || m === 375)) gap.push(seq)
    }
  }
  const end = begin + minutes * minute
  const observed = {
    'channels [1]': 49,
    'messages [1]': minutes * 49,
    'longest gap [s]': 60.21,
    'shortest gap [s]': 59.79,
  }
  judged(
    log,
    end,
    'spacing',
    broken
      ? {
          verdict: 'fail',
          blame: 'product',
          why: 'gridkey.feeder3.l2.current: 3 min between two messages, 6 h 15 min into the watch (limit 66 s) (in all: 1 lost, 1 late)',
          observed: { ...observed, 'longest gap [s]': 180, lost: 1, late: 1 },
          because: gap,
        }
      : { verdict: 'pass', observed, because: [5] },
  )
  judged(log, end, 'values', {
    verdict: 'pass',
    observed: { 'values compared [1]': minutes * 49, 'worst share of accuracy [%]': 41.7 },
    because: [30],
  })
  log.add(end, 'bench', 'end', scenarioEnd())
  return log
}

/** Strangers at the door: one is let in when `broken`. */
export function strangers(scenario: string): LogText {
  const log = new LogText()
  const title = 'The marketplace lets in nobody without a certificate of its own'
  log.add(
    begin,
    'bench',
    'run',
    scenarioHeader(scenario, { title, verifies: ['M:0010'], horizonMs: 120_000, fullHorizonMs: 120_000 }),
  )
  declared(log, begin, 'door', ['M:0010'], 'each attempt refused before anything is delivered')
  const seqs: number[] = []
  for (const [i, name] of ['expired', 'foreign-ca', 'not-yet-valid', 'self-signed', 'plain-tcp'].entries()) {
    const at = begin + i * 10_000
    const sent = log.add(at, 'intruder', 'sent', { name, identity: name })
    seqs.push(
      log.add(
        at + 180,
        'intruder',
        'seen',
        { alias: `intruder.${name}`, payload: { admitted: false, how: 'tls alert' } },
        { cause: sent },
      ),
    )
  }
  judged(log, begin + 60_000, 'door', {
    verdict: 'pass',
    observed: { 'attempts [1]': 5, 'admitted [1]': 0 },
    because: seqs,
  })
  log.add(begin + 60_000, 'bench', 'end', scenarioEnd({ wallMs: 840, cpuMs: 800 }))
  return log
}

/** A short run that cannot judge a soak, and one check that the rig cannot observe. */
export function tooShort(scenario: string): LogText {
  const log = new LogText()
  log.add(
    begin,
    'bench',
    'run',
    scenarioHeader(scenario, {
      title: 'Readings every ten seconds for an hour',
      verifies: ['M:0024'],
      horizonMs: 600_000,
      fullHorizonMs: 3_600_000,
    }),
  )
  declared(log, begin, 'spacing', ['M:0024'], 'every 10 s ±1 s, mean within 0.1 %', 'thermocouple.*')
  for (let i = 0; i < 60; i++) {
    const at = begin + i * 10_000
    const said = log.add(at, 'thermocouple', 'said', {
      answers: { 'top_oil.temperature [°C]': [52.1 + i * 0.02, 52.1 + i * 0.02] },
    })
    const payload = {
      Timestamp: Math.floor(at / 1000),
      Value: Number((52.1 + i * 0.02).toFixed(1)),
      Valid: true,
    }
    log.add(
      at + 300,
      'marketplace',
      'seen',
      { alias: 'thermocouple.top_oil.temperature', payload },
      { cause: said },
    )
  }
  log.add(begin + 600_000, 'bench', 'check', {
    phase: 'judged',
    id: 'spacing',
    beforehand: true,
    result: {
      verdict: 'inconclusive',
      blame: 'rig',
      why: 'needs 1 h, this run has 10 min',
      observed: { 'messages [1]': 60, 'longest gap [s]': 10 },
      because: [4],
    } satisfies Result,
  })
  log.add(begin + 600_000, 'bench', 'end', scenarioEnd({ wallMs: 410, cpuMs: 400 }))
  return log
}

/** A whole run: a failure, passes, one too short to judge, one that broke, one that never ran. */
export function sampleRun(folder: string): void {
  const ids = [
    'capture/gridkey-every-minute',
    'capture/ten-second-burst',
    'security/strangers-at-the-door',
    'storage/survives-a-cut',
    'upload/daily-file',
  ]
  const [minuteId = '', burst = '', door = '', cut = ''] = ids
  const torn = feederDay(cut, false, 30).text()
  const steps: ScenarioStep[] = [
    writeScenario(folder, minuteId, feederDay(minuteId, true)),
    writeScenario(folder, burst, tooShort(burst)),
    writeScenario(folder, door, strangers(door)),
    {
      ...writeScenario(folder, cut, torn.slice(0, Math.floor(torn.length * 0.8))),
      outcome: 'broke',
      blame: 'rig',
      why: 'the disk image of host substation could not be mounted',
    },
  ]
  const verifies = {
    [minuteId]: ['M:0022', 'M:0023'],
    [burst]: ['M:0024'],
    [door]: ['M:0010'],
    [cut]: ['M:0022'],
    'upload/daily-file': ['M:0041'],
  }
  writeRun(folder, runHeader(ids, { verifies }), steps)
}
