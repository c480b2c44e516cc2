/** Power cuts on disks that lose what was not flushed, in virtual time. See durable.test.ts. */
import type { Doing, Json } from '../../faces.ts'
import type { Installed } from '../install.ts'
import { createVirtualWorld } from '../world.ts'

interface Asked {
  readonly way: string
  readonly cuts: number
  readonly point?: Doing
  /** Of its disk. */
  readonly cached?: true
  readonly mount?: string
}

/** After each cut: how many the program had told that it kept, and how many it found again. */
export async function task({ kernel }: Installed, arg: Json): Promise<Json> {
  const { way, cuts, point, cached, mount } = arg as unknown as Asked
  return kernel.run(
    async () => {
      await using world = await createVirtualWorld()
      const host = await world.host({
        name: 'edge',
        address: '10.0.0.1',
        durable: true,
        ...(cached === undefined ? {} : { cached }),
        ...(mount === undefined ? {} : { mount }),
      })
      const seen: { kept: number; found: number }[] = []
      let kept = 0
      let found: number | undefined
      host.onLog((_, entry) => {
        const e = entry as { kept?: number; found?: number }
        if (e.kept !== undefined) kept = e.kept
        if (e.found !== undefined) found = e.found
      })
      await host.start('keeper', {
        entry: 'drivers/real/testing/keeper.ts',
        config: { way, everyMs: 10 },
        defects: [],
      })
      for (let n = 0; n < cuts; n++) {
        if (point === undefined) {
          await world.pass(95)
          host.cut()
        } else {
          const power = { off: false }
          host.onDoing?.(point, { nth: 3 + n, when: n % 2 === 0 ? 'before' : 'after' }, () => {
            power.off = true
            host.cut()
          })
          for (let k = 0; k < 100 && !power.off; k++) await world.pass(10)
        }
        await world.pass(50)
        const before = kept
        found = undefined
        await host.restore()
        await world.pass(1)
        seen.push({ kept: before, found: found ?? -1 })
      }
      const cache = host.cache?.()
      return {
        can: host.can.has('durability'),
        seen,
        escapes: kernel.escapes.length,
        ...(cache === undefined ? {} : { cache: { ...cache } }),
      }
    },
    { seed: 3 },
  )
}
