/**
 * `npm run perf`: how fast the bench is, in figures that a noisy machine cannot spoil: simulated seconds for each
 * second of CPU, and ratios to a peer in the same run. Exit code 1 where a bar is missed.
 */
import { measureModbus } from '../../drivers/protocols/modbus/perf.ts'
import { measureVirtualTime, speedBar } from '../../drivers/virtual/perf.ts'
import { realSeries, scorePredictor } from './predictor.ts'
import { helpBarMs, measureHelp } from './start-up.ts'

/** Our Modbus slave beside a small libmodbus C server: at least this share of its rate at 10 clients. Ours. */
const modbusBar = 0.9
/** Seconds for all rolling days of the real series. Ours. */
const predictorBarS = 30
/** Rounds of the Modbus measurement: a disturbed one does not move the median. */
const rounds = 7

const only = new Set(process.argv.slice(2))
const wanted = (name: string): boolean => only.size === 0 || only.has(name)
let missed = 0

function verdict(name: string, ok: boolean, text: string): void {
  if (!ok) missed++
  process.stdout.write(`${ok ? '✓' : '✗'} ${name}: ${text}\n`)
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
process.exitCode = missed > 0 ? 1 : 0
