/** Aliases of a platform whose topics follow no profile that we know: which topic stands for which alias. */
import { z } from 'zod'

/** Topics by alias: `gridkey.busbar.l1n.voltage: site/7/lv/u1`. No wildcards, and no topic twice. */
export const aliasMap = z
  .record(
    z
      .string()
      .regex(
        /^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)+$/,
        'expected an alias: words of lower-case letters, digits, _ and -, joined by dots',
      ),
    z.string().regex(/^[^+#\0]+$/, 'expected a topic without wildcards'),
  )
  .superRefine((map, context) => {
    const by = new Map<string, string>()
    for (const [alias, topic] of Object.entries(map)) {
      const first = by.get(topic)
      if (first !== undefined)
        context.addIssue({ code: 'custom', path: [alias], message: `'${topic}' is ${first} already` })
      by.set(topic, alias)
    }
  })

/** A file that holds them, beside the rig file. */
export const aliasFile = z.strictObject({ format: z.literal('gridproof-aliases/1'), aliases: aliasMap })

/** The function from topic to alias that asks the list first, and then whoever else knows. */
export function aliasesFirst(
  aliases: Readonly<Record<string, string>>,
  otherwise: (topic: string) => string,
): (topic: string) => string {
  const byTopic = new Map(Object.entries(aliases).map(([alias, topic]) => [topic, alias]))
  return (topic) => byTopic.get(topic) ?? otherwise(topic)
}
