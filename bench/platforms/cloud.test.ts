/** The played cloud in real time, by clients that are not ours. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type IClientOptions } from 'mqtt'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json, Realm } from '../../drivers/faces.ts'
import { makePki } from '../../sim/reference/lvcap/pki.ts'
import { type PlayedCloud, playCloud, readerName, readingsTopic } from './cloud.ts'

let pki = ''
let cloud: PlayedCloud
const seen: { readonly kind: string; readonly data: Json }[] = []
const realm: Realm = { name: 'cloud', address: '127.0.0.1', run: (f) => f(), bind: (face) => face }

beforeAll(async () => {
  pki = mkdtempSync(join(tmpdir(), 'cloud-test-'))
  makePki(pki, { apps: [readerName], algorithm: 'ed25519' })
  cloud = await playCloud({
    address: '127.0.0.1',
    realm,
    pki,
    emit(kind, data) {
      seen.push({ kind, data })
      return seen.length
    },
  })
})
afterAll(async () => {
  await cloud[Symbol.asyncDispose]()
  rmSync(pki, { recursive: true, force: true })
})

const read = (file: string): Buffer => readFileSync(join(pki, file))
const options = (more: IClientOptions = {}): IClientOptions => ({
  protocol: 'mqtts',
  host: '127.0.0.1',
  port: cloud.port,
  ca: read('ca.crt'),
  cert: read(`${readerName}.crt`),
  key: read(`${readerName}.key`),
  clientId: readerName,
  reconnectPeriod: 0,
  connectTimeout: 5_000,
  ...more,
})
/** How it ended at whoever stands there next: it takes a moment to change. */
async function tried(): Promise<string> {
  for (;;) {
    try {
      await (await connectAsync(options())).endAsync()
      return 'let in'
    } catch (e) {
      const code = (e as NodeJS.ErrnoException).code ?? ''
      if (code !== 'ECONNREFUSED') return code
    }
  }
}
const last = (alias: string): Json | undefined =>
  seen.findLast((s) => (s.data as { readonly alias?: string }).alias === alias)?.data

describe('the played cloud', () => {
  test('keeps what it acknowledges, and gives it to those entitled alone', async () => {
    const client = await connectAsync(options())
    await client.publishAsync(readingsTopic, '{"data":{"ActiveImportPower":1}}', { qos: 1 })
    await client.endAsync()
    expect(last('cloud.reading')).toMatchObject({ qos: 1, payload: { data: { ActiveImportPower: 1 } } })
    await cloud.retrieve('entitled')
    expect(last('cloud.retrieved')).toMatchObject({ payload: { stage: 'inside', 'readings [1]': 1 } })
    await cloud.retrieve('colleague')
    expect(last('cloud.retrieved')).toMatchObject({ payload: { stage: 'refused', status: 403 } })
    for (const as of ['stranger', 'nobody'] as const) {
      await cloud.retrieve(as)
      expect(last('cloud.retrieved')).toMatchObject({ payload: { as, stage: 'tls' } })
    }
  })

  test('lets nobody in who shows no certificate', async () => {
    const { cert: _, key: __, ...bare } = options()
    await expect(connectAsync(bare)).rejects.toThrow()
  })

  test('shows a certificate that proves nothing where it is told to, and is itself again', async () => {
    for (const is of ['foreign-ca', 'other-host', 'self-signed']) {
      const fault = cloud.inflict('wrong-certificate', { is })
      while ((await tried()) === 'let in');
      expect(await tried(), is).toMatch(/CERT|ISSUER|SIGNATURE/)
      expect(last('cloud.impostor')).toMatchObject({ payload: { 'given [B]': 0 } })
      fault.lift()
      fault.lift()
      while ((await tried()) !== 'let in');
    }
    expect(() => cloud.inflict('wrong-certificate', { is: 'none' })).toThrow(/wrong|fault/)
    expect(() => cloud.inflict('rain')).toThrow(/no fault 'rain'/)
  })
})
