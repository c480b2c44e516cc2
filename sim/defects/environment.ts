/**
 * Defects and variants of what a platform stands on: the host as whoever installed it has set it. No program of the platform
 * is another; whoever makes the host asks here how.
 */
import type { HostSetting } from '../faces.ts'
import { listOf, type Defect } from './defect.ts'

const shipped: HostSetting = { mount: [], lost: () => undefined }

/** Mounted with one more option. It comes to bear at a cut; a defect as soon as something is lost by it. */
function mounted(option: string, bears: (lost: number) => boolean): Defect<HostSetting>['wrap'] {
  return (p, reached) => ({
    mount: [...p.mount, option],
    lost(sectors) {
      if (bears(sectors)) reached()
      p.lost(sectors)
    },
  })
}

export const environmentDefects: readonly Defect<HostSetting>[] = [
  ...listOf<HostSetting>('host', 'defect', {
    'barrier-off': [
      'Mounts its disk so that no flush reaches it (barrier=0): what its write cache holds goes with power.',
      mounted('barrier=0', (lost) => lost > 0),
    ],
  }),
  ...listOf<HostSetting>('host', 'variant', {
    'allocates-at-once': [
      'Mounts its disk so that what is written has its place at once (nodelalloc).',
      mounted('nodelalloc', () => true),
    ],
  }),
]

/** How the host is set with those of these IDs that are of it. `say` is called as each is applied, and once as it comes to bear. */
export function hostSetting(
  ids: readonly string[],
  say: (phase: 'applied' | 'reached', defect: string) => void,
): HostSetting {
  const reached = new Set<string>()
  return environmentDefects
    .filter((d) => ids.includes(d.id))
    .reduce((setting, d) => {
      say('applied', d.id)
      return d.wrap(setting, () => {
        if (reached.has(d.id)) return
        reached.add(d.id)
        say('reached', d.id)
      })
    }, shipped)
}
