/** What a server of resumable uploads owes to each request, and to each upload (tus 1.0.0; role `uploads`). */
import type { Json } from '../../drivers/faces.ts'
import { matcher } from '../evidence/series.ts'
import type {
  Check,
  Series,
  UploadDue,
  UploadExchange,
  UploadLack,
  UploadObject,
  UploadOffers,
} from '../faces.ts'
import { checkOf, inconclusive, into, offences, pass } from './check.ts'
import type { GeneralOptions } from './general.ts'
import { channelOf, objectOf, payloadOf, textOf } from './scalar.ts'

export interface UploadsOweOptions<T> extends GeneralOptions {
  /** What is wrong with it, in words such as `answered 400, where 409 was due`. */
  due(x: T): UploadDue
  /** Why a server that says this of itself owes nothing of the kind. */
  unless?(offers: UploadOffers): string | undefined
  /** It takes something that cannot be played everywhere. */
  takes?: UploadLack['what']
}

/** Each request of the series was answered as was due. */
export function uploadsOwe(series: Series, o: UploadsOweOptions<UploadExchange>): Check {
  return owed(series, o, (p) => p['asked'] !== undefined)
}

/** Each upload of the series has become what was due. */
export function uploadsBecome(series: Series, o: UploadsOweOptions<UploadObject>): Check {
  return owed(series, o, (p) => p['expected'] !== undefined)
}

function owed<T>(
  series: Series,
  o: UploadsOweOptions<T>,
  is: (payload: { readonly [k: string]: Json }) => boolean,
): Check {
  return checkOf(o, {
    id: o.id,
    limit: o.limit,
    over: series,
    fold: (watch) => {
      const fits = matcher(series)
      const offered = matcher({ src: 'uploads', kind: 'seen', select: 'uploads.offers' })
      const lacks = matcher({ src: 'uploads', kind: 'seen', select: 'uploads.lacks' })
      const found = offences()
      let judged = 0
      let hidden: string | undefined
      let not: string | undefined
      let lack: string | undefined
      return {
        see(e) {
          const p = objectOf(payloadOf(e))
          if (p === undefined) return false
          if (offered(e)) not = o.unless?.(p as unknown as UploadOffers)
          if (lacks(e) && p['what'] === o.takes) lack = textOf(p['why'])
          if (!fits(e) || !is(p)) return false
          const due = o.due(p as unknown as T)
          if (typeof due === 'object') {
            hidden = due.hidden
            return false
          }
          judged++
          const what = channelOf(e).split('.').slice(1).join(' ')
          if (due !== undefined) found.add('not as due', `${what}: ${due}, ${into(watch, e.at)}`, e.seq)
          return true
        },
        result() {
          const observed = { 'judged [1]': judged, ...found.counts() }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          const why = not ?? lack ?? hidden
          return judged === 0 && why !== undefined ? inconclusive('rig', why, observed) : pass(observed)
        },
      }
    },
  })
}
