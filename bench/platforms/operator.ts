/** The system operator of the reference platform: its own connection to the Container Manager, and what scenarios ask of it. */
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import { addressOf } from '../rigs/address.ts'
import { automationApps, sensorReaders } from './apps.ts'
import type { DevicePlaces } from './apps.ts'
import { observe } from './observer.ts'
import type { Observer } from './observer.ts'
import { operatorRequest } from './operate.ts'
import type { OperatorRequest } from './operate.ts'
import { scriptedApps } from './scripted.ts'
import { storageApp } from './storage.ts'

/** The system operator at the Container Manager. */
export interface Operator extends AsyncDisposable {
  readonly ready: Promise<void>
  request(what: string, iid: string, config: Json): Promise<Json>
  again(): void
}

/** The system operator's own connection: requests to the Container Manager, and its answers. */
export function operatorAt(door: Parameters<typeof observe>[0]['door'], realm: Realm, emit: Emit): Operator {
  const waiting = new Map<string, (answer: Json) => void>()
  let last = 0
  const client: Observer = observe({
    door,
    realm,
    emit,
    aliasOf: () => 'operator.answer',
    topics: ['manager/response'],
    record: false,
    onMessage(_, payload) {
      if (typeof payload !== 'object' || payload === null || !('Id' in payload)) return
      const id = payload['Id']
      if (typeof id !== 'string') return
      waiting.get(id)?.(payload)
      waiting.delete(id)
    },
  })
  return {
    ready: client.watching,
    async request(what, iid, config) {
      const id = `bench-${++last}`
      const answer = Promise.withResolvers<Json>()
      waiting.set(id, answer.resolve)
      const request = { Id: id, Do: what, IID: iid, ContainerConfig: config }
      emit('sent', { alias: 'operator.request', payload: request })
      await client.publish('manager/request', request)
      return answer.promise
    },
    again: () => client.again(),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  }
}

/** How long the Container Manager may take to answer its operator. Ours. */
const answerWithin = 10_000

const configRequest = z.strictObject({
  app: z.enum(['gridkey', 'thermocouple', 'adam']),
  intervalSeconds: z.number().positive().optional(),
  /** Where the app looks for its device: at the device, or at an address where nothing is. */
  deviceAt: z.enum(['device', 'nowhere']).optional(),
  topics: z.enum(['spec', 'openlv-2018']).optional(),
  /** Feeders that the app reads and publishes. */
  feeders: z.array(z.int().min(1).max(5)).min(1).optional(),
  /** What the app tells beside its readings (LV-CAP API 8.3.2, 9.2 to 9.4). */
  metadata: z.boolean().optional(),
  profile: z.strictObject({ quantities: z.array(z.string()).min(1), outputs: z.int().min(2) }).optional(),
  site: z.strictObject({ coordinates: z.array(z.number()).min(1), system: z.string() }).optional(),
})

/** Last number of an address in the rig's network at which nothing stands: rig files end at 250. */
const nowhere = 251

/** `{ app: 'gridkey', intervalSeconds: 10 }`: changes an app's configuration, and waits for the answer. */
export async function configure(
  request: Json,
  operator: Operator,
  o: { readonly network: string; readonly places: DevicePlaces },
): Promise<Json> {
  const r = configRequest.safeParse(request)
  if (!r.success)
    throw new GridproofError('bad-value', `a change of configuration: ${z.prettifyError(r.error)}`)
  const { app: name, intervalSeconds, deviceAt, ...others } = r.data
  const app = sensorReaders[name]
  const place = o.places[name]
  if (deviceAt !== undefined && (place === undefined || !('address' in place)))
    throw new GridproofError('bad-value', `the ${name} app reaches its device by no address`)
  const own = place !== undefined && 'address' in place ? place.address : ''
  const change = {
    ...(intervalSeconds === undefined ? {} : { interval: intervalSeconds }),
    ...(deviceAt === undefined
      ? {}
      : { address: deviceAt === 'device' ? own : addressOf(o.network, nowhere) }),
    ...(others as { [k: string]: Json }),
  }
  return answerOf(operator, { what: 'change', iid: app.iid, config: change })
}

/** `{ do: 'restart', app: 'first' }`: asks the Container Manager, and waits for the answer. */
export async function operate(request: Json, operator: Operator): Promise<Json> {
  const iids: Readonly<Record<string, { readonly iid: string }>> = {
    ...sensorReaders,
    ...scriptedApps,
    ...automationApps,
    storage: storageApp,
  }
  return answerOf(
    operator,
    operatorRequest(request, (app) => iids[app]?.iid),
  )
}

async function answerOf(operator: Operator, r: OperatorRequest): Promise<Json> {
  const late = Promise.withResolvers<never>()
  const t = setTimeout(() => {
    late.reject(
      new GridproofError('timeout', `the Container Manager did not answer within ${answerWithin / 1000} s`),
    )
  }, answerWithin)
  try {
    return await Promise.race([operator.request(r.what, r.iid, r.config), late.promise])
  } finally {
    clearTimeout(t)
  }
}
