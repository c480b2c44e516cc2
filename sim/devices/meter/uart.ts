/**
 * What a receiver hears that is set otherwise than the sender: the line's bits, sampled in the middle of its own bit
 * times. It takes a byte at each falling edge, whatever its stop bit says, and drops those whose parity is wrong, as a
 * driver does that was told to look at it.
 */
import type { SerialSettings } from '../../../drivers/faces.ts'

/** Levels of the line for the bytes, one entry a bit time of the sender; true is mark (idle). */
function levels(bytes: Uint8Array, s: SerialSettings): boolean[] {
  const bits: boolean[] = []
  for (const b of bytes) {
    bits.push(false)
    let ones = 0
    for (let i = 0; i < s.dataBits; i++) {
      const one = ((b >> i) & 1) === 1
      bits.push(one)
      if (one) ones++
    }
    if (s.parity !== 'none') bits.push((ones % 2 === 1) === (s.parity === 'even'))
    for (let i = 0; i < s.stopBits; i++) bits.push(true)
  }
  return bits
}

export function asHeard(bytes: Uint8Array, sender: SerialSettings, receiver: SerialSettings): Uint8Array {
  const line = levels(bytes, sender)
  /** Sender bit times in one bit time of the receiver. */
  const step = sender.baudRate / receiver.baudRate
  const level = (t: number): boolean => line[Math.floor(t)] ?? true
  const heard: number[] = []
  const bitsAfterStart = receiver.dataBits + (receiver.parity === 'none' ? 0 : 1)
  for (let t = 0; t < line.length;) {
    if (level(t)) {
      // To the next edge: edges lie at whole bit times of the sender.
      t = Math.floor(t) + 1
      continue
    }
    let b = 0
    let ones = 0
    for (let i = 0; i < receiver.dataBits; i++)
      if (level(t + (1.5 + i) * step)) {
        b |= 1 << i
        ones++
      }
    if (receiver.parity !== 'none' && level(t + (1.5 + receiver.dataBits) * step)) ones++
    const right = receiver.parity === 'none' || (ones % 2 === 1) === (receiver.parity === 'odd')
    if (right) heard.push(b)
    t += (bitsAfterStart + 1.5) * step
  }
  return Uint8Array.from(heard)
}
