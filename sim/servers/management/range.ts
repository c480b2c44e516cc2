/** Ranges of bytes as a request asks for them (RFC 9110, section 14), one at a time; from, and up to before, as in slice. */
export interface Span {
  readonly from: number
  readonly to: number
}

/**
 * Undefined: all of it, with 200: nothing was asked for, it is not understood, or If-Range names another file. `none`: 416.
 * @param etag strong, in quotes. @param size of the file in bytes.
 */
export function rangeOf(
  headers: { readonly range?: string | undefined; readonly 'if-range'?: string | undefined },
  etag: string,
  size: number,
): Span | 'none' | undefined {
  const { range } = headers
  if (range === undefined) return undefined
  const condition = headers['if-range']
  if (condition !== undefined && condition.trim() !== etag) return undefined
  const m = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(range.trim())
  const [, first = '', last = ''] = m ?? []
  if (m === null || (first === '' && last === '')) return undefined
  if (first === '') {
    const suffix = Math.min(Number(last), size)
    return suffix === 0 ? 'none' : { from: size - suffix, to: size }
  }
  if (last !== '' && Number(last) < Number(first)) return undefined
  if (Number(first) >= size) return 'none'
  return { from: Number(first), to: last === '' ? size : Math.min(size, Number(last) + 1) }
}
