/** Configuration of the Dynamic Thermal Ratings application (M:0047 to M:0050): the transformer, and how hot it may be. */
import { z } from 'zod'
import { parseConfig } from '../../config.ts'
import type { JsonObject } from '../../env.ts'
import { iidPattern } from '../../api.ts'

const positive = z.number().positive()
const iid = z.string().regex(iidPattern)

/**
 * IEC 60076-7, a naturally cooled distribution transformer with oil (ONAN), as published programs have its figures
 * (Daminov, MATLAB code of a CIRED 2021 paper). Generic figures are not on the safe side for every site (Customer-Led
 * Network Revolution, L263), so each can be set.
 */
export const transformerSchema = z
  .strictObject({
    /** A per phase on the low-voltage side. There is no default: nobody can guess it. */
    ratedCurrent: positive.max(1e6),
    /** K over the air at rated load: the top oil. */
    topOilRise: positive.max(200).default(55),
    /** K over the top oil at rated load: the hot spot. */
    hotSpotRise: positive.max(200).default(23),
    /** Minutes. */
    oilTime: positive.max(10_000).default(180),
    windingTime: positive.max(1000).default(4),
    /** Load loss at rated load over no-load loss. */
    lossRatio: z.number().nonnegative().max(1e6).default(5),
    oilExponent: positive.max(3).default(0.8),
    windingExponent: positive.max(3).default(1.6),
    k11: positive.max(10).default(1),
    k21: z.number().min(1).max(10).default(1),
    k22: positive.max(10).default(2),
    /** K that the air about the tank is warmer than what the ambient sensor reads; published programs take 10 indoors. */
    enclosure: z.number().min(0).max(50).default(0),
  })
  .refine((t) => t.k21 === 1 || t.k22 * t.windingTime <= t.oilTime / t.k22, {
    path: ['windingTime'],
    message: 'the winding follows faster than the oil about it: k22 x windingTime is at most oilTime / k22',
  })

export const dtrSchema = z.strictObject({
  transformer: transformerSchema,
  /** What a rating keeps to: normal cyclic loading of IEC 60076-7, table 2, as published programs quote it. */
  limits: z
    .strictObject({
      hotSpot: z.number().min(40).max(200).default(120),
      topOil: z.number().min(40).max(200).default(105),
      /** Load over rated load. */
      load: positive.max(5).default(1.5),
    })
    .prefault({}),
  /** Top oil outside of this is a broken sensor, and no forecast is made from it. °C. Ours. */
  plausible: z.tuple([z.number(), z.number()]).default([-40, 160]),
  /** Whose readings and forecasts it hears, and at which feeder of the monitor the transformer is. */
  gridkey: iid.default('lucy_gridkeysensor_01'),
  feeder: z.int().min(1).max(5).default(1),
  thermocouple: iid.default('eatl_modbusrtusensor_01'),
  predictor: iid.default('eatl_loadpredictor_01'),
  /** Seconds after which a reading says nothing of now any more: three that are due once a minute have not come. Ours. */
  staleAfter: positive.max(3600).default(180),
  /** Seconds between two ratings of now. Ours: as often as there are readings. */
  interval: positive.max(3600).default(60),
  toStore: z.boolean().default(true),
})
export type DtrConfig = z.infer<typeof dtrSchema>
export type Transformer = DtrConfig['transformer']

/** @throws LvcapError `config`, with what does not fit. */
export function readConfig(containerConfig: JsonObject): DtrConfig {
  return parseConfig(
    dtrSchema,
    containerConfig,
    'the configuration of the Dynamic Thermal Ratings application',
  )
}
