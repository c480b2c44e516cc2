/** The catalogue of requirements: YAML files in fixtures/requirements, one or more for each source document. */
import { z } from 'zod'

export const priorities = ['must', 'should', 'will-not', 'information', 'stated'] as const
export const methods = ['test', 'demonstration', 'analysis', 'inspection', 'information'] as const

/**
 * Whom a requirement binds. Where the bench plays the subject, a passed check reads `played by the bench`.
 * `isd`: hardware of the substation device; `platform`: its software; `app`: one of its apps; `solution`: the whole
 * deployed system; `meter-reader`: the embedded HAN reader of the thesis; `document`: text that asks nothing.
 */
export const subjects = [
  'platform',
  'app',
  'isd',
  'gridkey',
  'thermocouple',
  'breaker',
  'management-server',
  'data-centre',
  'upload-server',
  'meter',
  'meter-reader',
  'cloud',
  'solution',
  'operator',
  'document',
] as const

/** A strict object whose refusal of an unknown key names the keys that it knows. */
function strict<S extends z.ZodRawShape>(shape: S) {
  return z.strictObject(shape, {
    error: (issue) =>
      issue.code === 'unrecognized_keys'
        ? `unknown key ${issue.keys.join(', ')}; known here: ${Object.keys(shape).join(', ')}`
        : undefined,
  })
}

const clause = strict({
  /** Unique within its requirement; lower case, words joined by '-': `voltage`. Referred to as `M:0022/voltage`. */
  id: z.string().regex(/^[a-z0-9]+(?:-[a-z0-9]+)*$/, 'a clause id is lower-case words joined by -'),
  /** What this clause asks, in our own words, as one sentence without a full stop. */
  asks: z.string().min(5),
  /** Where it differs from the requirement's. */
  subject: z.enum(subjects).optional(),
  method: z.enum(methods).optional(),
  why: z.string().min(5).optional(),
}).refine((c) => c.method === undefined || c.method === 'test' || c.why !== undefined, {
  path: ['why'],
  message: 'a clause with a method of its own that is not test says why (key: why)',
})

const requirement = strict({
  /** Verbatim from the source: `M:0023`, `SR-1.3`, `MP102B:2`. A `/` would start a clause. */
  id: z
    .string()
    .min(2)
    .regex(/^[^\s/]+$/, 'an ID holds no space and no /'),
  /** Section number in the source, as text: '3.4.5'. */
  section: z.string().min(1),
  priority: z.enum(priorities),
  /** One line, in our own words. */
  statement: z.string().min(10).max(240),
  subject: z.enum(subjects),
  method: z.enum(methods),
  /** Why it is not tested; needed unless the method is `test`. */
  why: z.string().min(5).optional(),
  /** What it asks, piece by piece. Empty only for `information`. */
  clauses: z.array(clause),
  /** Technical requirements of the thesis under this SR-. */
  technical: z.array(strict({ id: z.string(), statement: z.string().min(5) })).optional(),
  /** How we read the source where it is unclear, or a cross-reference. */
  reading: z.string().optional(),
  /** True for section IDs that we gave where the source numbers nothing; counted apart. */
  ours: z.boolean().optional(),
})
  .refine((r) => r.method === 'test' || r.why !== undefined, {
    path: ['why'],
    message: 'a requirement that is not tested says why (key: why)',
  })
  .refine((r) => r.method === 'information' || r.clauses.length > 0, {
    path: ['clauses'],
    message: 'a requirement that asks something has at least one clause',
  })
  .superRefine((r, context) => {
    const seen = new Set<string>()
    r.clauses.forEach(({ id }, i) => {
      if (seen.has(id)) {
        const message = `clause ${id} of ${r.id} is there twice; a clause id is unique within its requirement`
        context.addIssue({ code: 'custom', path: ['clauses', i, 'id'], message })
      }
      seen.add(id)
    })
  })

export const catalogueFile = strict({
  /** Short name: `openlv`. */
  document: z.string(),
  title: z.string(),
  /** File in which the source stands, for people who have it. */
  source: z.string(),
  requirements: z.array(requirement),
})

export type Priority = (typeof priorities)[number]
export type Method = (typeof methods)[number]
export type Subject = (typeof subjects)[number]
export type Clause = z.infer<typeof clause>
export type Requirement = z.infer<typeof requirement>
export type CatalogueFile = z.infer<typeof catalogueFile>
