/** What checks observed over many seeds, as their evidence has it: amounts are added up, of all else the most is told. */
import type { Json } from '../../drivers/faces.ts'

/** What a scenario took, ms: of its own time, and of a processor's. */
export interface Spent {
  readonly benchMs: number
  readonly cpuMs: number
}

export interface Totals {
  take(checks: readonly { readonly id: string; readonly verdict: string; readonly observed: Json }[]): void
  passed(s: Spent): void
  readonly spent: Spent
  /** One line a check, in the order in which they came, and one a figure. */
  lines(): string[]
}

interface Figures {
  judged: number
  passed: number
  readonly of: Map<string, number>
}

/** Numbers and bytes: of these a sum tells something. Times and shares have a greatest one. */
const isAmount = (name: string): boolean => / \[(?:1|B)\]$/.test(name) || !name.endsWith(']')

export function createTotals(): Totals {
  const checks = new Map<string, Figures>()
  let spent: Spent = { benchMs: 0, cpuMs: 0 }
  return {
    get spent() {
      return spent
    },
    passed(s) {
      spent = { benchMs: spent.benchMs + s.benchMs, cpuMs: spent.cpuMs + s.cpuMs }
    },
    take(list) {
      for (const c of list) {
        let f = checks.get(c.id)
        if (f === undefined) {
          f = { judged: 0, passed: 0, of: new Map() }
          checks.set(c.id, f)
        }
        f.judged++
        if (c.verdict === 'pass' || c.verdict === 'marginal') f.passed++
        if (c.observed === null || typeof c.observed !== 'object' || Array.isArray(c.observed)) continue
        for (const [name, value] of Object.entries(c.observed)) {
          if (typeof value !== 'number') continue
          const before = f.of.get(name)
          f.of.set(name, isAmount(name) ? (before ?? 0) + value : Math.max(before ?? value, value))
        }
      }
    },
    lines: () =>
      [...checks].flatMap(([id, f]) => [
        `${id}: passed at ${f.passed} of ${f.judged} seeds`,
        ...[...f.of].map(([name, n]) => `    ${told(name, n)}`),
      ]),
  }
}

function told(name: string, n: number): string {
  const [, what = name, unit = '1'] = /^(.*?)(?: \[([^\]]*)\])?$/.exec(name) ?? []
  const amount = `${n.toLocaleString('en-GB', { maximumFractionDigits: 3 })}${unit === '1' ? '' : ` ${unit}`}`
  return isAmount(name) ? `${what}: ${amount}` : `${what}: ${amount} at most`
}
