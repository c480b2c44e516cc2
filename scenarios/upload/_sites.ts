/** Two platforms that upload to one server at the same time, through whatever befalls it. */
import { reachesServer } from '../../bench/index.ts'
import type { Centre, Platform, Stage, Storage } from '../../bench/index.ts'

/** `app`: which of the apps uploads there. */
export async function bothUpload(
  server: Centre,
  at: { readonly platform: Platform; readonly storage: Storage; readonly storage2: Storage },
  app: 'upload' | 'comms',
  { time, check }: Pick<Stage, 'time' | 'check'>,
  verifies: readonly string[],
): Promise<void> {
  const end = time.now() + time.horizon
  const last = time.horizon > 150_000 ? 60_000 : 35_000
  const sites = [
    { name: 'first', storage: at.storage, rtu: server.rtu, others: [server.rtu2] },
    { name: 'second', storage: at.storage2, rtu: server.rtu2, others: [server.rtu] },
  ]
  for (const { name, storage, rtu, others } of sites)
    check(
      reachesServer(storage.sent, server.batches, {
        id: `${name}-whole`,
        verifies,
        rtu,
        others,
        within: `${last - 10_000} ms`,
      }),
    )
  // The same tables, the same IDs, at the same time: they differ in what stands in them alone.
  let n = 0
  const publish = async (count: number): Promise<void> => {
    await Promise.all(
      sites.map(({ storage, rtu }) =>
        storage.publish({
          messages: Array.from(
            { length: count },
            (_, k) =>
              `{"Timestamp":1500000000,"Value":${n + k}.25,"ToStore":true,"at":"${rtu}","n":${n + k}}`,
          ),
          kept: true,
          subTopic: 'power',
        }),
      ),
    )
    n += count
  }
  for (let round = 0; round === 0 || time.now() < end - last - 60_000; round++) {
    await publish(120)
    await time.pass('8 s')
    const lossy = server.inflict('loses-answers', { answers: 4 })
    await publish(150)
    await time.pass('8 s')
    lossy.lift()
    const away = server.inflict('away')
    await publish(80)
    await time.pass('6 s')
    if (round % 2 === 1) await at.platform.ask('operator', { do: 'restart', app })
    away.lift()
    await time.pass('12 s')
  }
  await time.pass(Math.max(last, end - time.now()))
}
