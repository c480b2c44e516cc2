/**
 * An hour in which anything may happen, drawn by the seed: LoadSense is told of evenings that need a mesh and of calm
 * nights, breakers lie, stick, trip, reclose, are operated by hand and locked off, their line fails, faults come in the
 * cable, high voltage goes, the meshing app and LoadSense are restarted. Whatever happens, no breaker is commanded but by
 * LoadSense, and on record. `npm run always` plays it with a thousand seeds.
 */
import { commandedOnRecord, scenario } from '../../bench/index.ts'
import type { Advice } from '../../bench/index.ts'
import { calm, evening, quick, roomy } from './_rows.ts'

const phases = ['l1', 'l2', 'l3'] as const

export default scenario({
  title: 'Whatever happens in a busy hour, no breaker is commanded but by LoadSense, and on record',
  verifies: ['M:0035/obeys-loadsense', 'M:0031/mesh-recorded', 'M:0031/break-recorded', 'I:0077'],
  needs: ['platform', 'alvin', 'alvin2', 'network', 'advisers'],
  catches: {
    'meshing-app/repeats-at-restart': 'M:0035/obeys-loadsense',
    'meshing-app/no-record-of-closings': 'M:0031/mesh-recorded',
    'meshing-app/no-record-of-openings': 'M:0031/break-recorded',
  },
  horizon: '1 h',
  short: '85 s',
  prove: '2 min',
  async run({ platform, alvin, alvin2, network, advisers, time, note, check, random }) {
    const draw = (stream: string, least: number, most: number): number =>
      least + (most - least) * random(stream)
    const one = <T>(stream: string, of: readonly [T, ...T[]]): T =>
      of[Math.floor(random(stream) * of.length)] ?? of[0]
    check(
      commandedOnRecord(
        platform.watch('marketplace', 'loadsense.control.*'),
        platform.watch('marketplace', 'meshing.operation.*'),
        {
          id: 'always',
          side: 'a',
          initially: 'closed',
          verifies: ['M:0035/obeys-loadsense', 'M:0031/mesh-recorded', 'M:0031/break-recorded', 'I:0077'],
        },
      ),
    )
    // The cable hangs on the other end as well, so that breakers here can be opened and closed again.
    alvin2.command({ do: 'local', on: true })
    alvin2.command({ do: 'operate', to: 'closed' })
    alvin2.command({ do: 'local', on: false })
    await platform.ask('operator', { do: 'change', app: 'loadsense', config: quick.config })
    const need: Advice = { ...evening, peer: roomy.peer }
    const rest: Advice = { ...calm, peer: roomy.peer }
    await advisers.advise(rest)

    const inForce: { readonly until: number; lift(): void }[] = []
    const put = (fault: { lift(): void }, seconds: number): void => {
      inForce.push({ until: time.now() + seconds * 1000, lift: () => fault.lift() })
    }
    const phase = (): { phase?: (typeof phases)[number] } =>
      random('which') < 0.3 ? {} : { phase: one('phase', phases) }
    const shortCircuit = (): void => {
      const where = {
        phase: 1 + Math.floor(3 * random('phase')),
        point: 1 + Math.floor(3 * random('point')),
      }
      put(network.inflict('short-circuit', where), draw('s', 0.1, 50))
    }
    const happenings: readonly [() => Promise<void> | void, ...(() => Promise<void> | void)[]] = [
      () => advisers.advise(need),
      () => advisers.advise(rest),
      () => advisers.advise(need),
      () => advisers.advise(rest),
      () => advisers.advise({ peer: { alive: random('alive') < 0.5 } }),
      () =>
        put(alvin.inflict('stuck', { ...phase(), told: one('told', ['done', 'failed']) }), draw('s', 5, 90)),
      () => put(alvin.inflict('lying', phase()), draw('s', 5, 90)),
      () => put(alvin.inflict('indeterminate', phase()), draw('s', 5, 60)),
      () => put(alvin.inflict('no-energy', phase()), draw('s', 5, 60)),
      () => put(alvin.inflict('shadow-stale', phase()), draw('s', 5, 60)),
      () => put(alvin.inflict('reboot', phase()), 30),
      () => put(alvin.inflict('pole-discrepancy', { phase: one('phase', phases) }), 1),
      () =>
        put(
          alvin.inflict(one('line', ['no-reply', 'crc-error', 'slow', 'busy', 'truncated'])),
          draw('s', 2, 40),
        ),
      () => put(network.inflict('outage', { side: one('side', ['a', 'b', 'both']) }), draw('s', 1, 60)),
      () => shortCircuit(),
      () => shortCircuit(),
      () => shortCircuit(),
      () => alvin.command({ do: 'isolate', engaged: random('isolate') < 0.5 }),
      () => alvin.command({ do: 'local', on: random('local') < 0.5 }),
      () => alvin.command({ do: 'operate', ...phase(), to: one('to', ['open', 'closed']) }),
      () => alvin.command({ do: 'reset' }),
      () => putRight(),
      () => putRight(),
      () => restart(one('app', ['meshing', 'loadsense'])),
    ]
    /** Somebody comes and sees that all is well again. */
    const putRight = async (): Promise<void> => {
      for (const f of inForce.splice(0)) f.lift()
      for (const b of [alvin, alvin2]) {
        b.command({ do: 'isolate', engaged: false })
        b.command({ do: 'reset' })
        b.command({ do: 'local', on: true })
        b.command({ do: 'operate', to: 'closed' })
        b.command({ do: 'local', on: false })
      }
      // An automation that shut itself out is let in again.
      const config = { ...quick.config, letIn: `visit ${++visits}` }
      await platform.ask('operator', { do: 'change', app: 'loadsense', config })
      await advisers.advise({ ...rest, peer: { ...roomy.peer, alive: true } })
      await time.pass('5 s')
      await advisers.advise(need)
    }
    let visits = 0

    const end = time.now() + time.horizon
    const byHand = (to: 'open' | 'closed'): void => {
      alvin.command({ do: 'local', on: true })
      alvin.command({ do: 'operate', to })
      alvin.command({ do: 'local', on: false })
    }
    const restart = async (app: string): Promise<void> => {
      await platform.ask('operator', { do: 'restart', app }).catch(() => undefined)
    }
    // First, always: meshed and parted; the meshing app restarted; closed by hand behind LoadSense's back; a command that
    // no breaker hears.
    await time.pass('12 s')
    await advisers.advise(need)
    await time.pass('7 s')
    await advisers.advise(rest)
    await time.pass('8 s')
    await advisers.advise({ peer: { alive: false } })
    await time.pass('1 s')
    await restart('meshing')
    await time.pass('8 s')
    byHand('closed')
    await advisers.advise(rest)
    await time.pass('7 s')
    const silent = alvin.inflict('no-reply')
    await advisers.advise(need)
    await time.pass('13 s')
    silent.lift()
    await time.pass('14 s')

    while (time.now() + 30_000 < end) {
      const happens = Math.floor(random('happens') * happenings.length)
      note(`happening ${happens}`)
      await happenings[happens]?.()
      await time.pass(Math.min(draw('pause', 1000, 25_000), end - 25_000 - time.now()))
      for (const f of inForce.splice(0)) {
        if (f.until <= time.now()) f.lift()
        else inForce.push(f)
      }
    }
    for (const f of inForce.splice(0)) f.lift()
    await time.pass(Math.max(0, end - time.now()))
  },
})
