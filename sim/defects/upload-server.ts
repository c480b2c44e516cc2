/** Defects and variants of the server of resumable uploads (tus 1.0.0), each of them met in the field or in a library. */
import { answerOf, type Answer, type Asked, type Reading } from '../servers/uploads/protocol.ts'
import { place, type UploadServerParts } from '../servers/uploads/main.ts'
import type { UploadStore } from '../servers/uploads/store.ts'
import { listOf, type Defect } from './defect.ts'

type Wrap = Defect<UploadServerParts>['wrap']

/** Answers to one kind of request, with some headers missing. */
function without(asked: Reading['is'] | 'any', ...headers: readonly string[]): Wrap {
  return changed((r, a) => {
    if ((asked !== 'any' && r.is !== asked) || !headers.some((h) => h in a.headers)) return a
    return {
      ...a,
      headers: Object.fromEntries(Object.entries(a.headers).filter(([k]) => !headers.includes(k))),
    }
  })
}

/** Other answers than are due. */
function changed(to: (reading: Reading, answer: Answer, asked: Asked) => Answer | undefined): Wrap {
  return (p, reached) => ({
    ...p,
    alters(reading, answer, asked) {
      const due = p.alters(reading, answer, asked)
      if (due === undefined) return due
      const other = to(reading, due, asked)
      if (other !== due) reached()
      return other
    },
  })
}

/** Takes a header for another than it is. */
function takes(header: string, as: string | undefined): Wrap {
  return (p, reached) => ({
    ...p,
    read(asked, base, limits) {
      const given = asked.headers[header]
      if (given === undefined || given === as) return p.read(asked, base, limits)
      reached()
      return p.read({ ...asked, headers: { ...asked.headers, [header]: as } }, base, limits)
    },
  })
}

/** Knows its store, wherever it is needed. */
function storing(
  wrap: (
    p: UploadServerParts,
    reached: () => void,
    store: () => UploadStore | undefined,
  ) => UploadServerParts,
): Wrap {
  return (p, reached) => {
    let store: UploadStore | undefined
    const q: UploadServerParts = {
      ...p,
      store(folder, io) {
        store = p.store(folder, io)
        return store
      },
    }
    return wrap(q, reached, () => store)
  }
}

export const uploadServerDefects: readonly Defect<UploadServerParts>[] = [
  ...listOf<UploadServerParts>('upload-server', 'defect', {
    'tells-no-version': [
      'Does not say which version of the protocol it speaks.',
      without('any', 'tus-resumable', 'tus-version'),
    ],
    'takes-any-version': ['Does what a client of another version asks.', takes('tus-resumable', '1.0.0')],
    'tells-no-length': [
      'Tells where an upload stands, and not how long it is to be.',
      without('offset', 'upload-length'),
    ],
    'lets-answers-be-cached': [
      'Lets anybody on the way keep what it says of an offset.',
      without('offset', 'cache-control'),
    ],
    'finds-every-upload': [
      'Says of an upload that was never begun that nothing of it has come yet.',
      changed((r, a) =>
        r.is === 'offset' && a.status === 404
          ? answerOf(200, { 'upload-offset': '0', 'upload-length': '1' })
          : a,
      ),
    ],
    'begins-with-200': [
      'Answers a new upload with 200.',
      changed((r, a) => (r.is === 'create' && a.status === 201 ? { ...a, status: 200 } : a)),
    ],
    'takes-any-size': [
      'Begins an upload that is longer than it says that it takes.',
      (p, reached) => ({
        ...p,
        read(asked, base, limits) {
          if (Number(asked.headers['upload-length'] ?? 0) > limits.maxSize) reached()
          return p.read(asked, base, { ...limits, maxSize: Number.POSITIVE_INFINITY })
        },
      }),
    ],
    'tells-no-new-offset': [
      'Acknowledges bytes without saying how many it has now.',
      without('append', 'upload-offset'),
    ],
    'takes-a-wrong-offset': [
      'Appends what comes, at whatever offset it is meant to go.',
      storing((p, reached, store) => ({
        ...p,
        read(asked, base, limits) {
          const r = p.read(asked, base, limits)
          if (r?.is !== 'append') return r
          const at = store()?.find(r.id)?.offset
          if (at === undefined || at === r.offset) return r
          reached()
          return { ...r, offset: at }
        },
      })),
    ],
    'takes-any-content-type': [
      'Appends a body of any type.',
      takes('content-type', 'application/offset+octet-stream'),
    ],
    'takes-an-overrun': [
      'Appends more bytes than were announced for the upload.',
      (p, reached) => ({
        ...p,
        room(length, offset) {
          reached()
          return p.room(length, offset) + 1_000_000
        },
      }),
    ],
    'hangs-on-an-empty-append': [
      'Waits for the bytes of an append that has none.',
      changed((r, a, asked) =>
        r.is === 'append' && asked.headers['content-length'] === '0' ? undefined : a,
      ),
    ],
    'ignores-a-checksum': ['Takes bytes whose checksum does not agree.', takes('upload-checksum', undefined)],
    'ends-nothing': [
      'Says that it has ended an upload, and goes on with it.',
      (p, reached) => ({
        ...p,
        read(asked, base, limits) {
          const r = p.read(asked, base, limits)
          if (r?.is !== 'end') return r
          reached()
          return { is: 'refused', answer: answerOf(204) }
        },
      }),
    ],
    'tells-no-expiry': [
      'Tells when a new upload expires, and not that each append puts that off.',
      without('append', 'upload-expires'),
    ],
    'never-expires': [
      'Keeps uploads that it has said to have expired.',
      (p, reached) => ({ ...p, expire: () => reached() }),
    ],
    'forgets-the-offset': [
      'Throws away all that has come of an upload when a connection breaks.',
      (p, reached) => ({
        ...p,
        hears(e, store) {
          p.hears(e, store)
          if (e.what !== 'broke-off' || e.id === undefined || (e.offset ?? 0) === 0) return
          reached()
          store.cut(e.id, 0)
        },
      }),
    ],
    'keeps-the-old-writer': [
      'Lets nobody append while a connection stands over which something may still come.',
      (p, reached) => ({
        ...p,
        second(asked, end) {
          if (asked === 'end') return p.second(asked, end)
          reached()
          return asked === 'append' ? answerOf(423, {}, 'Somebody appends to it.') : undefined
        },
      }),
    ],
    'lets-two-append': [
      'Appends what comes over two connections at once, as it comes.',
      (p, reached) => ({
        ...p,
        second(asked, end) {
          if (asked === 'end') return p.second(asked, end)
          reached()
          return undefined
        },
      }),
    ],
    'forgets-what-is-complete': [
      'Knows nothing more of an upload once it is complete: a client whose last answer was lost begins anew.',
      changed((r, a) =>
        r.is === 'offset' && a.status === 200 && a.headers['upload-offset'] === a.headers['upload-length']
          ? answerOf(404)
          : a,
      ),
    ],
    'completes-again': [
      'Makes an object of a complete upload each time that somebody asks for it.',
      (p, reached) => {
        const times = new Map<string, number>()
        return {
          ...p,
          complete(u, store, objects, io) {
            const n = (times.get(u.id) ?? 0) + 1
            times.set(u.id, n)
            if (n > 1) reached()
            place(objects, `${u.id}.${n}`, store.read(u.id), io)
            return answerOf(204)
          },
        }
      },
    ],
    'acknowledges-before-flushing': [
      'Acknowledges bytes that are in memory alone.',
      (p, reached) => ({
        ...p,
        io: {
          flush: () => reached(),
          flushFolder: () => reached(),
        },
      }),
    ],
    'flushes-no-folder': [
      'Flushes the bytes of its files, and not that there is such a file.',
      (p, reached) => ({ ...p, io: { ...p.io, flushFolder: () => reached() } }),
    ],
  }),
  ...listOf<UploadServerParts>('upload-server', 'variant', {
    'keeps-whole-requests-alone': [
      'Keeps nothing of a request that broke off.',
      storing((p, reached) => {
        const began = new Map<string, number>()
        return {
          ...p,
          hears(e, store) {
            p.hears(e, store)
            const { id } = e
            if (id === undefined) return
            if (e.what === 'appended') began.set(id, e.offset ?? 0)
            if (e.what !== 'broke-off') return
            reached()
            store.cut(id, began.get(id) ?? 0)
          },
        }
      }),
    ],
    'knows-who-was-there': [
      'Says 410 of what it does not have.',
      changed((_r, a) => (a.status === 404 ? { ...a, status: 410 } : a)),
    ],
    'refuses-empty-appends': [
      'Refuses an append that has no bytes.',
      changed((r, a, asked) =>
        r.is === 'append' && asked.headers['content-length'] === '0'
          ? answerOf(400, {}, 'It has no bytes.')
          : a,
      ),
    ],
  }),
]
