/** What happens to a device that is played alone, as lines for a person; never more than can be read. */
import type { Json } from '../../../drivers/faces.ts'
import { listOf, sentText } from './lists.ts'
import type { News } from './play.ts'

/** Lines a second, beyond which they are counted only; ours. */
const most = 20
const figuresShown = 3

export interface Teller {
  tell(n: News): void
  close(): void
}

export function createTeller(put: (line: string) => void): Teller {
  let told = 0
  let untold = 0
  let timer: NodeJS.Timeout | undefined
  /** Lines that wait for what the device says of the same answer. */
  let waiting: { line: string; figures: string } | undefined

  const settle = (): void => {
    timer = undefined
    if (untold > 0) put(`             … and ${untold} more in this second`)
    ;[told, untold] = [0, 0]
  }
  const line = (text: string): void => {
    timer ??= setTimeout(settle, 1000)
    timer.unref()
    if (++told > most) untold++
    else put(text)
  }
  const flush = (): void => {
    const w = waiting
    waiting = undefined
    if (w !== undefined) line(w.figures === '' ? w.line : `${w.line}: ${w.figures}`)
  }

  return {
    tell(n) {
      const at = new Date(n.at).toISOString().slice(11, 23)
      if (n.what === 'trouble') return put(n.text)
      if (n.what === 'exchange') {
        flush()
        const { peer, request, answer, odd } = n.exchange
        const asked = request === undefined ? peer : `${peer} ${request}`
        waiting = { line: `${at} ${odd ? '!' : ' '} ${asked} → ${answer}`, figures: '' }
        // The device tells what it has answered right after it has sent it.
        queueMicrotask(flush)
        return
      }
      const list = n.kind === 'said' || n.kind === 'note' ? listOf(n.data) : undefined
      if (list !== undefined) return line(`${at} ${list.damaged ? '!' : ' '} ${sentText(list)}`)
      if (n.kind === 'said') {
        if (waiting !== undefined) waiting.figures = figures(n.data)
        return
      }
      flush()
      const text = eventText(n.kind, n.data)
      if (text !== undefined) line(`${at}   ${text}`)
    },
    close() {
      clearTimeout(timer)
      flush()
      if (timer !== undefined) settle()
    },
  }
}

function field(data: Json, name: string): Json | undefined {
  return typeof data === 'object' && data !== null && !Array.isArray(data)
    ? (data as Readonly<Record<string, Json>>)[name]
    : undefined
}

function text(data: Json, name: string): string {
  const v = field(data, name)
  return typeof v === 'string' ? v : JSON.stringify(v ?? null)
}

/** The first few quantities of an answer. */
function figures(data: Json): string {
  const answers = Object.entries((field(data, 'answers') ?? {}) as Record<string, readonly (number | null)[]>)
  const shown = answers.slice(0, figuresShown).map(([name, [value]]) => {
    const [, quantity = name, unit = ''] = /^(.*) \[(.*)\]$/.exec(name) ?? []
    return `${quantity} ${value === null || value === undefined ? 'no number' : Number(value.toPrecision(5))}${unit === '1' ? '' : ` ${unit}`}`
  })
  return answers.length > shown.length
    ? `${shown.join(', ')} and ${answers.length - shown.length} more`
    : shown.join(', ')
}

/** In words; nothing where what happened is told by the wire or by who asked for it. */
function eventText(kind: string, data: Json): string | undefined {
  if (kind === 'wire')
    return `${text(data, 'peer')} has ${text(data, 'what')}; connected now: ${text(data, 'payload')}`
  if (kind === 'fault')
    return `fault ${text(data, 'id')} ${field(data, 'phase') === 'on' ? 'is on' : 'is lifted'}`
  if (field(data, 'what') === undefined) return undefined
  const { what: _, alias: __, ...rest } = data as Record<string, Json>
  const more = field(data, 'detail') ?? (Object.keys(rest).length === 0 ? undefined : rest)
  return `${text(data, 'what')}${more === undefined ? '' : ` ${JSON.stringify(more)}`}`
}
