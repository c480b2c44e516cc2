/** The computer of a lab's platform, as far as the bench has it in hand: its power, and nothing else. */
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Host, Outlet } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import type { LabRig } from './lab.ts'

/** Why a scenario that cuts power is not played here; nothing: it may be, or it asks for no power. */
export function powerLacks(file: LabRig, needs: readonly string[], armed: boolean): string | undefined {
  if (!needs.includes('mains') || file.power === undefined || armed) return undefined
  return `the rig '${file.name}' would cut the power of its platform: only with --arm`
}

/** `emit`: in the name of the mains. When its board has switched is told, since that is when power really goes. */
export function labHost(name: string, outlet: Outlet, emit: Emit): Host {
  let cutting: Promise<void> = Promise.resolve()
  const cannot = (what: string): never => {
    throw new GridproofError('not-capable', `the bench has no hand in ${what} of the platform of a lab`)
  }
  const power = async (on: boolean): Promise<void> => {
    await outlet.power(on)
    emit('note', { what: `the board has switched ${name} ${on ? 'on' : 'off'}` })
  }
  return {
    name,
    address: '',
    disk: '',
    // A power cut as in the field: nobody is told, and a disk loses what it had not written.
    can: new Set(['cut', 'durability'] as const),
    cut() {
      cutting = power(false)
      cutting.catch((e: unknown) => void emit('note', { what: `power was not cut: ${messageOf(e)}` }))
    },
    async restore() {
      try {
        // A cut that did not come about is no cut: whatever was judged of it would be wrong.
        await cutting
      } finally {
        cutting = Promise.resolve()
        await power(true)
      }
      return []
    },
    start: () => cannot('the programs'),
    kill: () => cannot('the programs'),
    hang: () => cannot('the programs'),
    fill: () => cannot('the disk'),
    clock: () => cannot('the clock'),
    figures: () => ({}),
    onLog: () => undefined,
  }
}
