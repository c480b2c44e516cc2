/** What may be typed to a device that is played alone. */
import type { Instant, Json } from '../../../drivers/faces.ts'
import { GridproofError } from '../../../drivers/errors.ts'
import type { Device, Fault } from '../../../sim/faces.ts'
import type { AloneKind } from './kinds.ts'
import { wordsOf } from './words.ts'
import type { Words } from './words.ts'

export interface Console {
  /** Does what a line says, and tells what to answer. Throws `bad-value` or `no-such`, and then nothing was changed. */
  line(text: string): string
  /** Whether somebody has asked it to end. */
  readonly over: boolean
}

interface General {
  readonly usage: string
  readonly does: string
  run(w: Words): string
}

export function createConsole(kind: AloneKind, device: Device, now: () => Instant): Console {
  const inForce = new Map<string, { fault: Fault; name: string }>()
  let over = false

  const faultText = (id: string, f: { fault: Fault; name: string }): string => {
    const params = Object.entries((f.fault.params ?? {}) as Record<string, Json>)
    return `${id}  ${f.name}${params.map(([k, v]) => ` ${k}=${JSON.stringify(v)}`).join('')}`
  }

  const general: Readonly<Record<string, General>> = {
    help: { usage: 'help', does: 'this', run: () => help() },
    values: {
      usage: 'values [text]',
      does: 'what is true now, and how far its answers may be off; only names that hold the text',
      run: (w) => values(w.plain[0] ?? ''),
    },
    faults: {
      usage: 'faults',
      does: 'faults in force, and those that there are (docs/devices.md has their parameters)',
      run: () =>
        [
          ...(inForce.size === 0 ? ['none in force'] : [...inForce].map(([id, f]) => faultText(id, f))),
          `there are: ${device.faults.join(', ')}`,
        ].join('\n'),
    },
    fault: {
      usage: 'fault <name> [name=value ...]',
      does: 'puts a fault on it',
      run(w) {
        const name = w.plain[0]
        if (name === undefined)
          throw new GridproofError('bad-value', `which fault? there are: ${device.faults.join(', ')}`)
        only(w, 1)
        const fault = device.inflict(name, w.named)
        // Without the role, which is the same for all: `slow#1`.
        const id = fault.id.slice(fault.id.indexOf('/') + 1)
        inForce.set(id, { fault, name })
        return `in force: ${faultText(id, { fault, name })}`
      },
    },
    clear: {
      usage: 'clear <fault|all>',
      does: 'lifts a fault, by its name or as faults lists it, or all',
      run(w) {
        const what = w.plain[0]
        const found = [...inForce].filter(([id, f]) => what === 'all' || id === what || f.name === what)
        if (found.length === 0 && what !== 'all')
          throw new GridproofError(
            'no-such',
            `no fault '${what ?? ''}' is in force${inForce.size === 0 ? '' : `; in force are: ${[...inForce.keys()].join(', ')}`}`,
          )
        for (const [id, f] of found) {
          inForce.delete(id)
          f.fault.lift()
        }
        return found.length === 0 ? 'none was in force' : `lifted: ${found.map(([id]) => id).join(', ')}`
      },
    },
    quit: {
      usage: 'quit',
      does: 'ends it, like Ctrl-C',
      run() {
        over = true
        return ''
      },
    },
  }

  const help = (): string => {
    const all = [...Object.values(kind.commands), ...Object.values(general)]
    const width = Math.max(...all.map((c) => (c.usage.length > 34 ? 0 : c.usage.length)))
    return all
      .map((c) =>
        c.usage.length > width
          ? `${c.usage}\n${' '.repeat(width)}  ${c.does}`
          : `${c.usage.padEnd(width)}  ${c.does}`,
      )
      .join('\n')
  }

  const values = (text: string): string => {
    const t = now()
    const names = device.truth.quantities.filter((q) => q.includes(text))
    if (names.length === 0) throw new GridproofError('no-such', `no quantity has '${text}' in its name`)
    const width = Math.max(...names.map((q) => q.length))
    return names
      .map((q) => {
        const v = device.truth.at(q, t)
        return `${q.padEnd(width)}  ${figure(v)} ±${figure(device.accuracy(q, v))}`
      })
      .join('\n')
  }

  return {
    get over() {
      return over
    },
    line(text) {
      const w = wordsOf(text)
      const [name, ...plain] = w.plain
      if (name === undefined) {
        if (Object.keys(w.named).length > 0) throw new GridproofError('bad-value', `which command? type help`)
        return ''
      }
      const rest: Words = { plain, named: w.named }
      const own = Object.hasOwn(kind.commands, name) ? kind.commands[name] : undefined
      if (own !== undefined) {
        device.command(own.make(rest))
        return ''
      }
      const g = Object.hasOwn(general, name) ? general[name] : undefined
      if (g === undefined)
        throw new GridproofError(
          'no-such',
          `no command '${name}'; there are: ${[...Object.keys(kind.commands), ...Object.keys(general)].join(', ')}`,
        )
      return g.run(rest)
    },
  }
}

function only(w: Words, count: number): void {
  const more = w.plain[count]
  if (more !== undefined)
    throw new GridproofError('bad-value', `'${more}' was not expected; parameters are name=value`)
}

/** Five digits that count are more than any device of ours resolves. */
function figure(v: number): string {
  return Number.isFinite(v) ? String(Number(v.toPrecision(5))) : 'no number'
}
