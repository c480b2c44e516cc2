/** A relay board that is a Modbus/TCP server: relay n is coil `first + n - 1`; function 5 switches, function 1 tells. */
import modbusSerial from 'modbus-serial'
import { GridproofError, messageOf } from '../errors.ts'
import { answerWithin, type BoardSpec, type PowerBoard } from './board.ts'

// A CommonJS module: the class is its `default`, also at run time.
const ModbusRTU = modbusSerial.default

/** Connects. Throws `rig-lacks`. */
export async function openCoilRelay(
  o: Extract<BoardSpec, { kind: 'coils' }> & { readonly within?: number },
): Promise<PowerBoard> {
  const client = new ModbusRTU()
  const place = `${o.host}:${o.port ?? 502}`
  client.on('error', () => undefined)
  client.setTimeout(o.within ?? answerWithin)
  try {
    await client.connectTCP(o.host, { port: o.port ?? 502 })
  } catch (e) {
    throw new GridproofError('rig-lacks', `the relay board at ${place}: ${messageOf(e)}`, { cause: e })
  }
  client.setID(o.unit ?? 1)
  const coil = (outlet: number): number => {
    if (!(Number.isInteger(outlet) && outlet >= 1 && outlet <= 2000))
      throw new GridproofError('bad-value', `outlet ${outlet}: take 1 or more`)
    return (o.first ?? 0) + outlet - 1
  }
  const tried = async <T>(what: string, f: () => Promise<T>): Promise<T> => {
    try {
      return await f()
    } catch (e) {
      // What modbus-serial throws is not always an Error.
      const { errno, message } = e as { readonly errno?: unknown; readonly message?: unknown }
      const text = typeof message === 'string' ? message : messageOf(e)
      throw new GridproofError(
        errno === 'ETIMEDOUT' ? 'timeout' : 'rig-broke',
        `${what} at ${place}: ${text}`,
        { cause: e },
      )
    }
  }
  const read = (outlet: number): Promise<boolean> =>
    tried(`reading outlet ${outlet}`, async () => (await client.readCoils(coil(outlet), 1)).data[0] === true)
  let turn: Promise<unknown> = Promise.resolve()
  const inTurn = <T>(f: () => Promise<T>): Promise<T> => {
    const mine = turn.then(f, f)
    turn = mine.catch(() => undefined)
    return mine
  }
  return {
    set: (outlet, on) =>
      inTurn(async () => {
        const at = coil(outlet)
        await tried(`switching outlet ${outlet}`, () => client.writeCoil(at, on))
        const stands = await read(outlet)
        if (stands !== on)
          throw new GridproofError(
            'rig-broke',
            `outlet ${outlet} at ${place} was to be ${on ? 'on' : 'off'}, and is ${stands ? 'on' : 'off'}`,
          )
      }),
    read: (outlet) => inTurn(() => read(outlet)),
    async [Symbol.asyncDispose]() {
      await turn.catch(() => undefined)
      await new Promise<void>((resolve) => {
        client.close(() => resolve())
        // A connection that is gone calls nobody back.
        setTimeout(resolve, 200).unref()
      })
    },
  }
}
