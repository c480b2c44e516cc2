/** Reads CSV as RFC 4180 has it, in pieces: any bytes, of any length of line up to a bound. */

/** Bytes of one record, beyond which it is taken for broken and ends where it is: 1 MiB, four times the largest message. Ours. */
export const longestRecord = 1_048_576

export interface CsvReader {
  take(bytes: Uint8Array): void
  /** Bytes since the last whole record: more than none at the end of a file means a torn one. */
  rest(): number
}

const quote = 0x22
const comma = 0x2c
const lf = 0x0a
const cr = 0x0d

/**
 * Calls `onRecord` with the fields of each whole record and its length in bytes, line end included. Records end with CR LF
 * or LF; within quotes both belong to the field, and two quotes stand for one. An empty line is no record.
 */
export function csvReader(onRecord: (fields: readonly string[], bytes: number) => void): CsvReader {
  let record: number[] = []
  let size = 0
  let fields: string[] = []
  let quoted = false
  let afterQuote = false
  let empty = true
  const endField = (): void => {
    fields.push(Buffer.from(record).toString('utf8'))
    record = []
  }
  const endRecord = (): void => {
    if (record.at(-1) === cr && !afterQuote) record.pop()
    const blank = fields.length === 0 && record.length === 0 && empty
    endField()
    const whole = fields
    const bytes = size
    fields = []
    size = 0
    quoted = false
    afterQuote = false
    empty = true
    if (!blank) onRecord(whole, bytes)
  }
  return {
    take(bytes) {
      for (const b of bytes) {
        size++
        if (quoted && !afterQuote) {
          if (b === quote) afterQuote = true
          else record.push(b)
        } else if (afterQuote && b === quote) {
          record.push(b)
          afterQuote = false
        } else if (b === lf) {
          endRecord()
        } else if (b === comma) {
          endField()
          empty = false
          quoted = false
          afterQuote = false
        } else if (b === quote && record.length === 0 && !afterQuote) {
          quoted = true
          empty = false
        } else if (!(afterQuote && b === cr)) record.push(b)
        if (size >= longestRecord) endRecord()
      }
    },
    rest: () => size,
  }
}
