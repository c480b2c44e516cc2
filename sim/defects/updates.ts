/** Defects and variants of the Container Manager in how it takes updates (OpenLV W:008, I:00150, M:0062, M:0063, M:0074 to M:0076). */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { AppEntry } from '../reference/lvcap/config.ts'
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import type { Manifest } from '../reference/lvcap/updates/package.ts'
import { listOf, type Defect } from './defect.ts'

type Change = Manifest['apps'][number]

/** Leaves a part of each change out; `when` says of which updates. */
function brings(
  part: (c: Change) => Change,
  when: (resumed: boolean) => boolean = () => true,
): Defect<ManagerParts>['wrap'] {
  return (p, reached) => ({
    ...p,
    changedBy(m, installed, resumed): readonly AppEntry[] {
      if (!when(resumed)) return p.changedBy(m, installed, resumed)
      const apps = m.apps.map((c) => part(c))
      if (JSON.stringify(apps) !== JSON.stringify(m.apps)) reached()
      return p.changedBy({ ...m, apps }, installed, resumed)
    },
  })
}

const withoutVersion = ({ iid, config }: Change): Change => ({ iid, config })
const withoutSettings = ({ config: _config, ...rest }: Change): Change => rest
const afterABoot = (resumed: boolean): boolean => resumed

/** What it makes of an update at the boot after it was broken into. */
function resumesBy(how: ReturnType<ManagerParts['resume']>): Defect<ManagerParts>['wrap'] {
  return (p, reached) => ({
    ...p,
    resume() {
      reached()
      return how
    },
  })
}

/** Takes for good what one judgement would refuse. */
function overlooks(
  judgement: 'judgeSignature' | 'judgePayload' | 'judgePlatform' | 'judgeChanges',
): Defect<ManagerParts>['wrap'] {
  return (p, reached) => ({
    ...p,
    [judgement](...given: readonly never[]) {
      const judge: (...given: readonly never[]) => string | undefined = p[judgement]
      if (judge(...given) !== undefined) reached()
      return undefined
    },
  })
}

export const managerUpdateDefects: readonly Defect<ManagerParts>[] = [
  ...listOf<ManagerParts>('container-manager', 'defect', {
    'forgets-a-broken-update': [
      'Takes an update that a loss of power broke into for done with.',
      resumesBy('forget'),
    ],
    'gives-a-broken-update-up': [
      'Goes back for good to what was before where a loss of power broke into an update.',
      resumesBy('return'),
    ],
    'waits-for-help-after-a-broken-update': [
      'Starts no application where a loss of power broke into an update.',
      (p, reached) => {
        let waits = false
        return {
          ...p,
          store(disk) {
            waits = existsSync(join(disk, 'updates', 'journal.json'))
            return p.store(disk)
          },
          order(apps) {
            if (!waits) return p.order(apps)
            reached()
            return []
          },
        }
      },
    ],
    'resumes-versions-alone': [
      'Goes on with an update that was broken into, and leaves its settings out.',
      brings(withoutSettings, afterABoot),
    ],
    'resumes-settings-alone': [
      'Goes on with an update that was broken into, and leaves its versions out.',
      brings(withoutVersion, afterABoot),
    ],
    'updates-one-after-another': [
      'Starts each application anew before it has stopped the next one that an update is about.',
      (p, reached) => ({
        ...p,
        together(touched) {
          if (touched.length > 1) reached()
          return touched.map((iid) => [iid])
        },
      }),
    ],
    'flushes-no-update': [
      'Never has the disk take what it writes of an update.',
      (p, reached) => ({ ...p, flushUpdate: () => reached() }),
    ],
    'updates-again-and-again': [
      'Forgets which updates it has dealt with.',
      (p, reached) => ({
        ...p,
        isDealtWith(decision) {
          if (p.isDealtWith(decision)) reached()
          return false
        },
        judgeChanges: () => undefined,
      }),
    ],
    'keeps-the-old-version': [
      'Brings the settings of an update, and none of its versions.',
      brings(withoutVersion),
    ],
    'keeps-the-old-settings': [
      'Brings the versions of an update, and none of its settings.',
      brings(withoutSettings),
    ],
    'removes-nothing': [
      'Leaves applications installed that an update takes off.',
      (p, reached) => ({
        ...p,
        changedBy(m, installed, resumed) {
          if (m.remove.length > 0) reached()
          return p.changedBy({ ...m, remove: [] }, installed, resumed)
        },
      }),
    ],
    'installs-nothing-new': [
      'Updates what is installed, and passes over what is not.',
      (p, reached) => ({
        ...p,
        changedBy(m, installed, resumed) {
          const apps = m.apps.filter((c) => installed.some((a) => a.iid === c.iid))
          if (apps.length < m.apps.length) reached()
          return p.changedBy({ ...m, apps }, installed, resumed)
        },
      }),
    ],
    'takes-updates-of-anybody': ['Does not look at the signature of an update.', overlooks('judgeSignature')],
    'takes-damaged-updates': [
      'Does not look at the digest of what an update brings.',
      overlooks('judgePayload'),
    ],
    'takes-updates-for-others': [
      'Does not look for which platform an update is.',
      overlooks('judgePlatform'),
    ],
    'takes-updates-that-do-not-fit': [
      'Does not look whether an update goes with what is installed.',
      overlooks('judgeChanges'),
    ],
    'trusts-every-update-to-run': [
      'Installs an update for good when it has started what it brings.',
      (p, reached) => ({
        ...p,
        isProven(touched, running, ms, s) {
          if (!p.isProven(touched, running, ms, s)) reached()
          return true
        },
      }),
    ],
    'never-takes-an-update-back': [
      'Goes on for ever with an update that does not run.',
      (p, reached) => ({
        ...p,
        isHopeless(ms, s) {
          if (p.isHopeless(ms, s)) reached()
          return false
        },
      }),
    ],
  }),
  ...listOf<ManagerParts>('container-manager', 'variant', {
    'starts-a-broken-update-over': [
      'Goes back to what was before where a loss of power broke into an update, and then takes it from the start.',
      resumesBy('from the start'),
    ],
    'proves-updates-at-leisure': [
      'Watches what an update brings for twice as long before it installs it for good.',
      (p, reached) => ({
        ...p,
        isProven(touched, running, ms, s) {
          reached()
          return p.isProven(touched, running, ms / 2, s)
        },
      }),
    ],
  }),
]
