/** Who judged what, where and with what, in words. */
import type { Identity, RunHeader } from '../../bench/evidence/schema.ts'

/** Which one of its kind was judged, by whom and where: `serial SG1-000123`, `operator A. Nother`. Empty where nobody said. */
export function identityTexts(h: Pick<RunHeader, 'subject' | 'identity'>): readonly string[] {
  const { model, serial } = h.subject
  const { operator, site, instruments = [] } = h.identity ?? {}
  return [
    ...(model === undefined ? [] : [`model ${model}`]),
    ...(serial === undefined ? [] : [`serial ${serial}`]),
    ...(operator === undefined ? [] : [`operator ${operator}`]),
    ...(site === undefined ? [] : [`site ${site}`]),
    ...instruments.map((i) => `with ${instrumentText(i)}`),
  ]
}

/** `USB adapter to RS-485, serial A10XYZ, calibrated until 2027-01`. */
export function instrumentText(i: NonNullable<Identity['instruments']>[number]): string {
  return [
    i.name,
    ...(i.serial === undefined ? [] : [`serial ${i.serial}`]),
    ...(i.calibration === undefined ? [] : [`calibration ${i.calibration}`]),
  ].join(', ')
}
