/** Rows of LoadSense's truth table, as data, and how they are walked. Figures are of the played advisers (docs/meshing.md). */
import type { Advice, Advisers, Stage } from '../../bench/index.ts'

/** The local transformer will have too much: 830 A is its rating. */
export const evening = {
  local: {
    forecast: [720, 880, 900, 890, 860, 700, 600, 500],
    feeder: 150,
    rating: 830,
    hotSpot: 92,
    current: [721, 719, 720],
  },
} as const satisfies Advice

/** Either side alone is well. */
export const calm = {
  local: { forecast: 500, feeder: 150, rating: 830, hotSpot: 70, current: [501, 499, 500] },
} as const satisfies Advice

/** The peer as it is as a rule: it has room. */
export const roomy = {
  peer: {
    forecast: [400, 430, 450, 440, 400, 360, 300, 260],
    feeder: 150,
    rating: 830,
    hotSpot: 61,
    current: [401, 399, 400],
    alive: true,
    breakers: [1, 1, 1],
  },
} as const satisfies Advice

/** Times so short that a row takes seconds; what a rule says in hours stays. The app's configuration, and the same for the oracle. */
export const quick = {
  config: { every: 2, operations: { rest: 3, aDay: 1000 }, part: { dwell: 3 } },
  rules: {
    rest: 3,
    aDay: 1000,
    part: { share: 0.85, ahead: 7200, dwell: 3 },
  },
  /** From the moment that the rules ask for something to the first command. */
  within: '4 s',
} as const

export interface Row {
  /** Which input it is about, and what it is that is not as it should be. */
  readonly name: `${'forecast' | 'rating' | 'peer' | 'present' | 'breakers' | 'switch' | 'data'}: ${string}`
  readonly flip: Advice
  /** Makes it as it should be again. */
  readonly back: Advice
}

type World = Pick<Stage, 'time' | 'note'> & { readonly advisers: Advisers }

/** Each row: alone it keeps the networks apart; as soon as it is gone they are meshed; then they part. */
export async function walkApart({ advisers, time, note }: World, rows: readonly Row[]): Promise<void> {
  const end = time.now() + time.horizon
  for (const row of rows) {
    if (time.now() + rowLasts > end) return
    note(`row ${row.name}`)
    await advisers.advise(row.flip)
    await time.pass('1 s')
    await advisers.advise({ local: { ...evening.local, ...row.flip.local } })
    await time.pass('5 s')
    await advisers.advise(row.back)
    await time.pass('5 s')
    await advisers.advise({ ...calm, peer: roomy.peer })
    await time.pass('9 s')
  }
}

/** Each row: meshed, it alone keeps the networks meshed; as soon as it is gone they part. */
export async function walkMeshed({ advisers, time, note }: World, rows: readonly Row[]): Promise<void> {
  const end = time.now() + time.horizon
  for (const row of rows) {
    if (time.now() + rowLasts + 2000 > end) return
    note(`row ${row.name}`)
    await advisers.advise(evening)
    await time.pass('6 s')
    await advisers.advise(row.flip)
    await time.pass('1 s')
    await advisers.advise({ local: { ...calm.local, ...row.flip.local } })
    await time.pass('5 s')
    await advisers.advise(row.back)
    await time.pass('6 s')
    await advisers.advise({ ...calm, peer: roomy.peer })
    await time.pass('4 s')
  }
}

/** ms of one row, with what acknowledgements may take. */
const rowLasts = 21_000

/** Told in this way it alone is not known. */
export const told = (item: string, how: 'invalid' | { readonly ahead: number }): Omit<Row, 'name'> => ({
  flip: { told: { [item]: how } },
  back: { told: { [item]: null } },
})

export const breaker = (
  change: NonNullable<NonNullable<Advice['breakers']>['l1']>,
  back: NonNullable<NonNullable<Advice['breakers']>['l1']>,
  phase: 'l1' | 'l2' | 'l3' | 'all' = 'l2',
): Omit<Row, 'name'> => ({
  flip: { breakers: { [phase]: change } },
  back: { breakers: { [phase]: back } },
})
