/**
 * A module of the ADAM-4018 kind: the range of each channel's type mapped onto 65,536 counts, a coil for each channel that
 * is set while its thermocouple is burnt out, registers of type codes, and one that names the module. Its manuals: under
 * range reads 0000, over range FFFF (Advantech ADAM-4000 manual, table of formats); "when the channel cannot detect its
 * thermocouple, the bit is 1" (ADAM-6018 manual, 0x table). Nothing tells of a broken junction sensor.
 */
import { channels, measure } from './measure.ts'
import { faultModes } from './personality.ts'
import type { AdamPersonality } from './personality.ts'
import type { Show } from './show.ts'

export const fullCount = 0xffff

export function adam4018(p: AdamPersonality): Show {
  const r = p.registers
  const rangeAt = (channel: number): { from: number; to: number } =>
    p.ranges[p.channels[channel]?.type ?? 'K']
  const holds = (address: number): boolean =>
    (address >= r.counts && address < r.counts + channels) ||
    (address >= r.types && address < r.types + channels) ||
    address === r.name
  const words = new Map<number, number>([[r.name, p.name]])
  const burnt = new Uint8Array(channels)

  return {
    tellsJunction: false,
    range: rangeAt,
    has(table, address, quantity) {
      if (table === 'coils')
        return address >= p.coils.burnout && address + quantity <= p.coils.burnout + channels
      if (table !== 'holding-registers') return false
      for (let i = address; i < address + quantity; i++) if (!holds(i)) return false
      return true
    },
    scan(errors, truth, d, modeSet) {
      const mode = faultModes[d.mode ?? modeSet]
      const junction = {
        true: truth.junction,
        reckoned: d.cjFault ? p.cj_fault_value : truth.junction + errors.junction,
      }
      for (let i = 0; i < channels; i++) {
        const channel = p.channels[i] ?? null
        const bit = 1 << i
        words.set(r.types + i, channel === null ? 0 : p.ranges[channel.type].code)
        if (channel !== null && (d.frozen & bit) !== 0) continue
        const open = channel === null || (d.open & bit) !== 0
        burnt[i] = open ? 1 : 0
        if (channel === null) words.set(r.counts + i, fullCount)
        else if (open) {
          if (mode !== 'freeze') words.set(r.counts + i, mode === 'full_scale' ? fullCount : p.substitute)
        } else {
          const range = p.ranges[channel.type]
          const m = measure(channel.type, i, truth.tips[i] ?? 0, junction, errors.offset[i] ?? 0, d, range)
          const share = (m.celsius - range.from) / (range.to - range.from)
          words.set(r.counts + i, Math.round(fullCount * Math.min(1, Math.max(0, share))))
        }
      }
    },
    read(table, address, quantity, into) {
      for (let i = 0; i < quantity; i++)
        into[i] = (table === 'coils' ? burnt[address + i - p.coils.burnout] : words.get(address + i)) ?? 0
    },
    told(ask, data, channel) {
      const place = r.counts + channel - ask.address
      if (place < 0 || place >= ask.quantity) return undefined
      const { from, to } = rangeAt(channel)
      return from + ((to - from) * data.getUint16(2 * place)) / fullCount
    },
  }
}
