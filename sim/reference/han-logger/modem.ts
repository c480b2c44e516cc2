/**
 * A serial modem between the reader and the network (thesis, chapter 4.7.3: a modem at a UART). Hayes style: commands end
 * in a carriage return and are answered by a word on a line of its own; `ATD<host>:<port>` makes the line transparent; one
 * second of silence, `+++` and another second bring back the commands; `ATH` hangs up. The part of the AT set that it
 * needs is that of ITU-T V.250, but for the dialled host, which is no number.
 *
 * TLS runs end to end through the line, so that neither the modem nor who listens at it can read or change anything.
 */
import { Duplex } from 'node:stream'
import { SerialPort } from 'serialport'
import { textOf } from '../lvcap/errors.ts'
import { watchCarrier } from './carrier.ts'
import { LoggerError, type ModemConfig } from './config.ts'

export interface Modem {
  /** A connection to a host; it fails with what the modem said, or that it said nothing. One at a time: a later one waits. */
  connect(host: string, port: number): Duplex
  close(): Promise<void>
}

/** Silence before and after the escape, ms (V.250, S-register 12: a second by default), and a little more. */
const guardTime = 1_100
/** Tries at a modem that does not answer, or not as it should after noise. Ours. */
const tries = 4

export function createModem(config: ModemConfig): Modem {
  const { path, baudRate, dataBits, parity, stopBits } = config
  const wait = config.answerSeconds * 1000
  /** Longer than any gap inside one word of the modem: twenty characters. */
  const gap = Math.max(100, (20 * 12_000) / baudRate)
  let port: SerialPort | undefined
  let hear: (chunk: Buffer) => void = () => undefined
  let gone: (why: Error) => void = () => undefined
  let turn: Promise<void> = Promise.resolve()
  let closed = false
  let dialling = false

  const opened = async (): Promise<SerialPort> => {
    if (port?.isOpen === true) return port
    const p = new SerialPort({ path, baudRate, dataBits, parity, stopBits, autoOpen: false })
    p.on('data', (chunk: Buffer) => hear(chunk))
    p.on('error', () => undefined)
    p.on('close', () => {
      if (port === p) port = undefined
      gone(new LoggerError(`the port of the modem, ${path}, is gone`))
    })
    await new Promise<void>((resolve, reject) => {
      p.open((e) => {
        if (e === null || e === undefined) resolve()
        else reject(new LoggerError(`the port of the modem cannot be opened: ${e.message}`))
      })
    })
    port = p
    return p
  }

  const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

  /**
   * Writes, and waits for a line that `fits`; what came after it goes to `rest`. Undefined: nothing fitting in time.
   */
  const ask = (
    p: SerialPort,
    text: string,
    fits: (line: string) => boolean,
    ms: number,
    rest: (b: Buffer) => void = () => undefined,
  ): Promise<string | undefined> =>
    new Promise((resolve, reject) => {
      let got = Buffer.alloc(0)
      const finish = (line?: string): void => {
        clearTimeout(late)
        hear = () => undefined
        gone = () => undefined
        resolve(line)
      }
      const late = setTimeout(finish, ms)
      gone = (why) => {
        clearTimeout(late)
        hear = () => undefined
        reject(why)
      }
      hear = (chunk) => {
        got = Buffer.concat([got, chunk])
        for (let at = got.indexOf('\r\n'); at >= 0; at = got.indexOf('\r\n')) {
          const line = got.subarray(0, at).toString('latin1').trim()
          got = got.subarray(at + 2)
          // An echo of the command, or what an earlier connection left, is no answer.
          if (!fits(line)) continue
          finish(line)
          if (got.length > 0) rest(got)
          return
        }
        // A modem at the wrong speed sends no end of lines.
        if (got.length > 4_096) got = got.subarray(-256)
      }
      p.write(text, 'latin1')
    })

  const word = /^(OK|ERROR|NO CARRIER|BUSY|NO ANSWER|NO DIALTONE|CONNECT\b.*)$/

  /** The modem takes commands when this resolves. */
  const attention = async (p: SerialPort): Promise<void> => {
    for (let i = 0; i < tries; i++) {
      if (closed) throw new LoggerError('given up')
      const answer = await ask(p, 'AT\r', (l) => l === 'OK' || l === 'ERROR', wait)
      if (answer === 'OK') return
      // An error is of what stood before it on the line, an escape that was none, say; one that hears commands is not escaped from.
      if (answer === undefined) await escape(p)
    }
    throw new LoggerError(`the modem at ${path} does not answer`)
  }

  /** Out of whatever connection it may still be in. */
  const escape = async (p: SerialPort): Promise<void> => {
    await new Promise<void>((resolve) => p.drain(() => resolve()))
    await pause(guardTime)
    if (!p.isOpen || (closed && dialling)) return
    if ((await ask(p, '+++', (l) => l === 'OK', guardTime + wait)) !== undefined)
      await ask(p, 'ATH\r', (l) => l === 'OK', wait)
  }

  const dial = async (
    host: string,
    tcp: number,
    d: Duplex,
    early: (b: Buffer) => void,
  ): Promise<SerialPort> => {
    const p = await opened()
    dialling = true
    await attention(p)
    if (d.destroyed || closed) throw new LoggerError('given up')
    const answer = await ask(
      p,
      `ATD${host}:${tcp}\r`,
      (l) => word.test(l) && l !== 'OK',
      config.connectSeconds * 1000,
      early,
    )
    if (answer === undefined) {
      // It may still be dialling: any character gives that up (V.250, 5.6.1).
      await ask(p, '\r', (l) => word.test(l), wait)
      throw new LoggerError(`the modem did not reach ${host}:${tcp} in ${config.connectSeconds} s`)
    }
    if (!answer.startsWith('CONNECT'))
      throw new LoggerError(`the modem could not reach ${host}:${tcp}: ${answer}`)
    return p
  }

  return {
    connect(host, tcp) {
      let p: SerialPort | undefined
      let carrier = false
      const hangUp = Promise.withResolvers<void>()
      const before = turn
      turn = before.then(() => hangUp.promise)

      const carriers = watchCarrier(
        gap,
        (b) => d.push(b),
        () => {
          carrier = false
          d.destroy(new LoggerError('the modem lost its carrier'))
        },
      )
      const d: Duplex = new Duplex({
        construct(done) {
          let early: Buffer = Buffer.alloc(0)
          before
            .then(() => dial(host, tcp, d, (b) => (early = b)))
            .finally(() => (dialling = false))
            .then(
              (opened) => {
                p = opened
                carrier = true
                hear = carriers.take
                gone = (why) => {
                  carrier = false
                  d.destroy(why)
                }
                done()
                if (early.length > 0) carriers.take(early)
              },
              (e: unknown) => done(e instanceof Error ? e : new Error(textOf(e))),
            )
        },
        // Bytes come whether they are asked for or not, at the pace of the line.
        read: () => undefined,
        write(chunk: Buffer, _encoding, done) {
          if (p?.isOpen === true) p.write(chunk, (e) => done(e ?? null))
          else done(new LoggerError('the modem is gone'))
        },
        final(done) {
          if (p?.isOpen === true) p.drain((e) => done(e ?? null))
          else done()
        },
        destroy(error, done) {
          carriers.stop()
          hear = () => undefined
          gone = () => undefined
          done(error)
          const line = p
          if (line?.isOpen === true && carrier)
            escape(line)
              .catch(() => undefined)
              .finally(hangUp.resolve)
          else hangUp.resolve()
        },
      })
      return d
    },
    async close() {
      closed = true
      // A modem that is still asked, or calls, is left to itself: the next one to open its port has its attention first.
      if (dialling) gone(new LoggerError('given up'))
      await turn
      const p = port
      if (p?.isOpen === true) await new Promise<void>((resolve) => p.close(() => resolve()))
    },
  }
}
