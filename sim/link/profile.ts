/** How a link behaves, as data: fixtures/links/<name>.yaml. What a profile leaves out, its link does not do. */
import { existsSync, readdirSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'
import { GridproofError } from '../../drivers/errors.ts'
import { duration } from '../../drivers/units.ts'
import { readYaml } from '../../drivers/yaml.ts'

const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'links')

/** A duration with its unit, such as `250 ms`; in milliseconds once read. */
export const time = z.string().transform((text, ctx) => {
  try {
    return duration(text)
  } catch {
    ctx.addIssue({
      code: 'custom',
      message: `'${text}' is not a duration: write a number and ms, s, min, h or d`,
    })
    return z.NEVER
  }
})
const share = z.number().min(0).max(1)
/** From and to; drawn evenly in between. */
const span = z.tuple([time, time]).refine(([a, b]) => a <= b, 'expected the shorter one first')
/** Kilobits (1000 bits) per second. */
const kbit = z.number().min(0.1).max(100_000_000)

/** What a connection may take of a link, and when it is full. */
export const quota = z.strictObject({
  /** Bytes in both directions together, those sent again included. */
  bytes: z.number().min(1),
  /** Counted anew after so long; never unless given. */
  per: time.optional(),
  /** `blocked`: nothing passes any more; else what rate is left to both directions. */
  full: z.union([z.literal('blocked'), z.strictObject({ kbit })]),
})

/** Times one way, which add up to a round trip. */
export const delay = z
  .strictObject({
    /** Lognormal: half of all are shorter, 95 % are shorter; drawn anew after `holds`. */
    median: time,
    p95: time.optional(),
    holds: time.default(1000),
    /** Added for each piece, drawn evenly from nothing to this. */
    jitter: time.default(0),
  })
  .refine(
    (d) => d.p95 === undefined || (d.median > 0 && d.p95 >= d.median),
    'expected p95 of at least the median',
  )

/**
 * Loss by two states after Gilbert and Elliott, for each packet of 1400 bytes: `good` and `bad` are the shares lost in
 * either, `worsens` and `mends` the chances to change state. TCP sends again what is lost: bytes come late, never not at all.
 */
export const loss = z.strictObject({
  good: share.default(0),
  bad: share.default(0.3),
  worsens: share.default(0),
  mends: share.refine((v) => v > 0, 'expected more than 0').default(0.1),
})

const length = z.union([
  z.strictObject({ share, exponential: z.strictObject({ mean: time }) }),
  z.strictObject({
    share,
    lognormal: z.strictObject({ median: time, sigma: z.number().min(0).max(4), cap: time.optional() }),
  }),
])
export type DropLength = z.infer<typeof length>

const settings = z.strictObject({
  delay: delay.optional(),
  /** Of the bottleneck, each direction apart; without limit unless given. */
  rate: z.strictObject({ up_kbit: kbit.optional(), down_kbit: kbit.optional() }).default({}),
  /** The radio lies idle after so long without a packet (RRC), and the next one waits for it. */
  idle: z
    .strictObject({
      after: time,
      wait: span,
      /** Chance that a bad state of loss begins with it. */
      burst: share.default(0),
    })
    .optional(),
  /** Times during which nothing arrives, and all of it at their end. */
  spikes: z.strictObject({ per_hour: z.number().min(0).max(3600), lasts: span }).optional(),
  loss: loss.optional(),
  /** Times without carrier. Their lengths are a mixture, with shares that add up to 1. */
  drops: z
    .strictObject({
      per_day: z.number().min(0).max(86_400),
      lengths: z
        .array(length)
        .min(1)
        .refine(
          (l) => Math.abs(l.reduce((s, x) => s + x.share, 0) - 1) < 1e-9,
          'expected shares that add up to 1',
        ),
    })
    .optional(),
  /** The operator's address translation forgets a connection that is silent for so long, and tells nobody. */
  nat: z.strictObject({ tcp_idle: time }).optional(),
  /** After a drop of at least `after` the modem attaches anew, with another address: nobody knows its connections any more. */
  reattach: z
    .strictObject({
      after: time,
      /** What the host's packets on such a connection meet with. */
      answers: z.enum(['silence', 'rst']).default('silence'),
    })
    .optional(),
  /** Connections that peers ask for from outside. */
  inbound: z.enum(['blocked', 'open']).default('blocked'),
  /** Bytes arrive in slices of so many, so far apart. */
  slice: z.strictObject({ bytes: z.int().min(1).max(65_536), gap: time.default(0) }).optional(),
  quota: quota.optional(),
})

export type LinkSettings = z.infer<typeof settings>

const profile = settings.extend({
  format: z.literal('gridproof-link/1'),
  title: z.string().min(10),
  /** Where each number comes from, by its path: `ours: ...` or `published: ...` with the document. */
  origin: z.record(
    z.string(),
    z.string().regex(/^(ours|published): ./, 'expected ours: ... or published: ...'),
  ),
})

export interface LinkProfile {
  readonly name: string
  readonly title: string
  readonly settings: LinkSettings
  readonly origin: Readonly<Record<string, string>>
}

/** Names of the profiles that come with the bench. */
export const linkProfiles = (): readonly string[] =>
  readdirSync(folder)
    .filter((f) => f.endsWith('.yaml'))
    .map((f) => f.slice(0, -5))
    .sort()

/**
 * Reads a profile by its name, or a file where the name is a path (it has a slash or ends in .yaml).
 * Throws `no-such` for an unknown name, `bad-file` with file, line, path and what was expected.
 */
export function readLinkProfile(name: string): LinkProfile {
  const path = name.includes('/') || name.endsWith('.yaml')
  const file = path
    ? isAbsolute(name)
      ? name
      : join(folder, '..', '..', name)
    : join(folder, `${name}.yaml`)
  if (!path && !existsSync(file))
    throw new GridproofError(
      'no-such',
      `fixtures/links has no '${name}'; there are: ${linkProfiles().join(', ')}`,
    )
  const { format: _, title, origin, ...rest } = readYaml(file, profile)
  return { name, title, settings: rest, origin }
}

/** A link that does nothing but pass on. */
export const plainSettings: LinkSettings = settings.parse({})

/** Settings as data give them. Throws `bad-value`. */
export function linkSettings(given: unknown): LinkSettings {
  const r = settings.safeParse(given)
  if (r.success) return r.data
  throw new GridproofError('bad-value', `settings of a link: ${z.prettifyError(r.error)}`)
}
