/** The evidence of what a Modbus device answered. */
import type { Json } from '../../drivers/faces.ts'
import { isSound } from '../../drivers/protocols/modbus/hooks.ts'
import type { Ask, Hooks } from '../../drivers/protocols/modbus/hooks.ts'
import type { Emit } from '../faces.ts'

export interface Telling {
  readonly emit: Emit
  /** What is told of who asked, and of whom; nothing: of this request nothing is told. */
  by(ask: Ask): { readonly [k: string]: Json } | undefined
  /** By quantity: what was answered, and the truth then. `values`: the registers, as they went out. */
  answersIn(ask: Ask, values: DataView): { [k: string]: Json }
}

/** Tells what was answered, beside the truth then; what a fault has made of an answer is a note. */
export function tellsAnswers(t: Telling): Hooks {
  return {
    answered(ask, response, shape) {
      if (((response[0] ?? 0) & 0x80) !== 0) return
      const by = t.by(ask)
      if (by === undefined) return
      const asked = { function: ask.fc, address: ask.address, quantity: ask.quantity, ...by }
      if (!isSound(shape))
        t.emit('note', { what: 'answered wrongly, by a fault', asked, shape: { ...shape } })
      else if (ask.fc === 3 || ask.fc === 4) {
        const values = new DataView(response.buffer, response.byteOffset + 2, response.length - 2)
        t.emit('said', { answers: t.answersIn(ask, values), asked })
      }
    },
  }
}
