/**
 * `npm run perf`: how fast the bench is, in figures that a noisy machine cannot spoil: simulated seconds for each
 * second of CPU, and ratios to a peer in the same run. Exit code 1 where a bar is missed.
 */
import { measureModbus } from '../../drivers/protocols/modbus/perf.ts'
import { measureVirtualTime, speedBar } from '../../drivers/virtual/perf.ts'
import { measureCuts, measureExplore, remountBarMs, statesBar } from './disk.ts'
import { latenessBarMs, measureFleet } from './fleet.ts'
import { measureYear } from './grid.ts'
import { measureHan } from './han.ts'
import { addedBarUs, lateBarMs, measureLink, rateBar } from './link.ts'
import { measurePairDay, pairGoalS } from './pair.ts'
import { byteGoalMs, frameEndGoalMs, measureBytes, measureFrameEnds } from './pacing.ts'
import type { Pacing } from './pacing.ts'
import { realSeries, scorePredictor } from './predictor.ts'
import { helpBarMs, measureHelp } from './start-up.ts'

/** Our Modbus slave beside a small libmodbus C server: at least this share of its rate at 10 clients. Ours. */
const modbusBar = 0.9
/** Seconds for all rolling days of the real series. Ours. */
const predictorBarS = 30
/** Rounds of the Modbus measurement: a disturbed one does not move the median. */
const rounds = 7

/** Frames built, and read, for each second of CPU. Ours. */
const frameRateBar = 10_000
/** What the calmest 2 s of the fleet may have waited for a core, ms, to be judged. Ours. */
const calmFleetMs = 20
/** Fewer frame ends, and fewer bytes, say nothing of a p99. Ours. */
const calmFrames = 100
const calmBytes = 250
/** Fewer cuts say nothing of a p99; of its time, what the explorer may have waited for a core. Ours. */
const calmCuts = 100
const calmExploreShare = 0.1
/** Of one core, what other work may have taken while the link was measured. Ours. */
const calmLinkShare = 0.1

const only = new Set(process.argv.slice(2))
const wanted = (name: string): boolean => only.size === 0 || only.has(name)
let missed = 0

function verdict(name: string, ok: boolean, text: string): void {
  if (!ok) missed++
  process.stdout.write(`${ok ? '✓' : '✗'} ${name}: ${text}\n`)
}

/** Of time on the wall, which a machine with other work spoils: then it is printed and not judged. */
function timing(name: string, calm: boolean, ok: boolean, text: string): void {
  if (calm) verdict(name, ok, text)
  else process.stdout.write(`– ${name}: not judged, for the machine had other work: ${text}\n`)
}

if (wanted('start-up')) {
  const h = measureHelp()
  verdict(
    'start-up',
    h.ms <= helpBarMs,
    `gridproof --help takes ${h.ms.toFixed(0)} ms (bar ${helpBarMs}), the best of ${h.runs}; Node alone ${h.nodeMs.toFixed(0)} ms`,
  )
}

if (wanted('virtual-time')) {
  const v = await measureVirtualTime({ hours: 24 })
  verdict(
    'virtual time',
    v.perCpuSecond >= speedBar,
    `${Math.round(v.perCpuSecond)} simulated seconds per CPU second on the reference load (bar ${speedBar}); ` +
      `24 h took ${v.wallSeconds.toFixed(1)} s of wall time: ${v.published} publications, ${v.delivered} deliveries, ` +
      `${v.rows} rows, ${v.reads} Modbus reads`,
  )
}

if (wanted('grid')) {
  const y = measureYear()
  process.stdout.write(
    `– network of a pair: a year at 10 min steps, ${y.steps} steps of both substations, took ${y.seconds.toFixed(1)} s; ` +
      `hottest spot ${y.hottest.toFixed(1)} °C\n`,
  )
}

if (wanted('pair')) {
  for (const rate of [60, 10] as const) {
    const p = measurePairDay(rate)
    process.stdout.write(
      `– day of a pair, breakers read every ${rate} s: two platforms with all apps, six breakers and the network took ` +
        `${p.wall.toFixed(1)} s (${p.cpu.toFixed(1)} s of CPU${rate === 60 ? `; goal ${pairGoalS} s` : ', as fielded'}), ${p.events} events\n`,
    )
  }
}

if (wanted('modbus')) {
  const m = await measureModbus({
    clients: 10,
    rounds,
    print: (line) => void process.stdout.write(`  ${line}\n`),
  })
  if ('skipped' in m) process.stdout.write(`– Modbus slave: not measured, ${m.skipped}\n`)
  else
    verdict(
      'Modbus slave',
      m.ratio >= modbusBar,
      `${m.ratio.toFixed(2)} of libmodbus at ${m.clients} clients (bar ${modbusBar}): ` +
        `${Math.round(m.ours.requestsPerSecond)} against ${Math.round(m.peer.requestsPerSecond)} requests/s, ` +
        `p99 ${m.ours.p99} against ${m.peer.p99} µs`,
    )
}

if (wanted('predictor')) {
  const series = realSeries()
  if (typeof series === 'string') process.stdout.write(`– predictor: not measured, ${series}\n`)
  else {
    const began = performance.now()
    const s = scorePredictor(series, 1)
    const seconds = (performance.now() - began) / 1000
    const text = (e: { mape: number; ofSum: number }): string =>
      `${(100 * e.mape).toFixed(2)} % (${(100 * e.ofSum).toFixed(2)} %)`
    verdict(
      'predictor',
      s.predictor.mape <= s.lastWeek.mape &&
        s.predictor.ofSum <= s.lastWeek.ofSum &&
        seconds <= predictorBarS,
      `off by ${text(s.predictor)}, last week by ${text(s.lastWeek)} (bar), yesterday by ${text(s.yesterday)}: ` +
        `MAPE (and sum of |e| over sum of a) of ${s.judged} rolling days in ${seconds.toFixed(1)} s ` +
        `(bar ${predictorBarS}); ${s.zeros} left out for zeros, ${s.notValid} not valid`,
    )
  }
}

if (wanted('han')) {
  const rates = measureHan()
  verdict(
    'meter frames',
    rates.every((r) => r.encoded >= frameRateBar && r.decoded >= frameRateBar),
    `${rates.map((r) => `${r.name} (${r.bytes} bytes) ${Math.round(r.encoded)} built and ${Math.round(r.decoded)} read`).join(', ')} for each second of CPU (bar ${frameRateBar})`,
  )
}

if (wanted('fleet')) {
  const meters = 10_000
  const { windows, calmest } = await measureFleet(meters, 8)
  const cpu = windows.reduce((s, w) => s + w.cpu, 0) / windows.length
  const held = Math.round(meters / cpu)
  verdict(
    'fleet',
    held >= meters && windows.every((w) => w.figures.connected === meters && w.figures.untaken === 0),
    `${meters} meters over TCP take ${(100 * cpu).toFixed(0)} % of a core: one core holds ${held} (bar ${meters})`,
  )
  const { lateness, lists } = calmest.figures
  const waited = calmest.waitedMs
  timing(
    'lateness of the fleet',
    waited !== undefined && waited <= calmFleetMs,
    lateness.p99 <= latenessBarMs,
    `p99 ${lateness.p99.toFixed(1)} ms (goal ${latenessBarMs}), half of them ${lateness.p50.toFixed(1)} ms, of ${lists} lists in the calmest 2 s, ` +
      `in which it waited ${waited === undefined ? 'nobody knows how long' : `${waited.toFixed(0)} ms`} for a core`,
  )
}

if (wanted('pacing')) {
  const text = (p: Pacing): string =>
    p.count === 0
      ? 'none'
      : `${p.count}: p50 ${p.p50.toFixed(2)}, p99 ${p.p99.toFixed(2)}, most ${p.most.toFixed(2)} ms`
  for (const [name, goal, enough, r] of [
    ['frame ends at 2400 8E1 on ptys', frameEndGoalMs, calmFrames, await measureFrameEnds(12_000)],
    ['bytes one by one on a pty', byteGoalMs, calmBytes, await measureBytes(10_000)],
  ] as const) {
    if ('lacks' in r) process.stdout.write(`– ${name}: not measured, ${r.lacks}\n`)
    else
      timing(
        name,
        r.calm.count >= enough,
        r.calm.p99 <= goal,
        `late by (goal p99 ${goal} ms) ${text(r.calm)} while it had a core at once; in all ${text(r.all)}`,
      )
  }
}

if (wanted('disk')) {
  for (const [name, cached] of [
    ['power back at a disk', false],
    ['power back at a disk with a write cache', true],
  ] as const) {
    const r = measureCuts(cached, 200)
    if ('lacks' in r) process.stdout.write(`– ${name}: not measured, ${r.lacks}\n`)
    else
      timing(
        name,
        r.calm.count >= calmCuts,
        r.calm.p99 <= remountBarMs,
        `cut and mounted again in p50 ${r.calm.p50.toFixed(1)}, p99 ${r.calm.p99.toFixed(1)} ms (bar ${remountBarMs}), of the ${r.calm.count} ` +
          `of ${r.all.count} in which it had a core at once; of all p99 ${r.all.p99.toFixed(1)}`,
      )
  }
  const e = await measureExplore(200)
  if ('lacks' in e) process.stdout.write(`– crash states: not measured, ${e.lacks}\n`)
  else
    timing(
      'crash states',
      // An alarm is no matter of time.
      e.alarms > 0 || (e.waited !== undefined && e.waited <= calmExploreShare),
      e.perSecond >= statesBar && e.alarms === 0,
      `${e.perSecond.toFixed(1)} states a second of '${e.subject}' (bar ${statesBar}), ${e.alarms} alarms in ${e.states}; it waited ` +
        `${e.waited === undefined ? 'nobody knows how long' : `${(100 * e.waited).toFixed(0)} % of that time`} for a core`,
    )
}

if (wanted('link')) {
  const l = await measureLink()
  const { othersMs } = l
  const calm = othersMs !== undefined && othersMs <= calmLinkShare * l.tookMs
  verdict(
    'an injected delay is never short',
    l.shortestMs >= 100,
    `the shortest of ${l.trips} round trips through 2 x 50 ms took ${l.shortestMs.toFixed(3)} ms`,
  )
  timing(
    'lateness of an injected delay',
    calm,
    l.lateMs <= lateBarMs,
    `p99 ${l.lateMs.toFixed(2)} ms (goal ${lateBarMs})`,
  )
  const others = `other work took ${othersMs === undefined ? 'nobody knows how much' : `${((100 * othersMs) / l.tookMs).toFixed(1)} %`} of a core`
  timing(
    'round trip through the link',
    calm,
    l.addedUs <= addedBarUs,
    `p50 ${l.linkUs.toFixed(0)} µs, direct ${l.directUs.toFixed(0)} µs in the same run: ${l.addedUs.toFixed(0)} µs more (goal ${addedBarUs}); ${others}`,
  )
  timing(
    'rate through the link',
    calm,
    l.linkRate >= rateBar,
    `${l.linkRate.toFixed(0)} MiB/s on one connection (goal ${rateBar}), direct ${l.directRate.toFixed(0)}`,
  )
}
process.exitCode = missed > 0 ? 1 : 0
