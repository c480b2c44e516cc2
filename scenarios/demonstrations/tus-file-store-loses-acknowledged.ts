/** What @tus/file-store has acknowledged is gone after a loss of power: docs/demonstrations.md. */
import { never, scenario } from '../../bench/index.ts'

export default scenario({
  title: 'The store of the tus project acknowledges bytes that a loss of power takes away again',
  verifies: [],
  demonstrates: { package: '@tus/file-store', check: 'kept' },
  needs: ['tus'],
  catches: {},
  horizon: '5 min',
  async run({ tus, time, check }) {
    check(
      never(tus.told, (e) => told(e.data) < acknowledged(e.data), {
        id: 'kept',
        limit:
          'an offset that was told is a promise: the server never tells a lower one (tus 1.0.0, and in so many words the IETF draft on resumable uploads)',
        verifies: [],
      }),
    )
    await tus.start()
    const piece = 65_536
    for (let round = 0; round < 4; round++) {
      await tus.begin(4 * piece)
      for (let k = 0; k < 2; k++) {
        await tus.append(new Uint8Array(piece).fill(65 + k))
        await time.pass('7 s')
      }
      await tus.ask()
      await tus.cut('3 s')
      await tus.ask()
      await time.pass('20 s')
    }
  },
})

interface Told {
  readonly 'offset [B]': number | null
  readonly 'acknowledged [B]': number
}
const told = (data: unknown): number => (data as Told)['offset [B]'] ?? 0
const acknowledged = (data: unknown): number => (data as Told)['acknowledged [B]']
