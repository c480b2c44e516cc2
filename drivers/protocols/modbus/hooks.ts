/** What a device may do to requests and answers on their way: faults are objects of these optional hooks. */

/** A request as a hook sees it. */
export interface Ask {
  readonly unit: number
  /** Function code. */
  readonly fc: number
  /** First address; 0 where the function has none. */
  readonly address: number
  /** Quantity of the read part (1 for functions 5, 6 and 22; 0 where the function has none). */
  readonly quantity: number
  readonly pdu: Uint8Array
  /** MBAP transaction ID; 0 on serial lines. */
  readonly transaction: number
  readonly peer: string
}

/** What is to happen to a request before it is looked at. */
export interface Before {
  /** Nothing comes back. */
  readonly ignore?: boolean
  /** Answered with this exception code. */
  readonly exception?: number
  /** Looked at after so many ms; requests behind it wait. */
  readonly delayMs?: number
  /** The connection ends instead. */
  readonly end?: 'fin' | 'rst' | 'silent'
}

/** Whether the peer gets what it should, at whatever time. */
export function isSound(s: Shape): boolean {
  return (
    s.drop !== true &&
    s.unit === undefined &&
    s.transaction === undefined &&
    s.protocol === undefined &&
    s.crcFlip === undefined &&
    s.cut === undefined
  )
}

/** How an answer leaves. What is absent is as it should be. */
export interface Shape {
  readonly drop?: boolean
  readonly unit?: number
  /** TCP only. */
  readonly transaction?: number
  /** TCP only. */
  readonly protocol?: number
  /** RTU only: bits of the CRC that are turned over. */
  readonly crcFlip?: number
  /** Only the first so many bytes of the frame. */
  readonly cut?: number
  /** Sizes of the pieces it leaves in; the rest is a last piece. */
  readonly pieces?: readonly number[]
  /** Between pieces, ms. */
  readonly gapMs?: number
}

export interface Hooks {
  asked?(ask: Ask): Before | undefined
  /** `response` is the PDU; it is valid only during the call. */
  answering?(ask: Ask, response: Uint8Array): Shape | undefined
  /** The answer has been handed to the line, whole or in its first piece; `shape` is how it left. */
  answered?(ask: Ask, response: Uint8Array, shape: Shape): void
}

/** Several sets of hooks as one: the first that says something wins; `answered` reaches all. */
export function hooksInOrder(all: () => Iterable<Hooks>): Hooks {
  return {
    asked(ask) {
      for (const h of all()) {
        const before = h.asked?.(ask)
        if (before !== undefined) return before
      }
      return undefined
    },
    answering(ask, response) {
      for (const h of all()) {
        const shape = h.answering?.(ask, response)
        if (shape !== undefined) return shape
      }
      return undefined
    },
    answered(ask, response, shape) {
      for (const h of all()) h.answered?.(ask, response, shape)
    },
  }
}

/** The parts of a request PDU that hooks ask for. `pdu` is kept, not copied. */
export function askOf(unit: number, pdu: Uint8Array, transaction: number, peer: string): Ask {
  const fc = pdu[0] ?? 0
  const word = (i: number): number => ((pdu[i] ?? 0) << 8) | (pdu[i + 1] ?? 0)
  const addressed = (fc >= 1 && fc <= 6) || fc === 15 || fc === 16 || fc === 22 || fc === 23
  const counted = (fc >= 1 && fc <= 4) || fc === 15 || fc === 16 || fc === 23
  return {
    unit,
    fc,
    address: addressed ? word(1) : 0,
    quantity: counted ? word(3) : addressed ? 1 : 0,
    pdu,
    transaction,
    peer,
  }
}
