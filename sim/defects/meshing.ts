/** Defects and variants of LV Network Meshing: readings, commands, and what is recorded of them (M:0028 to M:0037). */
import type { Message } from '../reference/lvcap/api.ts'
import type { JsonObject } from '../reference/lvcap/env.ts'
import type { Outcome } from '../reference/lvcap/apps/meshing/breaker.ts'
import type { MeshingConfig, Phase } from '../reference/lvcap/apps/meshing/config.ts'
import { phases } from '../reference/lvcap/apps/meshing/config.ts'
import type { MeshingParts } from '../reference/lvcap/apps/meshing/main.ts'
import type { Heard } from '../reference/lvcap/apps/meshing/obey.ts'
import { listOf, type Defect } from './defect.ts'
import { meshingReadingDefects } from './meshing-readings.ts'
import { objectOf } from './payload.ts'

type Wrap = Defect<MeshingParts>['wrap']
type Judge = MeshingParts['judge']
type Args = Parameters<Judge>

/** Judges another message, or by another clock, or with another memory, than what came. */
function judging(change: (args: Args) => Args): Wrap {
  return (p, reached) => ({
    ...p,
    judge: (...args) => {
      const honest = p.judge(...args)
      const judged = p.judge(...change(args))
      if (honest.against !== undefined && judged.against === undefined) reached()
      return judged
    },
  })
}

/** The same message with another body, where it is a JSON object. */
function rewritten(h: Heard, change: (body: JsonObject) => JsonObject): Heard {
  try {
    const body = objectOf(JSON.parse(Buffer.from(h.payload).toString('utf8')))
    return { ...h, payload: Buffer.from(JSON.stringify(change(body))) }
  } catch {
    return h
  }
}

function stampOf(h: Heard): number | undefined {
  let stamp: unknown
  rewritten(h, (body) => {
    stamp = body['Timestamp']
    return body
  })
  return typeof stamp === 'number' ? stamp : undefined
}

type RecordArgs = Parameters<MeshingParts['record']>

/** Leaves out, or changes, what is recorded. */
function recording(change: (args: RecordArgs, p: MeshingParts, reached: () => void) => Message | null): Wrap {
  return (p, reached) => ({ ...p, record: (...args) => change(args, p, reached) })
}

/** Records as the state before or after a command the one that it asks for. */
function recordsAsCommanded(around: 'before' | 'after'): Wrap {
  return (p, reached) => {
    const wanted = new Map<Phase, boolean>()
    return {
      ...p,
      record: (iid, phase, name, fact, stamp) => {
        if (name === 'command' && fact.valid) wanted.set(phase, fact.value === true)
        const value = wanted.get(phase)
        if (name !== around || value === undefined || fact.errno !== undefined)
          return p.record(iid, phase, name, fact, stamp)
        if (value !== fact.value) reached()
        return p.record(iid, phase, name, { ...fact, value }, stamp)
      },
    }
  }
}

const obeying = listOf<MeshingParts>('meshing-app', 'defect', {
  'obeys-any-topic': [
    'Obeys whoever publishes on a control topic of its own.',
    (p, reached) => ({
      ...p,
      filters: () => ['algorithm/data/+/control/+'],
      judge: (h, now, obeyed, c) => {
        const topic = h.topic.replace(/^algorithm\/data\/[^/]+/, `algorithm/data/${c.obeys}`)
        if (topic !== h.topic) reached()
        return p.judge({ ...h, topic }, now, obeyed, c)
      },
    }),
  ],
  'obeys-stale': [
    'Does not look at how old a command is.',
    judging(([h, now, obeyed, c]) => [h, Math.min(now, stampOf(h) ?? now), obeyed, c]),
  ],
  'obeys-future': [
    'Takes commands that are dated ahead of its clock.',
    judging(([h, now, obeyed, c]) => [h, Math.max(now, stampOf(h) ?? now), obeyed, c]),
  ],
  'ignores-valid-false': [
    'Obeys commands that say of themselves that they are not valid.',
    judging(([h, now, obeyed, c]) => [rewritten(h, (b) => ({ ...b, Valid: true })), now, obeyed, c]),
  ],
  'takes-any-value': [
    'Takes everything that is not false, 0 or empty for a command to close.',
    judging(([h, now, obeyed, c]) => [
      rewritten(h, (b) => ({ ...b, Value: b['Value'] !== 'false' && Boolean(b['Value']) })),
      now,
      obeyed,
      c,
    ]),
  ],
  'obeys-twice': [
    'Obeys a command again that is delivered again.',
    judging(([h, now, , c]) => [h, now, [], c]),
  ],
  'forgets-at-restart': [
    'Does not know after a restart what it has obeyed before.',
    (p, reached) => ({
      ...p,
      recall: (journal) => {
        if (p.recall(journal).length > 0) reached()
        return []
      },
    }),
  ],
  'repeats-at-restart': [
    'After a restart, carries the last command of each phase out again.',
    (p, reached) => ({
      ...p,
      resume: (obeyed) => {
        const last = phases.flatMap((phase) => obeyed.findLast((o) => o.phase === phase) ?? [])
        // The other way round: what was commanded before, as if nothing had come since.
        const again = last.map((o) => ({ ...o, close: !o.close }))
        if (again.length > 0) reached()
        return again
      },
    }),
  ],
  'flushes-when-reached': [
    'Keeps what no breaker took, and gives it when one answers again.',
    (p, reached) => ({
      ...p,
      carryOut: async (breaker, close, sure, c, tell) => {
        const first = await p.carryOut(breaker, close, sure, c, tell)
        if (first.result !== 3) return first
        const quiet = { before: () => {}, after: () => {}, signal: () => {} }
        void (async () => {
          for (let n = 0; n < 120; n++) {
            await new Promise<void>((resolve) => {
              setTimeout(resolve, 1_000)
            })
            const later: Outcome = await p.carryOut(breaker, close, false, { ...c, retries: 0 }, quiet)
            if (later.result !== 0) continue
            reached()
            return
          }
        })()
        return first
      },
    }),
  ],
  'swaps-phases': [
    'Commands the breaker of L2 for L1, and the other way round.',
    (p, reached) => ({
      ...p,
      unitOf: (phase, purpose, c) => {
        if (purpose === 'reading' || phase === 'l3') return p.unitOf(phase, purpose, c)
        reached()
        return p.unitOf(phase === 'l1' ? 'l2' : 'l1', purpose, c)
      },
    }),
  ],
  'operates-without-select': [
    'Operates without having selected.',
    (p, reached) => ({
      ...p,
      breaker: (...args) => ({
        ...p.breaker(...args),
        select: async () => {
          reached()
        },
      }),
    }),
  ],
  'closes-only': ['Takes a command to open for done.', takesForDone(false)],
  'opens-only': ['Takes a command to close for done.', takesForDone(true)],
  'operates-all-three': [
    'Gives the command for L1 to all three breakers.',
    (p, reached) => {
      let c: MeshingConfig | undefined
      let of: ((phase: Phase) => ReturnType<MeshingParts['breaker']>) | undefined
      return {
        ...p,
        breaker: (bus, unit, config, tell) => {
          c = config
          of = (phase) => p.breaker(bus, config.units[phase], config, tell)
          return p.breaker(bus, unit, config, tell)
        },
        carryOut: async (breaker, close, sure, config, tell) => {
          const quiet = { before: () => {}, after: () => {}, signal: () => {} }
          if (c !== undefined && of !== undefined)
            for (const phase of phases) {
              reached()
              await p.carryOut(of(phase), close, sure, config, quiet)
            }
          return p.carryOut(breaker, close, sure, config, tell)
        },
      }
    },
  ],
})

function takesForDone(close: boolean): Wrap {
  return (p, reached) => ({
    ...p,
    carryOut: async (breaker, closes, sure, c, tell) => {
      if (closes !== close) return p.carryOut(breaker, closes, sure, c, tell)
      reached()
      const state = close ? 'closed' : 'open'
      tell.before((await breaker.standing().catch(() => undefined))?.state)
      tell.after(state)
      return { result: 0, state }
    },
  })
}

const records = listOf<MeshingParts>('meshing-app', 'defect', {
  'records-what-was-commanded': [
    'Records as the state afterwards what was commanded.',
    recordsAsCommanded('after'),
  ],
  'records-before-as-commanded': [
    'Records as the state before a command what it is to become.',
    recordsAsCommanded('before'),
  ],
  'no-record-without-device': [
    'Records nothing of a command where no breaker answers.',
    recording((args, p, reached) => {
      const fact = args[3]
      if (fact.errno !== 4 && !(args[2] === 'result' && fact.value === 3)) return p.record(...args)
      reached()
      return null
    }),
  ],
  'no-record-of-unacknowledged': [
    'Records control messages only where the breaker has acknowledged them.',
    recording((args, p, reached) => {
      if (args[2] !== 'signal' || args[3].valid) return p.record(...args)
      reached()
      return null
    }),
  ],
  'no-record-of-acknowledged': [
    'Records control messages only where something went wrong with them.',
    recording((args, p, reached) => {
      if (args[2] !== 'signal' || !args[3].valid) return p.record(...args)
      reached()
      return null
    }),
  ],
  'no-record-of-openings': ['Keeps no record of commands to open.', onlyOf(true)],
  'no-record-of-closings': ['Keeps no record of commands to close.', onlyOf(false)],
  'records-not-for-storage': [
    'Publishes its records without having them stored.',
    recording((args, p, reached) => {
      const message = p.record(...args)
      if (message === null) return null
      reached()
      return { ...message, payload: { ...objectOf(message.payload), ToStore: false } }
    }),
  ],
  'records-another-errno': [
    'Gives, where no breaker answers, the number of another error.',
    recording((args, p, reached) => {
      const [iid, phase, name, fact, stamp] = args
      if (fact.errno !== 4) return p.record(...args)
      reached()
      return p.record(iid, phase, name, { ...fact, errno: 8 }, stamp)
    }),
  ],
  'records-open-where-none-answers': [
    'Records a breaker that does not answer as open.',
    recording((args, p, reached) => {
      const [iid, phase, name, fact, stamp] = args
      if (fact.errno !== 4) return p.record(...args)
      reached()
      return p.record(iid, phase, name, { value: false, valid: true }, stamp)
    }),
  ],
  'says-done-whatever-came-of-it': [
    'Records every command as done.',
    recording((args, p, reached) => {
      const [iid, phase, name, fact, stamp] = args
      if (name !== 'result' || fact.value === 0 || fact.value === 4) return p.record(...args)
      reached()
      return p.record(iid, phase, name, { ...fact, value: 0 }, stamp)
    }),
  ],
  'tells-no-discrepancy': [
    'Takes three breakers for alike, however they stand.',
    (p, reached) => ({
      ...p,
      disagree: (states) => {
        const apart = p.disagree(states)
        if (apart === true) reached()
        return apart === true ? false : apart
      },
    }),
  ],
})

/** Records of commands to close alone, or to open alone. */
function onlyOf(close: boolean): Wrap {
  return (p, reached) => {
    const last = new Map<Phase, boolean>()
    return {
      ...p,
      record: (...args) => {
        const [, phase, name, fact] = args
        if (name === 'command') last.set(phase, fact.value === true)
        if (last.get(phase) === close) return p.record(...args)
        reached()
        return null
      },
    }
  }
}

const variants = listOf<MeshingParts>('meshing-app', 'variant', {
  'ten-seconds-for-all': [
    'Publishes everything every ten seconds at least.',
    (p, reached) => ({
      ...p,
      due: (k, interval) => {
        if (interval > 10_000) reached()
        return p.due(k, Math.min(interval, 10_000))
      },
    }),
  ],
  'errno-as-text': [
    'Gives the error in place of a state by its name.',
    recording((args, p, reached) => {
      const message = p.record(...args)
      if (message === null || args[3].errno !== 4) return message
      reached()
      return { ...message, payload: { ...objectOf(message.payload), Errno: 'ERRNO_NO_DEVICE' } }
    }),
  ],
  'reads-registers-apart': [
    'Reads the fault status twice, and takes what came last.',
    (p, reached) => ({
      ...p,
      read: async (bus, unit, block, ms) => {
        if (block.table !== 'holding') return p.read(bus, unit, block, ms)
        reached()
        await p.read(bus, unit, block, ms)
        return p.read(bus, unit, block, ms)
      },
    }),
  ],
})

export const meshingDefects: readonly Defect<MeshingParts>[] = [
  ...obeying,
  ...records,
  ...meshingReadingDefects,
  ...variants,
]
