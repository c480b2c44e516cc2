/**
 * The standard JSON objects (API section 9) as schemas. Keys that a schema does not name are let pass: the API forbids
 * none. Examples in the document hold typing errors; what counts is its tables.
 */
import { z } from 'zod'

/** Unix seconds (section 4.5); a fraction would be a field of its own. */
const timestamp = z.int()
const scalarValue = z.union([z.boolean(), z.number()])

/** A Priority outside 1 to 5 counts as none (section 4.9). */
const optional = {
  ToStore: z.boolean().optional(),
  Priority: z.int().optional(),
  /** Reserved (section 8.1.2). */
  Signature: z.looseObject({}).optional(),
}

/** Section 9.1, table 20. */
export const scalarObject = z.looseObject({
  Timestamp: timestamp,
  /** Not used while Valid is false (section 4.8). */
  Value: scalarValue.nullable(),
  Valid: z.boolean(),
  ...optional,
})

/** Section 9.2, table 21. Confidences lie between 0 and 1, as the only example has them. */
export const seriesObject = z
  .looseObject({
    Timestamp: timestamp,
    StartPoint: z.number(),
    Interval: z.number().positive(),
    Value: z.array(scalarValue),
    Confidence: z.array(z.number().min(0).max(1)).optional(),
    Valid: z.boolean(),
    TimestampStart: timestamp.optional(),
    TimestampEnd: timestamp.optional(),
    ...optional,
  })
  .refine((s) => s.Confidence === undefined || s.Confidence.length === s.Value.length, {
    path: ['Confidence'],
    message: 'as many confidences as values',
  })

/** Section 9.3, table 22. */
export const coordinateObject = z.looseObject({
  Timestamp: timestamp,
  Coordinates: z.array(z.number()).min(1),
  System: z.string().optional(),
  Valid: z.boolean(),
  ...optional,
})

/** Section 9.4, table 23. */
export const metadataObject = z.looseObject({
  Name: z.string().min(1),
  Units: z.string().optional(),
  DisplayUnits: z.string().optional(),
  SigFigs: z.int().positive().optional(),
})

/** Section 9.5, table 24. */
export const configurationObject = z.looseObject({
  ContainerName: z.string().min(1),
  ContainerConfig: z.record(z.string(), z.json()),
})

/** The priority by which data counts (section 4.9): 1 is the highest, 6 stands for none. */
export function priorityOf(priority: unknown): 1 | 2 | 3 | 4 | 5 | 6 {
  return priority === 1 || priority === 2 || priority === 3 || priority === 4 || priority === 5 ? priority : 6
}
