/** The work of `gridproof listen`. */
import { GridproofError } from '../../drivers/errors.ts'
import type { Json, SerialSettings } from '../../drivers/faces.ts'
import { wallTime } from '../../drivers/protocols/dlms/datetime.ts'
import { duration } from '../../drivers/units.ts'
import { listColumns, valuesText } from '../main/alone/lists.ts'
import type { Heard } from '../main/listen/decode.ts'
import { readKeys } from '../main/listen/keys.ts'
import { doubtText, listen } from '../main/listen/listen.ts'
import type { Source } from '../main/listen/listen.ts'
import { figuresText, listName } from '../main/listen/stats.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { hostAndPort } from './door.ts'
import type { ListenCommandOptions } from './listen.ts'
import { onStop } from './on-stop.ts'

/** Performs the command and returns its exit code. */
export async function performListen(o: ListenCommandOptions): Promise<number> {
  const source = sourceOf(o)
  const forMs = o.for === undefined ? undefined : duration(o.for)
  if (forMs !== undefined && forMs > 2 ** 31 - 1)
    throw new GridproofError('usage', '--for takes at most 24 d; leave it out to listen until Ctrl-C')
  const silenceMs = duration(o.silence)
  if (!(silenceMs > 0 && silenceMs < 2 ** 31))
    throw new GridproofError('usage', '--silence takes a duration above 0, such as 4 s')
  if (o.record !== undefined && source.kind === 'file')
    throw new GridproofError('usage', '--record needs a line to listen to, not a capture')
  const keys = o.key === undefined ? undefined : readKeys(o.key)
  const show = createShow(o)
  if (keys?.open === true) show.remark(`others may read ${o.key ?? ''}: chmod 600 it`)
  if (o.record !== undefined)
    show.remark(
      `${o.record} will hold what comes as it comes, with the number of the meter: mind whom you give it`,
    )

  const { promise: stopped, resolve: stop, reject } = Promise.withResolvers<number>()
  const forget = onStop(() => stop(exitCodes.aborted))
  let timer: NodeJS.Timeout | undefined
  try {
    const l = await listen({
      source,
      decode: {
        ...(o.framing === 'auto' ? {} : { framing: o.framing }),
        ...(keys === undefined ? {} : { keys: keys.keys }),
        ...(keys?.ecbKey === undefined ? {} : { ecbKey: keys.ecbKey }),
        lengthOverflow: o.lengthOverflow === true,
        kamstrupEnergy: o.kamstrupEnergy === '1' ? 1 : 10,
      },
      silenceMs,
      ...(o.record === undefined ? {} : { record: o.record }),
      onHeard: (h) => show.heard(h),
      onLine: (_, text) => show.remark(text),
      onBroken: reject,
    })
    let code: number
    try {
      show.ready(l.place)
      if (forMs !== undefined) timer = setTimeout(() => stop(exitCodes.ok), forMs)
      code = await Promise.race([stopped, l.through.then(() => exitCodes.ok)])
    } finally {
      await l[Symbol.asyncDispose]()
    }
    show.end(l)
    return code === exitCodes.ok && l.read === 0 ? exitCodes.inconclusive : code
  } finally {
    clearTimeout(timer)
    forget()
  }
}

function sourceOf(o: ListenCommandOptions): Source {
  const given = (['port', 'tcp', 'file'] as const).filter((k) => o[k] !== undefined)
  if (given.length !== 1)
    throw new GridproofError('usage', 'what is listened to? give one of --port, --tcp and --file')
  if (o.file !== undefined) return { kind: 'file', path: o.file }
  if (o.tcp !== undefined) return { kind: 'tcp', ...hostAndPort(o.tcp) }
  return { kind: 'port', path: o.port ?? '', settings: lineOf(o.line) }
}

/** `2400-8E1`. Throws `usage`. */
export function lineOf(text: string): SerialSettings {
  const m = /^(\d{2,7})-([78])([NEO])([12])$/i.exec(text)
  if (m === null)
    throw new GridproofError(
      'usage',
      `'${text}' are no settings of a line: write for instance 2400-8E1 (Kaifa, Aidon) or 2400-8N1 (Kamstrup)`,
    )
  const parity = ({ N: 'none', E: 'even', O: 'odd' } as const)[(m[3] ?? '').toUpperCase() as 'N' | 'E' | 'O']
  return {
    baudRate: Number(m[1]),
    dataBits: m[2] === '7' ? 7 : 8,
    parity,
    stopBits: m[4] === '2' ? 2 : 1,
  }
}

/** The first four and the last two digits of a meter's number. */
function masked(id: string): string {
  return id.length <= 6
    ? '*'.repeat(id.length)
    : `${id.slice(0, 4)}${'*'.repeat(id.length - 6)}${id.slice(-2)}`
}

function createShow(o: ListenCommandOptions) {
  const put = (text: string): void => void process.stdout.write(`${text}\n`)
  const json = (v: Json): void => put(JSON.stringify(v))
  const numberOf = (id: string | undefined): string | undefined =>
    id === undefined || o.keepNumbers === true ? id : masked(id)
  const stamp = (at: number): string => new Date(at).toISOString().slice(11, 23)
  let meter: string | undefined

  const listed = (h: Extract<Heard, { readonly what: 'list' }>): void => {
    const { reading: r, span } = h
    const clock = r.clock === undefined ? undefined : wallTime(r.clock)
    if (o.json === true)
      return json({
        what: 'list',
        at: span.began,
        ended: span.ended,
        bytes: span.bytes,
        pause: span.pause,
        dialect: r.dialect,
        list: r.list ?? null,
        ciphered: h.ciphered,
        meter: numberOf(r.meterId) ?? null,
        type: r.meterType ?? null,
        clock: clock ?? null,
        values: r.values,
      })
    const who = [r.meterType, numberOf(r.meterId), r.listVersion].filter((x) => x !== undefined).join(' ')
    // Said once, and again when it is another.
    if (who !== '' && r.meterId !== undefined && who !== meter) {
      meter = who
      put(`the meter: ${who}, ${r.dialect}${h.ciphered ? ', ciphered' : ''}`)
    }
    const name = r.list === undefined ? ` (${listName(h)})` : ''
    put(
      `${stamp(span.began)}   ${listColumns(r.list, span.bytes, span.ended - span.began)}  ${valuesText(r.values)}${clock === undefined ? '' : `  clock ${clock}`}${name}`,
    )
  }
  return {
    ready(place: string): void {
      if (o.json === true) json({ what: 'ready', place })
      else put(o.file === undefined ? `listening to ${place}; Ctrl-C ends it` : `what ${place} holds`)
    },
    remark(text: string): void {
      process.stderr.write(`${text}\n`)
    },
    heard(h: Heard): void {
      if (o.quiet === true) return
      if (h.what === 'list') return listed(h)
      if (h.what === 'unread') {
        const { began, bytes } = h.span
        if (o.json === true) json({ what: h.what, at: began, bytes, why: h.why })
        else put(`${stamp(began)} ! a message of ${bytes} bytes: ${h.why}`)
      } else if (h.what === 'rejected') {
        const begin = Buffer.from(h.begin).toString('hex')
        if (o.json === true) json({ what: h.what, at: h.at, why: h.why, begin })
        else put(`${stamp(h.at)} ! rejected: ${h.why}${begin === '' ? '' : ` (${begin} ...)`}`)
      } else if (o.json === true) json({ what: h.what, at: h.at, bytes: h.bytes })
      else put(`${stamp(h.at)} ! ${h.bytes} bytes of noise`)
    },
    end(l: Awaited<ReturnType<typeof listen>>): void {
      if (o.json === true)
        return json({
          what: 'end',
          bytes: l.bytes,
          framing: l.framing ?? null,
          figures: l.figures as unknown as Json,
        })
      put('')
      if (l.bytes === 0)
        put(
          'nothing came: has the grid company opened the port, and is the transceiver wired right? (docs/han-technician.md)',
        )
      else if (l.framing === undefined) put(doubtText(l.bytes, {}))
      else
        put(
          `${l.bytes} bytes, framed by ${l.framing === 'hdlc' ? 'HDLC' : 'M-Bus'}\n${figuresText(l.figures)}`,
        )
    },
  }
}
