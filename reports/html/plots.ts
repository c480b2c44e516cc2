/** The plots of a check: the channels that decided large, then an overview of the others, capped. */
import { durationText, duration, tolerance } from '../../drivers/units.ts'
import type { Channel } from '../model/channel.ts'
import { gapFactor } from '../model/channel.ts'
import { seriesKey } from '../model/fold.ts'
import type { CheckView, Extract, LogContents, SeriesChannels } from '../model/run.ts'
import type { Point } from '../plot/decimate.ts'
import { drawPlot, type Band, type Plot, type Span } from '../plot/plot.ts'
import { count, figure, grouped } from '../text/figures.ts'
import { anchor, html, type Insert, type Markup, raw } from './html.ts'

/** Points of a large plot, and of one of many. Ours: more cannot be told apart on a screen. */
const largePoints = 1000
const smallPoints = 120
/** Large plots of one check, and small ones of one series. */
const mostLarge = 3
const mostSmall = 36

/** What was drawn already on a page (overviews of series, plots of channels), by key, and the check at which it stands. */
export type Drawn = Map<string, string>

export function checkPlots(c: CheckView, contents: LogContents, drawn: Drawn): Insert {
  const { over } = c
  if (over === undefined) return ''
  const found = contents.channels.find((s) => seriesKey(s.series) === seriesKey(over))
  if (found === undefined || found.channels.size === 0)
    return html`<p class="muted">
      Nothing was seen of its series <code>${over.select}</code> at ${over.src}.
    </p>`
  const deciding = decidingOf(c, contents)
  const order = [...new Set([...deciding.map((e) => e.alias ?? ''), ...found.channels.keys()])]
  const drawable = order.filter((a) => (found.channels.get(a)?.seen.count ?? 0) > 0)
  const large = drawable.filter((a, i) => i === 0 || deciding.some((e) => e.alias === a)).slice(0, mostLarge)
  const span = spanOf(contents)
  const spacing = spacingLimit(c.limit)
  // The same plot twice tells nothing more: only where other events decided, or other limits hold, is it drawn again.
  const [fresh, known] = [[] as string[], [] as [alias: string, check: string][]]
  for (const alias of large) {
    const marks = deciding.filter((e) => e.alias === alias && c.result.verdict !== 'pass').map((e) => e.seq)
    const key = `${seriesKey(over)} ${alias} ${JSON.stringify([marks, spacing ?? null])}`
    const there = drawn.get(key)
    if (there === undefined) fresh.push(alias)
    else known.push([alias, there])
    drawn.set(key, there ?? c.id)
  }
  const figures = fresh.map((alias, i) => {
    const channel = found.channels.get(alias)
    return channel === undefined
      ? ''
      : largeFigure({ c, contents, channel, deciding, span, spacing, id: `p-${anchor(c.id)}-${i}` })
  })
  const elsewhere = known.map(
    ([alias, check]) =>
      html`<p class="muted">
        <span class="mono">${alias}</span> is plotted with check
        <a href="#check-${anchor(check)}">${check}</a>.
      </p>`,
  )
  return html`${fresh.length === 0 ? '' : legend(fresh.length, c.result.verdict === 'fail')}${figures}${elsewhere}${overview(c, found, contents, span, drawn, drawable)}`
}

function spanOf(contents: LogContents): Span {
  return { from: contents.first, to: Math.max(contents.last, contents.first + 1) }
}

function decidingOf(c: CheckView, contents: LogContents): Extract[] {
  return (c.result.because ?? []).flatMap((seq) => contents.deciding.get(seq) ?? [])
}

interface Large {
  readonly c: CheckView
  readonly contents: LogContents
  readonly channel: Channel
  readonly deciding: readonly Extract[]
  readonly span: Span
  readonly spacing: Band | undefined
  readonly id: string
}

function largeFigure(l: Large): Markup {
  const { channel, contents, span } = l
  const plot = plotOf(channel, contents, span, largePoints, l.id)
  const mine = l.deciding.filter((e) => e.alias === channel.alias)
  const deciding = mine.flatMap((e): Point[] => (e.value === undefined ? [] : [{ at: e.at, value: e.value }]))
  const svg = drawPlot({ ...plot, deciding, bad: l.c.result.verdict === 'fail' })
  return html`<figure>
    <figcaption><span class="mono">${channel.alias}</span>: ${aboutChannel(channel, span, plot)}</figcaption>
    <div class="scroll" role="region" tabindex="0" aria-label="Plot of ${channel.alias}">
      ${raw(svg)}${l.spacing === undefined ? '' : spacingPlot(channel, span, l.spacing, `${l.id}-s`)}
    </div>
  </figure>`
}

/** Time between messages against its limits, where the limit is one of spacing. */
function spacingPlot(channel: Channel, span: Span, band: Band, id: string): Insert {
  const points = channel.spacing.points(largePoints)
  if (points.length === 0) return ''
  const plot: Plot = {
    id,
    title: `Time between messages of ${channel.alias}`,
    description: `From ${figure(channel.spacing.min)} s to ${figure(channel.spacing.max)} s; the limits are ${figure(band.low)} s and ${figure(band.high)} s.`,
    unit: 's between messages',
    span,
    truth: [],
    answered: [],
    seen: points.filter((p) => p.value >= band.low && p.value <= band.high),
    late: [],
    bad: true,
    deciding: points.filter((p) => p.value < band.low || p.value > band.high).slice(0, 100),
    gaps: [],
    band,
  }
  return raw(drawPlot(plot))
}

/** `every 60 s ±6 s, ...`: from 54 to 66, in seconds. */
export function spacingLimit(limit: string): Band | undefined {
  const m = /^every ([^,±]+?) (±[^,]+?)(?:,|$)/.exec(limit)
  if (m?.[1] === undefined || m[2] === undefined) return undefined
  try {
    const every = duration(m[1])
    const off = tolerance(m[2])
    return { low: (every - off) / 1000, high: (every + off) / 1000 }
  } catch {
    return undefined
  }
}

function plotOf(channel: Channel, contents: LogContents, span: Span, points: number, id: string): Plot {
  const truth = contents.truth.get(channel.alias)
  const gaps = channel.gaps(span.to)
  const late = channel.late()
  const s = channel.seen
  const t = truth?.truth
  const description = [
    `${count(s.count, 'reading')} seen, from ${figure(s.min)} to ${figure(s.max)} ${truth?.unit ?? ''}.`,
    t === undefined || t.count === 0
      ? 'The device stated no truth for it.'
      : `True values run from ${figure(t.min)} to ${figure(t.max)}.`,
    gaps.length === 0 ? 'No gaps.' : `${count(gaps.length, 'gap')} in what was seen.`,
    late.length === 0 ? '' : `${count(late.length, 'reading')} late.`,
  ].join(' ')
  return {
    id,
    title: `${channel.alias}: truth and what was seen`,
    description,
    unit: truth?.unit ?? '',
    span,
    truth: t?.points(points) ?? [],
    answered: truth?.answered.points(points) ?? [],
    seen: s.points(points),
    late,
    bad: false,
    deciding: [],
    gaps,
  }
}

function aboutChannel(channel: Channel, span: Span, plot: Plot): string {
  const usual = channel.usualSpacing()
  const largest = channel.largestSpacing()
  return [
    `${grouped(channel.count)} seen`,
    ...(usual === undefined ? [] : [`usually ${durationText(Math.round(usual / 100) * 100)} apart`]),
    ...(largest === undefined ? [] : [`at most ${durationText(largest)}`]),
    ...(plot.gaps.length === 0 ? [] : [count(plot.gaps.length, 'gap')]),
    ...(plot.late.length === 0 ? [] : [`${plot.late.length} late`]),
    ...(channel.seen.count > plot.seen.length
      ? [
          `thinned: each ${durationText(((span.to - span.from) * 4) / plot.seen.length)} by its first, least, greatest and last`,
        ]
      : []),
  ].join(', ')
}

function legend(n: number, bad: boolean): Markup {
  const item = (svg: string, text: string): Markup =>
    html`<li>${raw(`<svg class="plot" viewBox="0 0 24 12" aria-hidden="true">${svg}</svg>`)}${text}</li>`
  return html`<ul class="legend" aria-label="${n === 1 ? 'Legend of the plot' : 'Legend of the plots'}">
    ${item('<path class="truth" d="M1 8L9 4L16 7L23 3"/>', 'true value, as the device knew it when it answered')}
    ${item('<path class="answered" d="M1 6H23"/>', 'what the device answered, its own error included')}
    ${item('<path class="seen" d="M6 6h0M12 6h0M18 6h0"/>', 'seen, at the time it arrived')}
    ${item(`<circle class="deciding${bad ? ' bad' : ''}" cx="12" cy="6" r="4.5"/>`, bad ? 'decided the verdict, or lies outside the limits' : 'decided the verdict')}
    ${item('<circle class="late" cx="12" cy="6" r="3"/>', 'arrived later after its stamp than readings are apart')}
    ${item('<rect class="gap" x="6" y="0" width="12" height="12"/>', `nothing seen for over ${gapFactor} times the usual spacing`)}
    ${item('<rect class="band" x="1" y="2" width="22" height="8"/>', 'allowed')}
  </ul>`
}

function overview(
  c: CheckView,
  found: SeriesChannels,
  contents: LogContents,
  span: Span,
  drawn: Drawn,
  order: readonly string[],
): Insert {
  if (order.length < 2) return ''
  const key = seriesKey(found.series)
  const there = drawn.get(key)
  if (there !== undefined)
    return html`<p class="muted">
      All channels of <code>${found.series.select}</code> are shown with check
      <a href="#check-${anchor(there)}">${there}</a>.
    </p>`
  drawn.set(key, c.id)
  const figures = order.slice(0, mostSmall).flatMap((alias, i) => {
    const channel = found.channels.get(alias)
    if (channel === undefined) return []
    const plot = plotOf(channel, contents, span, smallPoints, `o-${anchor(c.id)}-${i}`)
    const gaps = plot.gaps.length === 0 ? '' : `, ${count(plot.gaps.length, 'gap')}`
    const unit = plot.unit === '' ? '' : ` [${plot.unit}]`
    return [
      html`<figure>
        <figcaption>${alias}${unit}${gaps}</figcaption>
        ${raw(drawPlot(plot, 'small'))}
      </figure>`,
    ]
  })
  const beyond = found.channels.size - figures.length + found.leftOut
  const open = c.result.verdict === 'pass' ? '' : raw(' open')
  return html`<details${open}>
    <summary>
      All channels of the series${beyond > 0 ? `: the first ${figures.length}` : ` (${figures.length})`}
    </summary>
    <div class="multiples">${figures}</div>
    ${beyond > 0 ? html`<p class="muted">${count(beyond, 'more is', 'more are')} not drawn.</p>` : ''}
  </details>`
}
