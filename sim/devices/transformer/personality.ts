/** Schema of a transformer's personality: the parameters of IEC 60076-7, each number with its source. */
import { z } from 'zod'
import { personalityHead, readPersonality } from '../personality.ts'

/** A number, and by which entry of `sources` it came here. */
function figure(value: z.ZodNumber): z.ZodObject<{ value: z.ZodNumber; source: z.ZodString }> {
  return z.strictObject({ value, source: z.string().min(1) })
}

const figures = {
  /** A per phase, at rated load. */
  rated_current: figure(z.number().positive().max(1e6)),
  /** K of the top oil over the air about the tank, at rated load in the steady state. */
  top_oil_rise: figure(z.number().positive().max(200)),
  /** K of the hot spot over the top oil, at rated load in the steady state. */
  hot_spot_rise: figure(z.number().positive().max(200)),
  /** Minutes. */
  oil_time_constant: figure(z.number().positive().max(10_000)),
  /** Minutes. */
  winding_time_constant: figure(z.number().positive().max(1000)),
  /** R: load loss at rated load over no-load loss. */
  loss_ratio: figure(z.number().nonnegative().max(1e6)),
  /** x and y. */
  oil_exponent: figure(z.number().positive().max(3)),
  winding_exponent: figure(z.number().positive().max(3)),
  k11: figure(z.number().positive().max(10)),
  k21: figure(z.number().min(1).max(10)),
  k22: figure(z.number().positive().max(10)),
  /** K that the air about the tank is warmer than outside. */
  enclosure: figure(z.number().min(0).max(50)),
} as const

export const transformerSchema = z
  .strictObject({
    ...personalityHead,
    device: z.literal('transformer'),
    sources: z.record(z.string().min(1), z.string().min(1)),
    ...figures,
  })
  .superRefine((p, ctx) => {
    for (const name of Object.keys(figures) as (keyof typeof figures)[]) {
      const { source } = p[name]
      if (!Object.hasOwn(p.sources, source))
        ctx.addIssue({ code: 'custom', path: [name, 'source'], message: `'${source}' is not among sources` })
    }
  })

export type TransformerPersonality = z.infer<typeof transformerSchema>

/** The same numbers without their sources: what the model computes with. Units as in the schema. */
export type TransformerParameters = Readonly<Record<keyof typeof figures, number>>

/** The bare parameters of a personality. */
export function parametersOf(p: TransformerPersonality): TransformerParameters {
  return {
    rated_current: p.rated_current.value,
    top_oil_rise: p.top_oil_rise.value,
    hot_spot_rise: p.hot_spot_rise.value,
    oil_time_constant: p.oil_time_constant.value,
    winding_time_constant: p.winding_time_constant.value,
    loss_ratio: p.loss_ratio.value,
    oil_exponent: p.oil_exponent.value,
    winding_exponent: p.winding_exponent.value,
    k11: p.k11.value,
    k21: p.k21.value,
    k22: p.k22.value,
    enclosure: p.enclosure.value,
  }
}

/** Reads a transformer by name (fixtures/personalities) or path. Throws `no-such`, `bad-file`. */
export function readTransformer(name: string): TransformerParameters {
  return parametersOf(readPersonality(name, transformerSchema))
}
