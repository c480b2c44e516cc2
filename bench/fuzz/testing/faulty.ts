/** For tests: targets with a fault of each kind, which a run has to find. */
import { parser } from '../target.ts'
import type { Target } from '../target.ts'

const examples = (): Uint8Array[] => [Uint8Array.from([1, 2, 3])]
/** At some inputs, in each long run. */
const at = (input: Uint8Array, f: () => void): void => {
  if (input.length % 7 === 6) f()
}

export const targets: readonly Target[] = [
  {
    name: 'throws',
    weight: 1,
    examples,
    open: () =>
      parser(
        (input) => at(input, () => void (undefined as unknown as string).length),
        () => false,
      ),
  },
  {
    name: 'forgets',
    weight: 1,
    examples,
    open: () => ({
      feed: () => undefined,
      check() {
        throw new Error('a good request has no answer any more')
      },
    }),
  },
  {
    name: 'hangs',
    weight: 1,
    examples,
    open: () =>
      parser(
        (input) =>
          at(input, () => {
            for (;;);
          }),
        () => false,
      ),
  },
  {
    name: 'dies',
    weight: 1,
    examples,
    open: () =>
      parser(
        (input) => at(input, () => process.exit(9)),
        () => false,
      ),
  },
  {
    name: 'well',
    weight: 1,
    examples,
    open: () =>
      parser(
        () => undefined,
        () => false,
      ),
  },
]
