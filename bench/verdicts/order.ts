/** The order of verdicts. They only ever get worse. */
import type { Result, VerdictWord } from '../faces.ts'

/** From best to worst. */
export const verdictOrder = [
  'pass',
  'marginal',
  'inconclusive',
  'fail',
] as const satisfies readonly VerdictWord[]

/** The worse of two verdicts. */
export function worse(a: VerdictWord, b: VerdictWord): VerdictWord {
  return verdictOrder.indexOf(b) > verdictOrder.indexOf(a) ? b : a
}

/** The worst result of a list, the first one where several are equally bad; nothing of an empty list. */
export function worst<T extends { readonly result: Result }>(list: readonly T[]): T | undefined {
  let out: T | undefined
  for (const x of list)
    if (
      out === undefined ||
      verdictOrder.indexOf(x.result.verdict) > verdictOrder.indexOf(out.result.verdict)
    )
      out = x
  return out
}
