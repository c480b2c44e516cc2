/** How the reference platform and the servers of the bench keep things, as they ship, and set or built wrongly. */
import { mkdirSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { recorderSchema } from '../reference/lvcap/apps/recorder/config.ts'
import { openRecords, shippedFileParts } from '../reference/lvcap/apps/recorder/files.ts'
import { configStore } from '../reference/lvcap/manager/store.ts'
import { openStore, type Journal, type Synchronous } from '../reference/lvcap/storage/store.ts'
import { openUploads, soundIo, type StoreIo } from '../servers/uploads/store.ts'
import { itemOf, textOfItem, type Subject } from './subject.ts'

const table = 'thirdparty_publisher_01'

/** Data Storage's records. */
function records(
  id: string,
  describes: string,
  is: Subject['is'],
  set: { readonly synchronous?: Synchronous; readonly journal?: Journal; readonly mount?: string } = {},
): Subject {
  const open = (folder: string) => openStore(join(folder, 'storage'), set.synchronous, set.journal)
  return {
    id,
    describes,
    is,
    of: 'platform',
    ...(set.mount === undefined ? {} : { mount: set.mount }),
    write(folder, n, promised) {
      const store = open(folder)
      for (let i = 0; i < n; i++) {
        store.append([
          { table, subTopic: null, data: Buffer.from(textOfItem(i)), timestamp: 1_500_000_000 + i },
        ])
        promised(i)
      }
    },
    read(folder) {
      const store = open(folder)
      store.open(table)
      const found = store.recent(1_000_000).map((r) => itemOf(Buffer.from(r.data).toString()))
      store.close()
      const db = new DatabaseSync(join(folder, 'storage', 'records.db'))
      const said = db.prepare('PRAGMA quick_check').all() as { quick_check: string }[]
      db.close()
      const odd = said.map((s) => s.quick_check).filter((s) => s !== 'ok')
      if (found.includes(undefined)) odd.push('a record holds what was never stored')
      return { items: new Set(found.filter((i) => i !== undefined)), damaged: odd }
    },
  }
}

const noon = Date.UTC(2018, 0, 15, 12)

/** The CSV recorder's files. A line is promised when the files have been flushed. */
function lines(id: string, describes: string, flush: boolean): Subject {
  // Small files, so that some are begun and ended meanwhile.
  const config = recorderSchema.parse({ rotate: { bytes: 1_500, daily: true } })
  const parts = flush ? shippedFileParts : { ...shippedFileParts, flush: () => undefined }
  const open = (folder: string) => openRecords(join(folder, 'csv'), config, parts, () => undefined)
  return {
    id,
    describes,
    is: flush ? 'sound' : 'flawed',
    of: 'platform',
    write(folder, n, promised) {
      const files = open(folder)
      for (let i = 0; i < n; i++) {
        files.append(`${textOfItem(i)}\r\n`, noon + i)
        files.sync()
        promised(i)
      }
    },
    read(folder) {
      open(folder).close()
      const at = join(folder, 'csv')
      const all = readdirSync(at)
        .sort()
        .flatMap((f) => readFileSync(join(at, f), 'utf8').split('\r\n').slice(1))
        .filter((line) => line !== '')
      const items = all.map(itemOf)
      return {
        items: new Set(items.filter((i) => i !== undefined)),
        damaged: items.includes(undefined) ? ['a file holds a line that was never written'] : [],
      }
    },
  }
}

const config: Subject = {
  id: 'configurations',
  describes: "The Container Manager's configurations, as shipped.",
  is: 'sound',
  of: 'platform',
  write(folder, n, promised) {
    const store = configStore(folder)
    for (let i = 0; i < n; i++) {
      store.save(table, { text: textOfItem(i) })
      promised(i)
    }
  },
  read(folder) {
    const text = configStore(folder).load(table)?.['text']
    const last = typeof text === 'string' ? itemOf(text) : undefined
    if (text !== undefined && last === undefined)
      return { items: new Set(), damaged: ['a configuration of nobody'] }
    return { items: new Set(Array.from({ length: (last ?? -1) + 1 }, (_, i) => i)), damaged: [] }
  },
}

/** Pieces of one upload. */
const pieces = 8

/** A server's store of uploads: a piece is promised when the offset behind it is told. */
function uploads(id: string, describes: string, io: StoreIo): Subject {
  const nameOf = (n: number): string => `upload-${Math.floor(n / pieces)}`
  return {
    id,
    describes,
    is: io === soundIo ? 'sound' : 'flawed',
    of: 'servers',
    write(folder, n, promised) {
      const at = join(folder, 'uploads')
      const store = openUploads(at, io)
      if (io === soundIo) io.flushFolder(folder)
      for (let i = 0; i < n; i++) {
        const name = nameOf(i)
        if (i % pieces === 0)
          store.create({
            id: name,
            length: pieces * textOfItem(0).length,
            owner: 'platform',
            metadata: {},
            created: noon,
          })
        store.append(name, Buffer.from(textOfItem(i)))
        store.flush(name)
        promised(i)
      }
    },
    read(folder) {
      const at = join(folder, 'uploads')
      mkdirSync(at, { recursive: true })
      const store = openUploads(at)
      const items = new Set<number>()
      const damaged: string[] = []
      const size = textOfItem(0).length
      for (const u of store.all()) {
        const bytes = store.read(u.id)
        for (let p = 0; (p + 1) * size <= u.offset; p++) {
          const n = itemOf(bytes.toString('utf8', p * size, (p + 1) * size))
          if (n === undefined) damaged.push(`${u.id} tells an offset of ${u.offset} behind what it never got`)
          else items.add(n)
        }
      }
      store.close()
      return { items, damaged }
    },
  }
}

export const ours: readonly Subject[] = [
  records('records', "Data Storage's records, as shipped (WAL, FULL).", 'sound'),
  lines('recorded-lines', "The CSV recorder's files, as shipped.", true),
  config,
  uploads('uploads', "The data centre's uploads, as shipped.", soundIo),
  records('wal-normal', 'Data Storage with SQLite set to WAL and NORMAL.', 'flawed', {
    synchronous: 'NORMAL',
  }),
  records('delete-full', "Data Storage with SQLite's own default, DELETE and FULL.", 'flawed', {
    synchronous: 'FULL',
    journal: 'DELETE',
  }),
  records('barrier-off', 'Data Storage as shipped, on a file system without barriers.', 'flawed', {
    mount: 'barrier=0',
  }),
  lines('recorded-unflushed', 'The CSV recorder without its flushes.', false),
  uploads('uploads-promised-early', 'A store of uploads that tells the offset before it is on the disk.', {
    flush: () => undefined,
    flushFolder: () => undefined,
  }),
]
