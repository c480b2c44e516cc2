/** OBIS codes: six value groups A-B:C.D.E*F that name what is measured (DLMS UA 1000-1, clause 7; IEC 62056-6-1). */

/** The six groups of `text`, written `1-0:1.7.0*255`, `1.0.1.7.0.255` or without F (then 255). @throws RangeError */
export function obisBytes(text: string): Uint8Array {
  const groups = text.split(/[-:.*]/)
  const bytes = groups.map(Number)
  if (groups.length === 5) bytes.push(255)
  if (bytes.length !== 6 || groups.some((g) => !/^\d{1,3}$/.test(g)) || bytes.some((b) => b > 255))
    throw new RangeError(`not an OBIS code: ${text}`)
  return Uint8Array.from(bytes)
}

/** `1.0.1.7.0.255` for six bytes. */
export function obisText(b: Uint8Array): string {
  return b.join('.')
}
