/** What a terminal can show, and painting for it. Colour is never the only sign: states are words too. */
import { looks, type State } from '../model/states.ts'

export interface Terminal {
  /** Columns; at least 40. */
  readonly width: number
  readonly colour: boolean
  /** Lines can be drawn again. */
  readonly redraws: boolean
  /** Signs beyond ASCII can be shown. */
  readonly unicode: boolean
}

/**
 * What a stream can show. Colours only on a terminal, and not with NO_COLOR set to anything or TERM=dumb
 * (no-color.org). Signs beyond ASCII unless the locale says that they cannot be shown.
 */
export function terminalOf(
  stream: { readonly isTTY?: boolean | undefined; readonly columns?: number | undefined },
  env: Readonly<Record<string, string | undefined>>,
): Terminal {
  const tty = stream.isTTY === true
  const dumb = env['TERM'] === 'dumb'
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || ''
  const asked = Number(env['COLUMNS'])
  const width = stream.columns ?? (Number.isInteger(asked) && asked > 0 ? asked : 110)
  return {
    width: Math.max(40, Math.min(width, 200)),
    colour: tty && !dumb && (env['NO_COLOR'] ?? '') === '',
    redraws: tty && !dumb,
    unicode: locale === '' || /utf-?8/i.test(locale),
  }
}

export interface Paint {
  bold(text: string): string
  dim(text: string): string
  state(s: State, text: string): string
  sign(s: State): string
}

const colours: Readonly<Record<State, number>> = {
  fail: 31,
  inconclusive: 35,
  marginal: 33,
  pass: 32,
  'played by the bench': 36,
  'not run': 90,
  'by person': 90,
  uncovered: 90,
  information: 90,
}

export function paint(t: Terminal): Paint {
  const wrap = (code: number, off: number, text: string): string =>
    t.colour ? `\u001b[${code}m${text}\u001b[${off}m` : text
  return {
    bold: (text) => wrap(1, 22, text),
    dim: (text) => wrap(2, 22, text),
    state: (s, text) => wrap(colours[s], 39, text),
    sign: (s) => (t.unicode ? looks[s].sign : looks[s].ascii),
  }
}
