/** Whether a modem in a connection says, among the bytes of its line, that it has lost its carrier. */

const lostCarrier = Buffer.from('\r\nNO CARRIER\r\n')

/** How much of the words' beginning stands at the end of the bytes. */
function begun(b: Uint8Array): number {
  for (let n = Math.min(b.length, lostCarrier.length - 1); n > 0; n--)
    if (lostCarrier.subarray(0, n).equals(b.subarray(b.length - n))) return n
  return 0
}

export interface CarrierWatch {
  readonly take: (chunk: Buffer) => void
  stop(): void
}

/**
 * Hands bytes on as they come, but for what may be the beginning of the words: that waits for `gap` ms for the rest, since on
 * a slow line they come in pieces, and TLS would take them for a broken record. `lost` is called once; nothing comes
 * afterwards. TLS has these 14 bytes in it by chance once in 10^33 bytes.
 */
export function watchCarrier(gap: number, pass: (b: Buffer) => void, lost: () => void): CarrierWatch {
  let held = Buffer.alloc(0)
  let release: NodeJS.Timeout | undefined
  let over = false
  return {
    take(chunk) {
      if (over) return
      clearTimeout(release)
      const b = Buffer.concat([held, chunk])
      held = Buffer.alloc(0)
      const at = b.indexOf(lostCarrier)
      if (at >= 0) {
        over = true
        if (at > 0) pass(b.subarray(0, at))
        lost()
        return
      }
      const n = begun(b)
      if (n < b.length) pass(b.subarray(0, b.length - n))
      if (n === 0) return
      held = Buffer.from(b.subarray(b.length - n))
      release = setTimeout(() => {
        const whole = held
        held = Buffer.alloc(0)
        pass(whole)
      }, gap)
    },
    stop() {
      over = true
      clearTimeout(release)
    },
  }
}
