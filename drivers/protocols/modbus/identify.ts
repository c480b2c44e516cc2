/**
 * Function 43 with MEI type 14, Read Device Identification: Modbus Application Protocol V1.1b3, section 6.21.
 * Order of checks: MEI type (exception 1), length (3), object ID (2), device ID code (3).
 */
import { exceptions } from './model.ts'
import type { DataModel } from './model.ts'
import type { Request } from './respond.ts'

const mei = 14
/** Last object ID that codes 1 (basic), 2 (regular) and 3 (extended) show. */
const lastOf = [0, 0x02, 0x7f, 0xff] as const
/** Room for objects in a PDU of 253 bytes: seven are its head, two more head each object. */
const room = 253 - 7

/** Writes the answer from `out[at]` on, without its function code; its length, or minus an exception code. */
export function identify(model: DataModel, r: Request, out: Uint8Array, at: number): number {
  const identity = model.identity
  if (identity === undefined || r.byte(1) !== mei) return -exceptions.illegalFunction
  if (r.length !== 4) return -exceptions.illegalValue
  const code = r.byte(2)
  const asked = r.byte(3)
  const single = code === 4
  if (single && !identity.has(asked)) return -exceptions.illegalAddress
  if (code < 1 || code > 4) return -exceptions.illegalValue

  const known = [...identity.keys()].sort((a, b) => a - b)
  const highest = known.at(-1) ?? 0
  const level = highest > 0x7f ? 3 : highest > 0x02 ? 2 : 1
  const last = lastOf[code] ?? 0
  // an unknown first object of a stream means: from the beginning (MAP 6.21)
  const first = identity.has(asked) ? asked : 0
  const wanted = single ? [asked] : known.filter((id) => id >= first && id <= last)

  let to = at + 7
  let sent = 0
  for (const id of wanted) {
    const text = Buffer.from(identity.get(id) ?? '').subarray(0, room - 2)
    if (to - at - 7 + 2 + text.length > room) break
    out[to] = id
    out[to + 1] = text.length
    out.set(text, to + 2)
    to += 2 + text.length
    sent++
  }
  const next = wanted[sent]
  out[at + 1] = mei
  out[at + 2] = code
  out[at + 3] = 0x80 | level // 0x80: single objects can be asked for
  out[at + 4] = next === undefined ? 0 : 0xff
  out[at + 5] = next ?? 0
  out[at + 6] = sent
  return to - at
}
