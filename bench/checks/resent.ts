/** What a link that breaks, and power that goes, cost in bytes sent again. */
import { matcher } from '../evidence/series.ts'
import type { Check, Event, Series } from '../faces.ts'
import type { BatchEvent } from './uploaded.ts'
import { type CheckOptions, checkOf, offences, pass } from './check.ts'
import { isCut } from './power.ts'
import { objectOf, textOf } from './scalar.ts'

/** Is there a carrier no more? */
export function isDrop(e: Event): boolean {
  if (e.kind !== 'link') return false
  const d = objectOf(e.data)
  return textOf(d?.['alias']) === 'link.carrier' && d?.['state'] === 'down'
}

/**
 * Bytes of uploads that came to the server, against what they hold: each break costs one window at most. What a break is
 * the server says, which sees transfers break off; with `breaks: 'played'`, the bench: a drop of the link or a cut of
 * power, and then also bytes count that the server refused because it had them.
 */
export function resendsLittle(
  uploads: Series,
  batches: Series,
  o: CheckOptions & {
    /** Bytes that are sent at a time, by configuration. */
    readonly window: number
    readonly breaks?: 'played'
  },
): Check {
  const played = o.breaks === 'played'
  const one = played ? 'drop of the link and each power cut' : 'time that a transfer broke off'
  return checkOf(o, {
    id: 'resends-little',
    limit: `bytes that came are at most those of the batches, and ${o.window} for each ${one}${played ? ', for each batch and for all of them' : ''}`,
    over: uploads,
    fold: () => {
      const isUpload = matcher(uploads)
      const isBatch = matcher(batches)
      const found = offences()
      let [came, held, broken, created] = [0, 0, 0, 0]
      let [drops, amid, cuts, cutsAmid] = [0, 0, 0, 0]
      /** Since the batch before. Bytes that were refused are of any break before: they count for all batches together. */
      const since = { kept: 0, breaks: 0 }
      /** Whether a transfer is under way. */
      let open = false
      let last = 0
      const breaks = (): number => (played ? drops + cuts : broken)
      const take = (e: Event): void => {
        const d = e.data as unknown as BatchEvent
        last = e.seq
        if (d.again) return
        held += d.bytes
        if (played && since.kept > d.bytes + since.breaks * o.window)
          found.add(
            'sent again',
            `${since.kept} bytes were taken for a batch of ${d.bytes}, with ${since.breaks} breaks of at most ${o.window} bytes`,
            e.seq,
          )
        Object.assign(since, { kept: 0, breaks: 0 })
      }
      return {
        see(e) {
          if (isDrop(e)) {
            drops++
            if (open) amid++
            since.breaks++
            return false
          }
          if (isCut(e)) {
            cuts++
            if (open) cutsAmid++
            since.breaks++
            return false
          }
          if (isBatch(e)) {
            take(e)
            return false
          }
          if (!isUpload(e)) return false
          const p = objectOf(objectOf(e.data)?.['payload'] ?? null)
          const what = p?.['what']
          if (what === 'created') {
            created++
            open = true
          }
          if (what === 'completed') open = false
          if (what === 'broke-off' || what === 'taken-over') broken++
          if (what === 'refused' && !played) return true
          const n = p?.['bytes']
          if (typeof n === 'number') {
            came += n
            if (what !== 'refused') since.kept += n
          }
          return true
        },
        result() {
          const end = found.copy()
          // The last one may be on its way.
          const most = held + (breaks() + 1) * o.window
          if (came > most)
            end.add(
              'sent again',
              `${came} bytes came for ${held}, with ${breaks()} breaks of at most ${o.window} bytes`,
              last,
            )
          const observed = {
            'bytes that came [B]': came,
            'bytes of the batches [B]': held,
            ...(played
              ? {
                  'bytes sent again [B]': Math.max(0, came - held),
                  'permitted again [B]': breaks() * o.window,
                  'drops of the link [1]': drops,
                  'drops amid a transfer [1]': amid,
                  'power cuts [1]': cuts,
                  'cuts amid a transfer [1]': cutsAmid,
                }
              : {}),
            'transfers broken off [1]': broken,
            'transfers begun [1]': created,
            ...end.counts(),
          }
          return end.result(observed) ?? pass(observed, [last])
        },
      }
    },
  })
}
