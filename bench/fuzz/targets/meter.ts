/** What comes over a meter's serial line: HDLC and M-Bus frames, DLMS messages, readings. */
import { DlmsError, decodeData } from '../../../drivers/protocols/dlms/axdr.ts'
import { decodeNotification } from '../../../drivers/protocols/dlms/notification.ts'
import { aidonBody, apduOf, envelopes, frameOf } from '../../../drivers/protocols/han/lists.ts'
import { kaifaBody, kamstrupBody } from '../../../drivers/protocols/han/lists.ts'
import type { MeterState } from '../../../drivers/protocols/han/lists.ts'
import { createPushAssembler } from '../../../drivers/protocols/han/push.ts'
import { readApdu } from '../../../drivers/protocols/han/reading.ts'
import { createHdlcReceiver } from '../../../drivers/protocols/hdlc/receiver.ts'
import { createMbusReceiver, encodeMbus } from '../../../drivers/protocols/mbus/link.ts'
import { segmentsOf } from '../../../drivers/protocols/mbus/transport.ts'
import { createDecoder } from '../../main/listen/decode.ts'
import { parser } from '../target.ts'
import type { Opened, Target } from '../target.ts'

const refuses = (e: unknown): boolean => e instanceof DlmsError

const state: MeterState = {
  meterId: '6970631401753985',
  meterType: 'MA304H3E',
  values: {
    activePowerImport: 1234,
    activePowerExport: 0,
    reactivePowerImport: 12,
    reactivePowerExport: 0,
    current1: 5.432,
    current2: 1.2,
    current3: 0.1,
    voltage1: 239.8,
    voltage2: 240.1,
    voltage3: 238.9,
    activeEnergyImport: 12_345_678,
    activeEnergyExport: 0,
    reactiveEnergyImport: 100,
    reactiveEnergyExport: 2000,
  },
  clock: {
    year: 2026,
    month: 11,
    day: 21,
    dayOfWeek: 6,
    hour: 10,
    minute: 0,
    second: 0,
    hundredths: 255,
    deviation: -60,
    status: 0,
  },
}

const apdus = (): Uint8Array[] => [
  ...([1, 2, 3] as const).map((n) => apduOf(kaifaBody(n, state), envelopes.kaifa, state.clock)),
  ...([1, 2, 3] as const).map((n) => apduOf(aidonBody(n, state), envelopes.aidon, state.clock)),
  ...([1, 3] as const).map((n) => apduOf(kamstrupBody(n, state), envelopes.kamstrup, state.clock)),
]

/** Two receivers as a logger has them, fed a stream that never ends. */
function stream(): Opened {
  let told = 0
  const assembler = createPushAssembler({
    message(m) {
      if (m.apdu === undefined) return
      try {
        readApdu(m.apdu)
        told++
      } catch (e) {
        if (!refuses(e)) throw e
      }
    },
  })
  const hdlc = createHdlcReceiver({ frame: (f) => assembler.hdlc(f) })
  const mbus = createMbusReceiver({ frame: (f) => assembler.mbus(f) })
  const good = frameOf(apduOf(kaifaBody(1, state), envelopes.kaifa, state.clock), envelopes.kaifa)
  return {
    feed(input) {
      hdlc.push(input)
      mbus.push(input)
    },
    check() {
      hdlc.flush()
      mbus.flush()
      assembler.expire()
      const before = told
      hdlc.push(good)
      hdlc.flush()
      if (told !== before + 1) throw new Error('a good frame is not read any more')
    },
  }
}

/** A stream as `gridproof listen` hears it: both framings tried, with a key. */
function heard(): Opened {
  let lists = 0
  const d = createDecoder(
    { keys: new Map([['any', { encryption: new Uint8Array(16), authentication: new Uint8Array(16) }]]) },
    (h) => {
      if (h.what === 'list') lists++
      if (h.what !== 'rejected' && h.what !== 'noise' && !(h.span.ended >= h.span.began))
        throw new Error(`a message ends ${h.span.began - h.span.ended} ms before it begins`)
    },
  )
  const good = frameOf(apduOf(kaifaBody(1, state), envelopes.kaifa, state.clock), envelopes.kaifa)
  let at = 0
  d.push(good, at)
  return {
    feed: (input) => d.push(input, ++at),
    check() {
      d.silent()
      const before = lists
      d.push(good, ++at)
      d.silent()
      if (lists !== before + 1) throw new Error('a good list is not heard any more')
    },
  }
}

export const meterTargets: readonly Target[] = [
  {
    name: 'meter-heard',
    weight: 8,
    examples: () => [
      ...apdus().map((a) => frameOf(a, envelopes.aidon)),
      ...apdus().map((a) => Buffer.concat(segmentsOf(a).map((f) => encodeMbus(f)))),
    ],
    open: heard,
  },
  {
    name: 'meter-stream',
    weight: 12,
    examples: () => [
      ...apdus().map((a) => frameOf(a, envelopes.kaifa)),
      ...apdus().map((a) => Buffer.concat(segmentsOf(a).map((f) => encodeMbus(f)))),
    ],
    open: stream,
  },
  {
    name: 'dlms-messages',
    weight: 12,
    examples: apdus,
    open: () => parser((input) => readApdu(input), refuses),
  },
  {
    name: 'dlms-data',
    weight: 8,
    examples: () => apdus().map((a) => a.subarray(18)),
    open: () =>
      parser((input) => {
        for (const read of [decodeData, decodeNotification])
          try {
            read(input)
          } catch (e) {
            if (!refuses(e)) throw e
          }
      }, refuses),
  },
]
