/** Each defect of what every application has makes a difference at its part, and says when. */
import { expect, test } from 'vitest'
import type { Message } from '../reference/lvcap/api.ts'
import * as gridkey from '../reference/lvcap/apps/gridkey/main.ts'
import * as temperature from '../reference/lvcap/apps/temperature/main.ts'
import { sdkDefects, temperatureSdkDefects } from './sdk.ts'

const iid = 'lucy_gridkeysensor_01'
const reading: Message = {
  topic: `sensor/data/${iid}/Busbar/voltage/60s/L1-N_RMS`,
  payload: { Timestamp: 1, Value: 230, Valid: true },
  qos: 1,
  retain: false,
}
const own = {
  apid: 'lucy_gridkeysensor_1.0',
  iid,
  pki: '/',
  marketplace: { address: '127.0.0.1', port: 8883 },
  topics: 'spec',
} as const

/** What the parts do with a little of everything. */
async function exercise(p: ReturnType<typeof gridkey.parts>): Promise<string> {
  const sent: Message[] = []
  const send = async (m: Message): Promise<void> => void sent.push(m)
  await p.publish({ ...reading, topic: `config/request/${iid}`, payload: { Timestamp: 1 } }, send)
  await p.publish({ ...reading, topic: `status/response/${iid}`, payload: { Status: 4 } }, send)
  for (let k = 0; k < 60; k++) await p.publish(reading, send)
  return JSON.stringify([
    sent,
    p.present(own),
    p.arrange([reading], 1),
    [1, 2].map(() => p.answer(iid, 1, 0)),
    p.topic('busbar.l1n.voltage', { topics: 'spec', interval: 60 } as Parameters<typeof p.topic>[1]),
  ])
}

test.each(sdkDefects.map((d) => [d.id, d] as const))('%s comes to bear, and shows', async (_, d) => {
  let reached = 0
  const broken = await exercise(d.wrap(gridkey.parts({}), () => reached++))
  expect(reached).toBeGreaterThan(0)
  expect(broken).not.toBe(await exercise(gridkey.parts({})))
})

test('a temperature application that falls silent answers once', () => {
  let reached = 0
  const p = temperatureSdkDefects[0]?.wrap(temperature.parts({}), () => reached++)
  expect([1, 2, 3].map(() => p?.answer('a_a_01', 1, 0) === null)).toEqual([false, true, true])
  expect(reached).toBe(2)
})
