/**
 * Another app can read what an app published and the platform stored: a query for the instance's history gives the messages
 * as they were published, each once, under its sub-topic (OpenLV M:0025; LV-CAP API 8.6).
 */
import { isDeepStrictEqual } from 'node:util'
import type { Instant, Json } from '../../drivers/faces.ts'
import { duration, durationText } from '../../drivers/units.ts'
import { matcher } from '../evidence/series.ts'
import type { Check, Series } from '../faces.ts'
import { answerIn } from './answered.ts'
import { type CheckOptions, checkOf, inconclusive, into, offences, pass } from './check.ts'
import { channelOf, objectOf } from './scalar.ts'

export interface ReadBackOptions extends CheckOptions {
  /** The instance whose data is asked for; its topics are `sensor/data/<IID>/<sub-topic>`. */
  readonly instance: string
  /** Name of the query that asks for all of it. */
  readonly query: string
  /** What was published so shortly before the answer may be missing; `5 s` unless given (ours). */
  readonly within?: string
}

interface Sent {
  readonly subTopic: string
  readonly payload: Json
  readonly at: Instant
  readonly seq: number
  found: boolean
}

/** Judges the last answer to the query. Messages from before the watch may stand in it too. */
export function readBack(published: Series, answers: Series, o: ReadBackOptions): Check {
  const within = duration(o.within ?? '5 s')
  const prefix = `sensor/data/${o.instance}/`
  return checkOf(o, {
    id: 'read-back',
    limit: `history of ${o.instance} gives each message of up to ${durationText(within)} before as it was published, once`,
    over: answers,
    needs: ['storage'],
    fold: (watch) => {
      const isPublished = matcher(published)
      const isAnswer = matcher(answers)
      const sent: Sent[] = []
      let found = offences()
      let rows = 0
      let asked = false
      return {
        see(e) {
          if (isPublished(e)) {
            const d = objectOf(e.data)
            const topic = d?.['topic']
            if (typeof topic === 'string' && topic.startsWith(prefix))
              sent.push({
                subTopic: topic.slice(prefix.length),
                payload: d?.['payload'] ?? null,
                at: e.at,
                seq: e.seq,
                found: false,
              })
            return false
          }
          if (!isAnswer(e) || !channelOf(e).endsWith(`.${o.query}`)) return false
          const answer = answerIn(e)
          if (answer === undefined) return false
          asked = true
          found = offences()
          for (const s of sent) s.found = false
          if (answer.status !== 1 && answer.status !== 8)
            found.add('refused', `status ${answer.status ?? 'none'} ${answer.problem ?? ''}`, e.seq)
          for (const table of answer.tables)
            for (const row of table.rows) {
              rows++
              const data = parsed(row.text)
              const hit = sent.find((s) => s.subTopic === row.subTopic && isDeepStrictEqual(s.payload, data))
              const stamp = objectOf(data ?? null)?.['Timestamp']
              if (hit === undefined) {
                if (typeof stamp !== 'number' || stamp * 1000 > watch.begin)
                  found.add('unexpected', `${row.text.slice(0, 120)} was never published so`, e.seq)
              } else if (hit.found)
                found.add('twice', `${hit.subTopic} ${row.text.slice(0, 120)}`, hit.seq, e.seq)
              else hit.found = true
            }
          for (const s of sent)
            if (!s.found && s.at <= e.at - within)
              found.add(
                'lost',
                `${s.subTopic}, published ${into(watch, s.at)}, is not among it`,
                s.seq,
                e.seq,
              )
          return true
        },
        result() {
          const observed = { 'messages published [1]': sent.length, 'rows read [1]': rows, ...found.counts() }
          const failed = found.result(observed)
          if (failed !== undefined) return failed
          if (!asked) return inconclusive('bench', `'${o.query}' was not answered`, observed)
          if (!sent.some((s) => s.found))
            return inconclusive('bench', 'nothing was published to be read', observed)
          return pass(observed)
        },
      }
    },
  })
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json
  } catch {
    return undefined
  }
}
