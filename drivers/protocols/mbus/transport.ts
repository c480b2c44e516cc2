/**
 * The transport on M-Bus by which Austrian meters push APDUs (EN 13757-3 with the DLMS/COSEM profile; facts of the grid
 * companies' P1 papers): after CI come the source and the destination access point. CI carries the segment number in its
 * low four bits and, in bit 4, whether the segment is the last.
 */
import { type MbusFrame } from './link.ts'

/** Logical device 1 speaks to client 103, consumer information. */
export const consumerInformation = { source: 0x01, destination: 0x67 } as const

/** Bytes of an APDU in a first segment as the meters of this kind cut it: L = FA. */
export const segmentSize = 245

const last = 0x10

export interface Segment {
  readonly number: number
  readonly last: boolean
  readonly source: number
  readonly destination: number
  readonly data: Uint8Array
}

/** The segment in a long frame, or undefined: CI is none of the transport's (00..1F), or the access points are missing. */
export function segmentOf(f: MbusFrame): Segment | undefined {
  if (f.kind !== 'long' || f.ci > 0x1f || f.data.length < 2) return undefined
  return {
    number: f.ci & 0x0f,
    last: (f.ci & last) !== 0,
    source: f.data[0] ?? 0,
    destination: f.data[1] ?? 0,
    data: f.data.subarray(2),
  }
}

/**
 * An APDU as M-Bus frames: SND_UD to everybody, segments of at most `size` bytes.
 * @throws RangeError for more than 16 segments, which the CI field cannot number
 */
export function segmentsOf(apdu: Uint8Array, size = segmentSize): MbusFrame[] {
  const count = Math.max(1, Math.ceil(apdu.length / size))
  if (count > 16) throw new RangeError(`${apdu.length} bytes need ${count} segments, and 16 can be numbered`)
  return Array.from({ length: count }, (_, i) => ({
    kind: 'long',
    control: 0x53,
    address: 0xff,
    ci: i | (i === count - 1 ? last : 0),
    data: Uint8Array.of(
      consumerInformation.source,
      consumerInformation.destination,
      ...apdu.subarray(i * size, (i + 1) * size),
    ),
  }))
}
