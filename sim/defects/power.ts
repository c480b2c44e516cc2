/**
 * Defects and variants that only a loss of power brings to light: by configuration (how SQLite flushes), by leaving a flush
 * out, and by what a platform makes of a boot that was cut short.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { RecorderParts } from '../reference/lvcap/apps/recorder/main.ts'
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import type { ConfigStore } from '../reference/lvcap/manager/store.ts'
import type { StorageParts } from '../reference/lvcap/storage/main.ts'
import { openStore, type Journal, type Synchronous } from '../reference/lvcap/storage/store.ts'
import { listOf, type Defect } from './defect.ts'
import { otherStore } from './storage-seams.ts'

/** Keeps records with SQLite set otherwise. It comes to bear with the first record. */
function kept(synchronous: Synchronous, journal: Journal = 'WAL'): Defect<StorageParts>['wrap'] {
  return otherStore(
    (store, reached) => ({
      append(records) {
        reached()
        store.append(records)
      },
    }),
    (folder) => openStore(folder, synchronous, journal),
  )
}

export const storagePowerDefects: readonly Defect<StorageParts>[] = [
  ...listOf<StorageParts>('data-storage', 'defect', {
    'wal-normal': ['Has SQLite flush its log at checkpoints only (synchronous NORMAL).', kept('NORMAL')],
    'no-fsync': ['Has SQLite never flush (synchronous OFF).', kept('OFF')],
    'delete-full': [
      'Keeps records as SQLite does by itself (DELETE, FULL): the removal of the journal is not flushed.',
      kept('FULL', 'DELETE'),
    ],
    'left-locked': [
      'Locks its records with a file, and will not touch them where an end without warning has left it.',
      (p, reached) => ({
        ...p,
        store(folder) {
          const lock = join(folder, 'lock')
          if (existsSync(lock)) {
            reached()
            throw new Error(`${lock} says that somebody uses it`)
          }
          const store = p.store(folder)
          writeFileSync(lock, 'locked\n', { flush: true })
          return {
            ...store,
            get tables() {
              return store.tables
            },
            close() {
              rmSync(lock, { force: true })
              store.close()
            },
          }
        },
      }),
    ],
  }),
  ...listOf<StorageParts>('data-storage', 'variant', {
    'rollback-journal-extra': [
      'Keeps records with a rollback journal whose removal is flushed too (DELETE, EXTRA).',
      kept('EXTRA', 'DELETE'),
    ],
  }),
]

export const recorderPowerDefects: readonly Defect<RecorderParts>[] = listOf<RecorderParts>(
  'csv-recorder',
  'defect',
  {
    'no-fsync': [
      'Never has the disk take what it wrote.',
      (p, reached) => ({ ...p, flush: () => reached() }),
    ],
  },
)

/** Another way to keep configurations below a folder of the disk. */
function keepsConfig(save: (file: string, text: string) => void): Defect<ManagerParts>['wrap'] {
  return (p, reached) => ({
    ...p,
    store(disk): ConfigStore {
      const shipped = p.store(disk)
      return {
        load: (iid) => shipped.load(iid),
        save(iid, config) {
          reached()
          mkdirSync(join(disk, 'config'), { recursive: true })
          save(
            join(disk, 'config', `${iid}.json`),
            `${JSON.stringify({ ContainerName: iid, ContainerConfig: config })}\n`,
          )
        },
      }
    },
  })
}

/** Starts no application at this boot where what it finds on the disk says so. `upAfter`: ms until a boot counts as done. */
function waitsForHelp(finds: (disk: string, now: number) => boolean): Defect<ManagerParts>['wrap'] {
  return (p, reached) => {
    let waits = false
    return {
      ...p,
      store(disk) {
        waits = finds(disk, Date.now())
        return p.store(disk)
      },
      order(apps) {
        if (!waits) return p.order(apps)
        reached()
        return []
      },
    }
  }
}

/** A boot that has lasted so long counts as done, ms. Ours. */
const bootedAfter = 20_000
const fiveMinutes = 300_000

export const managerPowerDefects: readonly Defect<ManagerParts>[] = [
  ...listOf<ManagerParts>('container-manager', 'defect', {
    'renames-without-fsync': [
      'Writes a configuration aside and renames it, and flushes neither file nor folder.',
      keepsConfig((file, text) => {
        writeFileSync(`${file}.new`, text)
        renameSync(`${file}.new`, file)
      }),
    ],
    'renames-without-folder-fsync': [
      'Writes a configuration aside, flushes it, renames it, and does not flush the folder.',
      keepsConfig((file, text) => {
        writeFileSync(`${file}.new`, text, { flush: true })
        renameSync(`${file}.new`, file)
      }),
    ],
    'overwrites-in-place': [
      'Writes a configuration over the one before, and flushes nothing.',
      keepsConfig((file, text) => writeFileSync(file, text)),
    ],
    'waits-for-help-after-a-cut-boot': [
      'Starts no application where the boot before was cut short.',
      waitsForHelp((disk) => {
        const mark = join(disk, 'booting')
        const cut = existsSync(mark)
        writeFileSync(mark, 'booting\n', { flush: true })
        setTimeout(() => rmSync(mark, { force: true }), bootedAfter)
        return cut
      }),
    ],
    'gives-up-at-the-fourth-boot': [
      'Starts no application where it has been booted four times within five minutes.',
      waitsForHelp((disk, now) => {
        const file = join(disk, 'boots')
        const before = existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as number[]) : []
        const boots = [...before, now].filter((t) => t > now - fiveMinutes)
        writeFileSync(file, JSON.stringify(boots), { flush: true })
        return boots.length >= 4
      }),
    ],
  }),
  ...listOf<ManagerParts>('container-manager', 'variant', {
    'boots-at-leisure': [
      'Waits five seconds before it starts anything.',
      (p, reached) => ({
        ...p,
        startCore: (start, begin) =>
          p.startCore(async () => {
            reached()
            await new Promise((resolve) => {
              setTimeout(resolve, 5_000)
            })
            await start()
          }, begin),
      }),
    ],
  }),
]
