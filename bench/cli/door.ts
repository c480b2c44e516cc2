/** Where something is to be reached, as the command line says it: `--tcp`, `--port` or `--pty`. */
import { GridproofError } from '../../drivers/errors.ts'
import type { Door } from '../main/alone/play.ts'

export interface DoorOptions {
  readonly tcp?: string
  readonly port?: string
  readonly pty?: string | true
}

/** The one door that is given. Throws `usage` where there is none, several, or one that does not fit. */
export function doorGiven(o: DoorOptions, fits: (d: Door) => boolean, says: string): Door {
  const given = (['tcp', 'port', 'pty'] as const).filter((k) => o[k] !== undefined)
  const [first] = given
  const door = given.length === 1 && first !== undefined ? doorOf(o, first) : undefined
  if (door === undefined || !fits(door))
    throw new GridproofError('usage', `${says}: give that${given.length > 1 ? ', and only once' : ''}`)
  return door
}

function doorOf(o: DoorOptions, which: 'tcp' | 'port' | 'pty'): Door {
  if (which === 'port') return { kind: 'port', path: o.port ?? '' }
  if (which === 'pty') return { kind: 'pty', ...(typeof o.pty === 'string' ? { link: o.pty } : {}) }
  return { kind: 'tcp', ...hostAndPort(o.tcp ?? '') }
}

/** Throws `usage` for what is no `host:port`. */
export function hostAndPort(text: string): { host: string; port: number } {
  const m = /^(?:\[([0-9A-Fa-f:.%]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text)
  const port = Number(m?.[3] ?? Number.NaN)
  if (m === null || !(port <= 65_535))
    throw new GridproofError(
      'usage',
      `'${text}' is no host:port; write for instance 127.0.0.1:5020 or [::1]:5020`,
    )
  return { host: m[1] ?? m[2] ?? '', port }
}

export function doorText(d: Door): string {
  if (d.kind === 'tcp') return `at ${d.host}:${d.port}`
  return d.kind === 'port' ? `at ${d.path}` : 'at a pseudo terminal'
}
