import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { anchor, escapeHtml, html, raw, relative, render } from './html.ts'

test('whatever is inserted comes out as text', () => {
  const t = '<img src=x onerror=alert(1)>"\'`&'
  expect(render(html`<p title="${t}">${t}</p>`)).toBe(
    '<p title="&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&#96;&amp;">&lt;img src=x onerror=alert(1)&gt;&quot;&#39;&#96;&amp;</p>',
  )
  expect(render(html`${[html`<b>${1}</b>`, raw('<i>'), undefined, null, false]}`)).toBe('<b>1</b><i>')
})

test('an escaped text has no sign left that could begin or end markup', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (s) => {
      for (const sign of ['<', '>', '"', "'", '`', '\0']) expect(escapeHtml(s)).not.toContain(sign)
    }),
  )
})

test('an address stays relative and has no scheme, whatever the path', () => {
  expect(relative('data/a b/c.html', 'seq-1')).toBe('data/a%20b/c.html#seq-1')
  expect(relative('../../index.html')).toBe('../../index.html')
  expect(relative('javascript:alert(1)')).toBe('javascript%3Aalert(1)')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (s) => {
      const url = new URL(relative(s), 'file:///run/index.html')
      expect(url.protocol).toBe('file:')
      expect(url.host).toBe('')
    }),
  )
})

test('two texts never share an anchor', () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (a, b) => {
      expect(anchor(a) === anchor(b)).toBe(a === b)
      expect(anchor(a)).toMatch(/^[A-Za-z0-9.:_-]*$/)
    }),
  )
})
