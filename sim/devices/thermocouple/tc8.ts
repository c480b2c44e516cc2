/** The TC8: int16 in tenths of a degree, microvolts beside it, a register of flags for each kind of trouble, a fault mode. */
import { putInt16 } from '../../../drivers/protocols/modbus/registers.ts'
import { rangeOf } from './its90.ts'
import { channels, measure } from './measure.ts'
import { faultModes } from './personality.ts'
import type { Tc8Personality } from './personality.ts'
import type { Show } from './show.ts'

export const typeCodes = { K: 1, T: 2 } as const

export function tc8(p: Tc8Personality): Show {
  const r = p.registers
  const count = registerCount(p)
  const exists = new Uint8Array(count)
  for (const [from, n] of [
    [r.temperature, 8],
    [r.microvolts, 8],
    [r.type, 8],
  ] as const)
    exists.fill(1, from, from + n)
  for (const a of [r.junction, r.open, r.over, r.under, r.cj_fault, r.fault_mode]) exists[a] = 1

  const words = new Uint16Array(count)
  const tenths = new Int16Array(channels)
  const microvolts = new Int16Array(channels)

  return {
    tellsJunction: true,
    modeAt: r.fault_mode,
    range: (channel) => rangeOf(p.channels[channel]?.type ?? 'K'),
    has(table, address, quantity) {
      if (table !== 'holding-registers' && table !== 'input-registers') return false
      for (let i = address; i < address + quantity; i++) if (exists[i] !== 1) return false
      return true
    },
    scan(errors, truth, d, modeSet) {
      const mode = d.mode ?? modeSet
      const junction = {
        true: truth.junction,
        reckoned: d.cjFault ? p.cj_fault_value : truth.junction + errors.junction,
      }
      let [open, over, under] = [0, 0, 0]
      for (let i = 0; i < channels; i++) {
        const channel = p.channels[i] ?? null
        const bit = 1 << i
        const frozen = channel !== null && (d.frozen & bit) !== 0
        if (frozen) {
          // stands still, and no flag tells
        } else if (channel === null || (d.open & bit) !== 0) {
          open |= bit
          const full = channel === null ? 0x7fff : 10 * rangeOf(channel.type).to
          if (mode !== faultModes.indexOf('freeze')) {
            tenths[i] = mode === faultModes.indexOf('full_scale') ? full : 0x7fff
            microvolts[i] = 0x7fff
          }
        } else {
          const range = rangeOf(channel.type)
          const m = measure(channel.type, i, truth.tips[i] ?? 0, junction, errors.offset[i] ?? 0, d, range)
          if (m.celsius > range.to) over |= bit
          if (m.celsius < range.from) under |= bit
          tenths[i] = Math.round(10 * Math.min(range.to, Math.max(range.from, m.celsius)))
          microvolts[i] = Math.max(-0x8000, Math.min(0x7fff, m.microvolts))
        }
        putInt16(words, r.temperature + i, tenths[i] ?? 0)
        putInt16(words, r.microvolts + i, microvolts[i] ?? 0)
        words[r.type + i] = channel === null ? 0 : typeCodes[channel.type]
      }
      putInt16(words, r.junction, junction.reckoned * 10)
      words[r.open] = open
      words[r.over] = over
      words[r.under] = under
      words[r.cj_fault] = d.cjFault ? 1 : 0
      words[r.fault_mode] = mode
    },
    read(_table, address, quantity, into) {
      for (let i = 0; i < quantity; i++) into[i] = words[address + i] ?? 0
    },
    told(ask, data, channel) {
      const place = r.temperature + channel - ask.address
      return place < 0 || place >= ask.quantity ? undefined : data.getInt16(2 * place) / 10
    },
  }
}

/** One more than the highest address. */
function registerCount(p: Tc8Personality): number {
  const r = p.registers
  const lasts = [r.temperature + 7, r.microvolts + 7, r.type + 7]
  return 1 + Math.max(...lasts, r.junction, r.open, r.over, r.under, r.cj_fault, r.fault_mode)
}
