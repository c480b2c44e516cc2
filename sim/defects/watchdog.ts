/** Defects and variants of the device's watchdogs, and of what feeds them (OpenLV I:0016, I:0017, S:001, W:001). */
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import type { Effect, Policy } from '../reference/lvcap/watchdog/machine.ts'
import type { WatchdogParts } from '../reference/lvcap/watchdog/main.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<WatchdogParts>['wrap']

/** Other figures. They come to bear when they lead to another effect. */
function by(change: (p: Policy) => Policy): Wrap {
  return (p, reached) => ({
    ...p,
    decide: (state, input, now, policy) => {
      const other = p.decide(state, input, now, change(policy))
      if (JSON.stringify(p.decide(state, input, now, policy)[1]) !== JSON.stringify(other[1])) reached()
      return other
    },
  })
}

/** What it decided is done only as far as `keeps` says. */
function only(keeps: () => (e: Effect) => boolean): Wrap {
  return (p, reached) => {
    const kept = keeps()
    return {
      ...p,
      decide: (state, input, now, policy) => {
        const [next, effects] = p.decide(state, input, now, policy)
        const rest = effects.filter((e) => kept(e))
        if (rest.length < effects.length) reached()
        return [next, rest]
      },
    }
  }
}

const resets = (e: Effect, of: 'computer' | 'router'): boolean => e.do === 'reset' && e.of === of
const never = Number.POSITIVE_INFINITY

export const watchdogDefects: readonly Defect<WatchdogParts>[] = [
  ...listOf<WatchdogParts>('watchdog', 'defect', {
    'never-armed': [
      'Hears the computer, and does nothing when it hears it no more.',
      only(() => (e) => e.do !== 'look'),
    ],
    'resets-once': [
      'Resets the computer once, and is never armed again.',
      only(() => {
        let done = 0
        return (e) => !resets(e, 'computer') || ++done === 1
      }),
    ],
    'says-that-it-resets': [
      'Writes that it resets, and switches nothing.',
      (p, reached) => ({
        ...p,
        async pull() {
          reached()
        },
      }),
    ],
    'resets-while-booting': [
      'Gives a computer that boots no more time than one that runs.',
      by((p) => ({ ...p, most: 0, computer: { ...p.computer, boot: p.computer.silence } })),
    ],
    'hair-trigger': [
      'Resets a computer that is silent for as long as it is between two signs of life.',
      by((p) => ({ ...p, computer: { ...p.computer, silence: 2_000 } })),
    ],
    'takes-any-traffic-for-life': [
      'Takes whatever comes on the inner network, the page of the router too, for life of the computer.',
      (p, reached) => {
        let fed = 0
        return {
          ...p,
          decide: (state, input, now, policy) => {
            const [next, effects] = p.decide(state, input, now, policy)
            if (input.kind === 'fed') fed = now
            if (input.kind !== 'page') return [next, effects]
            if (now - fed >= policy.computer.silence) reached()
            return [{ ...next, computer: { ...next.computer, since: now } }, effects]
          },
        }
      },
    ],
    'router-not-watched': ['Never resets the router.', only(() => (e) => !resets(e, 'router'))],
    'resets-a-router-that-boots': [
      'Gives a router less time from power to its first answer than it takes.',
      by((p) => ({ ...p, most: 0, router: { ...p.router, boot: 10_000 } })),
    ],
    'asks-the-page-alone': [
      'Takes a router for well as long as its page answers.',
      by((p) => ({ ...p, router: { ...p.router, link: never }, most: never })),
    ],
    'resets-the-router-for-ever': [
      'Resets the router at an even interval as long as nobody beyond it answers, whatever that brings.',
      by((p) => ({ ...p, most: 0 })),
    ],
    'resets-all-for-the-link': [
      'Resets the computer too when it resets the router.',
      (p, reached) => ({
        ...p,
        decide: (state, input, now, policy) => {
          const [next, effects] = p.decide(state, input, now, policy)
          if (!effects.some((e) => resets(e, 'router'))) return [next, effects]
          reached()
          return [next, [...effects, { do: 'reset', of: 'computer' }]]
        },
      }),
    ],
  }),
  ...listOf<WatchdogParts>('watchdog', 'variant', {
    patient: [
      'Waits half as long again for everything.',
      by((p) => ({
        ...p,
        computer: { silence: p.computer.silence * 1.5, boot: p.computer.boot * 1.5 },
        router: { silence: p.router.silence * 1.5, boot: p.router.boot * 1.5, link: p.router.link * 1.5 },
      })),
    ],
    quick: [
      'Resets a computer after 9 s of silence, and is content with less of a boot.',
      by((p) => ({ ...p, computer: { silence: 9_000, boot: p.computer.boot * 0.75 } })),
    ],
  }),
]

export const feedingDefects: readonly Defect<ManagerParts>[] = listOf<ManagerParts>(
  'container-manager',
  'defect',
  {
    'feeds-by-a-timer': [
      'Feeds the watchdog at each interval, whether anything else lives or not.',
      (p, reached) => ({
        ...p,
        async alive(answered) {
          const late = setTimeout(reached, 2_000)
          answered()
            .then(() => clearTimeout(late))
            .catch(reached)
          return true
        },
      }),
    ],
    'never-feeds': [
      'Does not feed the watchdog.',
      (p, reached) => ({
        ...p,
        async alive() {
          reached()
          return false
        },
      }),
    ],
  },
)
