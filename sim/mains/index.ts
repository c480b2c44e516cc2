/** The mains as a pure model. */
import type { MainsModel } from '../faces.ts'
import { checkedPlan, momentsOfABoot, threeInFiveMinutes } from './plan.ts'
import { passed, supplied, voltageBecomes } from './supply.ts'

export const mainsModel: MainsModel = {
  supplied,
  voltageBecomes: (s, voltage, now) => voltageBecomes(s, voltage, now),
  passed,
  checkedPlan,
  threeInFiveMinutes,
  momentsOfABoot,
}
