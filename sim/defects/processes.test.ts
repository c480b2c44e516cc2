import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { createRealWorld } from '../../drivers/real/world.ts'
import { makePki } from '../reference/lvcap/pki.ts'
import { eventually, freePort, listen, tempFolder } from '../reference/lvcap/testing.ts'

const apid = 'lucy_gridkeysensor_1.0'
const iid = 'lucy_gridkeysensor_01'

describe('the platform in processes of its own', () => {
  const folder = tempFolder()
  beforeAll(() => makePki(folder.path, { apps: [apid] }))
  afterAll(() => folder.remove())

  test('starts, publishes with a defect that reached its process, and ends in good order', async () => {
    await using world = await createRealWorld({ seed: 1 })
    const host = await world.host({ name: 'platform', address: '127.0.0.1' })
    const logs: { proc: string; entry: { readonly [k: string]: Json } }[] = []
    const waiting = new Set<() => void>()
    host.onLog((proc, entry) => {
      logs.push({ proc, entry: entry as { readonly [k: string]: Json } })
      for (const f of waiting) f()
    })
    const logged = (event: string, what: Record<string, Json> = {}): Promise<void> =>
      eventually(`${event} in the log`, (resolve) => {
        const look = (): void => {
          const fits = logs.some(
            ({ entry }) => entry['event'] === event && Object.entries(what).every(([k, v]) => entry[k] === v),
          )
          if (!fits) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
    const port = await freePort()
    const proc = await host.start('platform', {
      entry: 'sim/defects/launch.ts',
      defects: ['gridkey-app/wrong-topic'],
      config: {
        app: 'sim/reference/lvcap/platform.ts',
        config: {
          pki: folder.path,
          marketplace: { port },
          apps: [
            {
              apid,
              iid,
              entry: 'sim/reference/lvcap/apps/gridkey/main.ts',
              config: { address: '127.0.0.1', port: await freePort(), interval: 0.5, feeders: [1] },
            },
          ],
        },
      },
    })
    await logged('listening')
    const observer = await listen(folder.path, 'observer', port)
    const odd = await observer.hears((m) => m.topic.includes('/Unnamed/'), 'the odd topic')
    expect(odd.payload).toMatchObject({ Valid: false })
    await logged('defect', { phase: 'reached', defect: 'gridkey-app/wrong-topic' })
    await observer.close()
    proc.signal('TERM')
    expect(await proc.ended).toBe(0)
    await logged('exited', { iid, how: 0 })
  })
})
