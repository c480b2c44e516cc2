/** Text from a log, made safe to show: a log may hold any text, written by anybody. */

/**
 * Controls, and characters that reorder or hide what follows them: bidirectional overrides, zero-width signs,
 * line and paragraph separators, the byte order mark, and code points that stand for nothing.
 */
const unseen =
  // oxlint-disable-next-line no-control-regex -- naming the controls is what this is for
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g

/**
 * The same text with everything invisible made visible: a control as its picture (`␛`), any other as `<U+202E>`.
 * Line breaks become `␊`: what comes back is one line. A lone surrogate becomes U+FFFD.
 */
export function oneLine(text: string): string {
  return text.toWellFormed().replace(unseen, picture)
}

/** As `oneLine`, but line feeds and tabs stay. */
export function manyLines(text: string): string {
  return text.toWellFormed().replace(unseen, (c) => (c === '\n' || c === '\t' ? c : picture(c)))
}

function picture(c: string): string {
  const code = c.charCodeAt(0)
  if (code < 0x20) return String.fromCharCode(0x2400 + code)
  if (code === 0x7f) return '\u2421'
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}

/** East Asian wide and full-width characters and pictographs: two columns of a terminal. */
const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

/** Columns that a text takes on a terminal. Combining marks take none. */
export function columns(text: string): number {
  let n = 0
  for (const c of text) n += /\p{M}/u.test(c) ? 0 : wide.test(c) ? 2 : 1
  return n
}

/** A text of at most `width` columns: one too long is cut at a word where there is one near, and ends in `…`. */
export function cut(text: string, width: number): string {
  if (columns(text) <= width) return text
  if (width < 1) return ''
  let kept = ''
  let n = 0
  for (const c of text) {
    const w = columns(c)
    if (n + w > width - 1) break
    kept += c
    n += w
  }
  const space = kept.lastIndexOf(' ')
  if (space > kept.length * 0.7) kept = kept.slice(0, space)
  return `${kept.trimEnd()}…`
}

/** A text filled with spaces to `width` columns. */
export function pad(text: string, width: number): string {
  return text + ' '.repeat(Math.max(0, width - columns(text)))
}

/** As `pad`, with the spaces before it: for figures. */
export function padLeft(text: string, width: number): string {
  return ' '.repeat(Math.max(0, width - columns(text))) + text
}

/** Breaks a text at spaces into lines of at most `width` columns; a longer word stands alone and is not broken. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(/\s+/).filter((w) => w !== '')) {
    if (line !== '' && columns(line) + 1 + columns(word) > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  if (line !== '') lines.push(line)
  return lines.length === 0 ? [''] : lines
}
