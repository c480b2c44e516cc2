/** How many frames of a meter are built, and read, in a second of CPU. */
import { createHdlcReceiver } from '../../drivers/protocols/hdlc/receiver.ts'
import { createPushAssembler } from '../../drivers/protocols/han/push.ts'
import { readApdu } from '../../drivers/protocols/han/reading.ts'
import { framesOf } from '../../sim/devices/meter/frames.ts'
import { meterSchema } from '../../sim/devices/meter/personality.ts'
import { readPersonality } from '../../sim/devices/personality.ts'

export interface HanRates {
  readonly name: string
  readonly bytes: number
  /** Frames for each second of CPU. */
  readonly encoded: number
  readonly decoded: number
}

/** Calls for each second of CPU: the best of some rounds, for a busy machine only takes away. */
function rate(f: () => void): number {
  let best = 0
  for (let round = 0; round < 5; round++) {
    const [n, from] = [2000, process.cpuUsage()]
    for (let i = 0; i < n; i++) f()
    const used = process.cpuUsage(from)
    best = Math.max(best, n / ((used.user + used.system) / 1e6))
  }
  return best
}

export function measureHan(): HanRates[] {
  return (
    [
      ['Kaifa List 1', 'kaifa-ma304h3e', 1],
      ['Kaifa List 3', 'kaifa-ma304h3e', 3],
      ['Aidon List 3', 'aidon-6534', 3],
      ['Kamstrup List 3', 'kamstrup-6841', 3],
    ] as const
  ).map(([name, personality, list]) => {
    const p = readPersonality(personality, meterSchema)
    const clock = { year: 2026, month: 1, day: 15, dayOfWeek: 4, hour: 9, minute: 0, second: 10 }
    let watts = 0
    const make = (): Uint8Array =>
      Buffer.concat(
        framesOf(
          p,
          list,
          {
            meterId: p.id,
            meterType: p.model,
            values: {
              activePowerImport: ++watts % 10_000,
              voltage1: 230.1,
              current1: 5.1,
              activeEnergyImport: 1e7,
            },
            clock: { ...clock, hundredths: 255, deviation: undefined, status: 0 },
          },
          { invocationCounter: 1, lengthOverflow: false },
        ),
      )
    const frame = make()
    let readings = 0
    const assembler = createPushAssembler({
      message: (m) => {
        if (m.apdu !== undefined) readings += readApdu(m.apdu).items.length
      },
    })
    const receiver = createHdlcReceiver({ frame: (f) => assembler.hdlc(f) })
    const [encoded, decoded] = [rate(() => void make()), rate(() => receiver.push(frame))]
    if (readings === 0) throw new Error(`${name}: nothing was read`)
    return { name, bytes: frame.length, encoded, decoded }
  })
}
