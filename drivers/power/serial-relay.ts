/** A serial relay board: frames of lcus.ts, cut out of the line by @serialport/parser-byte-length. */
import { ByteLengthParser } from '@serialport/parser-byte-length'
import { SerialPort } from 'serialport'
import { GridproofError, messageOf } from '../errors.ts'
import { answerWithin, type BoardSpec, type PowerBoard } from './board.ts'
import { decodeRelay, encodeRelay, frameLength, type RelayCommand } from './lcus.ts'

/** Opens its port. Throws `rig-lacks`. */
export async function openSerialRelay(
  o: Extract<BoardSpec, { kind: 'serial-relay' }> & { readonly within?: number },
): Promise<PowerBoard> {
  const port = new SerialPort({ path: o.path, baudRate: o.baudRate ?? 9600, autoOpen: false })
  await new Promise<void>((resolve, reject) => {
    port.open((e) => {
      if (e === null || e === undefined) resolve()
      else
        reject(
          new GridproofError('rig-lacks', `the relay board's port ${o.path}: ${messageOf(e)}`, { cause: e }),
        )
    })
  })
  const lost = Promise.withResolvers<never>()
  lost.promise.catch(() => undefined)
  port.on('error', (e) => lost.reject(new GridproofError('rig-broke', `${o.path}: ${messageOf(e)}`)))
  port.on('close', () => lost.reject(new GridproofError('rig-broke', `${o.path} was closed`)))
  /** One at a time: an answer does not say what it answers. */
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(f: () => Promise<T>): Promise<T> => {
    const mine = turn.then(f, f)
    turn = mine.catch(() => undefined)
    return mine
  }
  const write = (bytes: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      port.write(bytes)
      port.drain((e) => {
        if (e === null || e === undefined) resolve()
        else reject(new GridproofError('rig-broke', `${o.path}: ${messageOf(e)}`, { cause: e }))
      })
    })
  const ask = async (relay: number, what: RelayCommand): Promise<boolean> => {
    // A parser of its own for each answer: bytes that were left over would shift all that follow.
    const parser = port.pipe(new ByteLengthParser({ length: frameLength }))
    const heard = Promise.withResolvers<Uint8Array>()
    parser.once('data', (frame: Buffer) => heard.resolve(frame))
    const timer = setTimeout(
      () =>
        heard.reject(
          new GridproofError(
            'timeout',
            `the relay board at ${o.path} did not answer within ${o.within ?? answerWithin} ms`,
          ),
        ),
      o.within ?? answerWithin,
    )
    try {
      await write(encodeRelay(relay, what))
      const frame = decodeRelay(await Promise.race([heard.promise, lost.promise]))
      if (frame.relay !== relay || frame.code > 1)
        throw new GridproofError(
          'bad-frame',
          `the relay board at ${o.path} was asked for relay ${relay}, and told ${frame.code} of relay ${frame.relay}`,
        )
      return frame.code === 1
    } finally {
      clearTimeout(timer)
      heard.promise.catch(() => undefined)
      port.unpipe(parser)
      parser.destroy()
      port.resume()
    }
  }
  // Nobody reads between answers: what comes then is thrown away.
  port.resume()
  return {
    set: (outlet, on) =>
      inTurn(async () => {
        if (o.answers === false) {
          await write(encodeRelay(outlet, on ? 'close' : 'open'))
          return
        }
        const stands = await ask(outlet, on ? 'close-and-tell' : 'open-and-tell')
        if (stands !== on)
          throw new GridproofError(
            'rig-broke',
            `relay ${outlet} at ${o.path} was to be ${on ? 'closed' : 'opened'}, and is ${stands ? 'closed' : 'open'}`,
          )
      }),
    read: (outlet) => (o.answers === false ? Promise.resolve(undefined) : inTurn(() => ask(outlet, 'tell'))),
    async [Symbol.asyncDispose]() {
      await turn.catch(() => undefined)
      await new Promise<void>((resolve) => {
        if (port.isOpen) port.close(() => resolve())
        else resolve()
      })
    },
  }
}
