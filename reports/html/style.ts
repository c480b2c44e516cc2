/** The style of all pages: one column of paper, system fonts, states by sign and word before colour. */

export const style = `
:root {
  color-scheme: light dark;
  --paper: #ffffff; --panel: #f5f6f8; --ink: #1b1f24; --muted: #555d67; --line: #d5dae0; --link: #1c5590;
  --fail: #b3261e; --inconclusive: #8a4a00; --marginal: #6b5f00; --pass: #1d6a3a; --played: #3a5795; --none: #59616b;
  --truth: #1c5590; --seen: #1b1f24; --late: #8a4a00; --band: #1d6a3a; --gap: #b3261e;
  --sans: system-ui, -apple-system, "Segoe UI", "Noto Sans", "Liberation Sans", "DejaVu Sans", sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", "Noto Sans Mono", "Liberation Mono", "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #14171b; --panel: #1c2026; --ink: #e5e8ec; --muted: #a4adb8; --line: #363d46; --link: #8fbdec;
    --fail: #ff8f85; --inconclusive: #f0ad64; --marginal: #dccb62; --pass: #80cf99; --played: #a3bcf0; --none: #a4adb8;
    --truth: #8fbdec; --seen: #e5e8ec; --late: #f0ad64; --band: #80cf99; --gap: #ff8f85;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 76rem; background: var(--paper); color: var(--ink);
  font: 0.9375rem/1.5 var(--sans); font-variant-numeric: tabular-nums; overflow-wrap: break-word;
}
h1, h2, h3, h4 { line-height: 1.25; font-weight: 600; margin: 0; text-wrap: balance; }
h1 { font-size: 1.75rem; letter-spacing: -0.01em; }
h2 { font-size: 1.25rem; margin: 2.75rem 0 0.75rem; padding-top: 0.75rem; border-top: 1px solid var(--line); }
h3 { font-size: 1.0625rem; margin: 1.75rem 0 0.5rem; }
h4 { font-size: 0.9375rem; margin: 1.25rem 0 0.375rem; }
p { margin: 0.5rem 0; max-width: 48rem; }
a { color: var(--link); text-underline-offset: 0.15em; text-decoration-thickness: 1px; }
a:focus-visible, summary:focus-visible, [tabindex]:focus-visible, input:focus-visible, button:focus-visible {
  outline: 2px solid var(--link); outline-offset: 2px;
}
code, .mono { font-family: var(--mono); font-size: 0.875em; }
.muted { color: var(--muted); }
.eyebrow { margin: 0 0 0.25rem; color: var(--muted); font-size: 0.8125rem; }
.skip { position: absolute; left: -99rem; }
.skip:focus { left: 1rem; top: 0.5rem; background: var(--paper); padding: 0.25rem 0.5rem; }

.state { white-space: nowrap; font-weight: 600; }
.state > span { display: inline-block; width: 1.15em; font-weight: 700; }
.s-fail { color: var(--fail); } .s-inconclusive { color: var(--inconclusive); } .s-marginal { color: var(--marginal); }
.s-pass { color: var(--pass); } .s-played { color: var(--played); }
.s-not-run, .s-by-person, .s-uncovered, .s-information { color: var(--none); }
.s-not-run, .s-by-person, .s-uncovered, .s-information { font-weight: 400; }
.s-waived { color: var(--played); } .s-outdated { color: var(--inconclusive); }
.accepted td, .accepted th { padding-right: 0.75rem; }
.accepted td code { word-break: break-all; }
.accepted .digest { min-width: 17rem; }
.accepted th .mono { overflow-wrap: anywhere; }
.accepted .group th { padding-top: 0.3125rem; border-bottom-color: var(--line); }
.accepted ul { margin: 0; padding: 0; list-style: none; }
.accepted li { margin: 0 0 0.25rem; }
.accepted .said { font-size: 0.875rem; overflow-wrap: anywhere; }
.signatures { display: grid; grid-template-columns: repeat(auto-fill, minmax(12rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
.signatures h3 { margin: 0; }
.accepted.reqs th:nth-child(3), .accepted.reqs td:nth-child(3) { width: 46%; }
.signatures > div { border: 1px solid var(--line); padding: 0.75rem 1rem; }
.signatures dl { margin: 0.75rem 0 0; }
.signatures dt { color: var(--muted); font-size: 0.8125rem; }
.signatures dd { margin: 0 0 0.5rem; min-height: 2rem; border-bottom: 1px solid var(--muted); }
.signatures dd.tall { min-height: 4.5rem; }

.outcome {
  margin: 1rem 0 1.25rem; padding: 0.625rem 1rem; border-left: 4px solid currentColor; background: var(--panel);
  font-size: 1.125rem; max-width: none;
}
.outcome > span { color: var(--ink); }
.outcome strong { font-weight: 650; }
.first { margin: -0.5rem 0 1.25rem; padding: 0 0 0 1.25rem; list-style: square; }
.first li { margin: 0.25rem 0; overflow-wrap: anywhere; }
.note { padding: 0.5rem 1rem; border-left: 4px solid var(--line); background: var(--panel); max-width: none; }

.facts { display: grid; grid-template-columns: repeat(auto-fill, minmax(15rem, 1fr)); gap: 0.5rem 2rem; margin: 1rem 0; }
.facts > div { min-width: 0; }
.facts dt { color: var(--muted); font-size: 0.8125rem; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.facts .wide { grid-column: span 2; }
.rows { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: 0.1875rem 1.25rem; margin: 0.5rem 0; }
.rows dt { color: var(--muted); }
.rows dd { margin: 0; overflow-wrap: anywhere; }

.finding { margin: 1rem 0; padding: 0.75rem 1rem; border: 1px solid var(--line); border-left: 4px solid currentColor; }
.finding > * { color: var(--ink); }
.finding h3 { margin: 0 0 0.25rem; }
.finding h3 .state { margin-right: 0.5rem; }
.finding .s-fail .state, .finding .state.s-fail { color: var(--fail); }
.finding .state.s-inconclusive { color: var(--inconclusive); }
.finding .state.s-marginal { color: var(--marginal); }
.finding p { margin: 0 0 0.375rem; }

.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--muted); padding: 0 0 0.375rem; font-size: 0.875rem; }
th, td { text-align: left; vertical-align: top; padding: 0.3125rem 1rem 0.3125rem 0; border-bottom: 1px solid var(--line); }
th:last-child, td:last-child { padding-right: 0; }
thead th { font-weight: 600; font-size: 0.8125rem; color: var(--muted); border-bottom-color: var(--muted); white-space: nowrap; }
tbody th { font-weight: 400; }
.n { text-align: right; white-space: nowrap; }
.group th { padding-top: 1rem; font-weight: 600; border-bottom-color: var(--muted); }
.fit { width: auto; }
.id { white-space: nowrap; font-family: var(--mono); font-size: 0.875em; line-height: 1.714; }
.id a { color: inherit; text-decoration: none; }
.id a:hover { text-decoration: underline; }
tr:target > * , .finding:target, section:target > h3 { background: var(--panel); }
.matrix .where { min-width: 9rem; overflow-wrap: anywhere; font-size: 0.875em; }
.matrix td.what { width: 70%; }
.matrix details p { margin: 0.25rem 0; font-size: 0.875rem; }
.counts td:last-child { color: var(--muted); }
details summary { cursor: pointer; width: fit-content; }
summary .muted { font-size: 0.875em; white-space: nowrap; }
summary::marker { color: var(--muted); }
.clauses { list-style: none; margin: 0.25rem 0 0.5rem; padding: 0 0 0 1rem; border-left: 2px solid var(--line); font-size: 0.875rem; }
.clauses li { margin: 0.3125rem 0; }
pre { margin: 0.25rem 0; white-space: pre-wrap; overflow-wrap: anywhere; font: 0.8125rem/1.4 var(--mono); }

.bar { display: block; width: 100%; height: 0.625rem; margin: 0.75rem 0 0.5rem; }
.bar .s-fail { fill: var(--fail); } .bar .s-inconclusive { fill: var(--inconclusive); }
.bar .s-marginal { fill: var(--marginal); } .bar .s-pass { fill: var(--pass); } .bar .s-played { fill: var(--played); }
.bar .s-not-run { fill: var(--none); opacity: 0.6; } .bar .s-by-person { fill: var(--none); opacity: 0.45; }
.bar .s-uncovered { fill: var(--none); opacity: 0.3; }
.bar .s-information { fill: var(--none); opacity: 0.15; }

.filter { display: flex; flex-wrap: wrap; gap: 0.5rem 1.25rem; align-items: center; margin: 0.75rem 0; padding: 0.625rem 1rem; background: var(--panel); }
.filter[hidden] { display: none; }
.filter fieldset { display: contents; }
.filter legend { position: absolute; left: -99rem; }
.filter label { display: inline-flex; gap: 0.375rem; align-items: center; white-space: nowrap; }
.filter input[type="search"], .filter button { font: inherit; color: inherit; background: var(--paper); border: 1px solid var(--muted); padding: 0.1875rem 0.5rem; border-radius: 3px; }
.filter button { cursor: pointer; }
.filter .presets { display: flex; flex-wrap: wrap; gap: 0.5rem; }
.filter output { color: var(--muted); }

figure { margin: 1rem 0; }
figcaption { color: var(--muted); font-size: 0.875rem; max-width: 48rem; }
.plot { display: block; width: 100%; height: auto; }
.plot.large { min-width: 36rem; max-width: 60rem; }
.plot text { fill: var(--muted); font: 11px var(--sans); font-variant-numeric: tabular-nums; }
.plot.small text { font-size: 10px; }
.plot .axis { stroke: var(--muted); fill: none; stroke-width: 1; }
.plot .grid { stroke: var(--line); fill: none; stroke-width: 1; }
.plot .truth { stroke: var(--truth); fill: none; stroke-width: 1.25; stroke-linejoin: round; opacity: 0.75; }
.plot .answered { stroke: var(--muted); fill: none; stroke-width: 1; stroke-dasharray: 3 2; opacity: 0.8; }
.plot .seen { stroke: var(--seen); fill: none; stroke-width: 2.5; stroke-linecap: round; }
.plot.small .truth { stroke-width: 1; } .plot.small .seen { stroke-width: 1.5; } .plot .seen.few { stroke-width: 4; } .plot.small .seen.few { stroke-width: 3; }
.plot .late { stroke: var(--late); fill: var(--paper); stroke-width: 1.5; }
.plot .deciding { stroke: var(--played); fill: none; stroke-width: 1.75; }
.plot .deciding.bad { stroke: var(--gap); }
.plot .gap { fill: var(--gap); opacity: 0.28; }
.plot .band { fill: var(--band); opacity: 0.13; }
.legend { display: flex; flex-wrap: wrap; gap: 0.25rem 1.25rem; margin: 0.25rem 0; padding: 0; list-style: none; color: var(--muted); font-size: 0.8125rem; }
.legend li { display: inline-flex; align-items: center; gap: 0.375rem; }
.legend svg { width: 1.5rem; height: 0.75rem; flex: none; }
.multiples { display: grid; align-items: end; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 0.75rem 1.25rem; margin: 0.75rem 0; }
.multiples figure { margin: 0; min-width: 0; }
.multiples figcaption { overflow-wrap: anywhere; font-size: 0.8125rem; }
.toc { display: flex; flex-wrap: wrap; gap: 0.25rem 1.5rem; margin: 1rem 0 0; padding: 0; list-style: none; }
footer { margin-top: 3rem; padding-top: 0.75rem; border-top: 1px solid var(--line); color: var(--muted); font-size: 0.875rem; }

@media screen and (max-width: 44rem) {
  body { padding: 1.25rem 1rem 3rem; }
  h1 { font-size: 1.4375rem; }
  .facts { grid-template-columns: repeat(auto-fill, minmax(9.5rem, 1fr)); gap: 0.5rem 1rem; }
  .counts .state { white-space: normal; overflow-wrap: anywhere; }
  th, td { padding-right: 0.625rem; }
  .rows { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .rows dd { margin-bottom: 0.375rem; }
  .matrix thead { position: absolute; left: -99rem; }
  .matrix, .matrix tbody, .matrix caption { display: block; }
  .matrix tr { display: grid; grid-template-columns: max-content max-content 1fr; gap: 0 0.875rem; padding: 0.5rem 0; border-bottom: 1px solid var(--line); }
  .matrix tr[hidden], .matrix tbody[hidden] { display: none; }
  .matrix th, .matrix td { display: block; border: 0; padding: 0; }
  .matrix td.what, .matrix .where { grid-column: 1 / -1; width: auto; min-width: 0; }
  .matrix .where:empty, .matrix .blame:empty { display: none; }
  .matrix .group th { padding-top: 0.75rem; grid-column: 1 / -1; }
}
@media print {
  :root { color-scheme: light; --paper: #ffffff; --panel: #ffffff; --ink: #000000; --muted: #444444; --line: #bbbbbb; --link: #000000;
    --fail: #9b1c15; --inconclusive: #7a4100; --marginal: #5c5200; --pass: #145a2e; --played: #2b4580; --none: #444444;
    --truth: #1c5590; --seen: #000000; --late: #7a4100; --band: #145a2e; --gap: #9b1c15; }
  @page { margin: 16mm 14mm; }
  body { max-width: none; padding: 0; font-size: 9.5pt; }
  .filter, .toc, .skip, .presets { display: none !important; }
  .own-page { break-before: page; }
  .signatures { break-inside: avoid; }
  a { text-decoration: none; }
  h2, h3, h4, .group, caption { break-after: avoid; }
  tr, .finding, figure, .rows { break-inside: avoid; }
  thead { display: table-header-group; }
  .scroll { overflow: visible; }
  th, td { padding-right: 0.5rem; }
  td code, .where, .matrix .what { overflow-wrap: anywhere; }
  td code { word-break: break-all; }
  .plot.large { min-width: 0; }
  .bar, .state, .plot { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
`
