/** Who knocks at the door of a server that takes uploads: everybody who should stay outside, and the app itself. */
import { keepsOut } from '../../bench/index.ts'
import type { Centre, DoorTry, Stage } from '../../bench/index.ts'

const inTheAppsName = ['expired', 'not-yet-valid', 'foreign-ca', 'self-signed', 'revoked'] as const

/** Nobody who has proven to be the app. */
const unproven: readonly DoorTry[] = [
  { name: 'no-certificate', as: 'nobody', asks: 'upload' },
  { name: 'nobody-reads', as: 'nobody', asks: 'read' },
  ...inTheAppsName.map((as): DoorTry => ({ name: as, as, asks: 'upload' })),
]
/** Whoever is known, and may not do this. */
const unauthorised: readonly DoorTry[] = [
  { name: 'colleague', as: 'colleague', asks: 'upload' },
  { name: 'anothers-rtu', as: 'app', asks: 'upload', rtu: 'another' },
  { name: 'anothers-upload', as: 'colleague', asks: 'go-on' },
]
/** Ways by which others could read along. */
const open: readonly DoorTry[] = [
  { name: 'in-clear', as: 'app', asks: 'upload', over: 'clear' },
  { name: 'old-tls', as: 'app', asks: 'upload', over: 'old-tls' },
]
const rightful: DoorTry = { name: 'rightful', as: 'app', asks: 'upload' }

/** Declares what must come of it, and then has them knock one after the other. `verifies`: by sort; a sort without is not asked. */
export async function knockAt(
  server: Centre,
  stage: Pick<Stage, 'time' | 'check'>,
  verifies: {
    readonly unproven: readonly string[]
    readonly unauthorised: readonly string[]
    readonly open?: readonly string[]
  },
): Promise<void> {
  const sorts = { unproven, unauthorised, open }
  for (const [sort, tries] of Object.entries(sorts) as [keyof typeof sorts, readonly DoorTry[]][]) {
    const of = verifies[sort]
    if (of === undefined) continue
    stage.check(
      keepsOut(server.doors, server.batches, {
        id: sort,
        verifies: of,
        out: tries.map((t) => t.name),
        inside: rightful.name,
      }),
    )
  }
  await stage.time.pass('2 s')
  for (const t of [rightful, ...unproven, ...unauthorised, ...open]) {
    await server.knock(t)
    await stage.time.pass('1 s')
  }
}
