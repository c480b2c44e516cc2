import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { type Browser, chromium, type Page } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { shippedCatalogue } from '../../bench/requirements/load.ts'
import { sampleAcceptance } from '../testing/sample-acceptance.ts'
import { sampleRun } from '../testing/sample-run.ts'
import { thousandRequirements } from '../testing/thousand.ts'
import { writeReports } from '../write.ts'

const executablePath = '/usr/bin/chromium'
const there = existsSync(executablePath)
if (!there) process.stderr.write(`the pages are not opened in a browser: there is no ${executablePath}\n`)

let browser: Browser | undefined
let folder = ''
/** Kept for people to look at; no part of the repository. */
const shots = fileURLToPath(new URL('../../.gridproof/screenshots', import.meta.url))

const pages = {
  index: 'index.html',
  failed: 'data/capture.gridkey-every-minute.html',
  cut: 'data/storage.survives-a-cut.html',
  acceptance: 'acceptance.html',
} as const

/** 1,000 requirements: a page of its own, opened by fewer tests. */
const big = 'big/index.html'

const settings = {
  desktop: { viewport: { width: 1280, height: 900 } },
  dark: { viewport: { width: 1280, height: 900 }, colorScheme: 'dark' },
  phone: { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true },
  narrow: { viewport: { width: 320, height: 640 } },
} as const

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'gridproof-pages-'))
  if (!there) return
  mkdirSync(shots, { recursive: true })
  process.stderr.write(`screenshots of the report: ${shots}\n`)
  sampleRun(folder)
  writeReports(folder, { catalogueFolder: shippedCatalogue })
  writeFileSync(join(folder, pages.acceptance), sampleAcceptance(folder))
  thousandRequirements(join(folder, 'big'))
  browser = await chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--headless',
      '--disable-gpu',
      '--disable-background-networking',
      '--no-first-run',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
})

afterAll(async () => {
  await browser?.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Opens a page; gives what the browser complained of. */
async function open(
  name: keyof typeof pages | typeof big,
  setting: keyof typeof settings,
  f: (page: Page) => Promise<void>,
): Promise<string[]> {
  if (browser === undefined) throw new Error('no browser')
  const context = await browser.newContext(settings[setting])
  const complaints: string[] = []
  try {
    const page = await context.newPage()
    page.on('console', (m) => complaints.push(m.text()))
    page.on('pageerror', (e) => complaints.push(e.message))
    page.on('request', (r) => {
      if (!r.url().startsWith('file:') && !r.url().startsWith('data:'))
        complaints.push(`asked for ${r.url()}`)
    })
    await page.goto(pathToFileURL(join(folder, name === big ? big : pages[name])).href)
    await f(page)
  } finally {
    await context.close()
  }
  return complaints
}

function widthOf(page: Page): Promise<[content: number, window: number]> {
  return page.evaluate<[number, number]>('[document.documentElement.scrollWidth, window.innerWidth]')
}

describe.skipIf(!there)('in a browser', () => {
  for (const setting of Object.keys(settings) as (keyof typeof settings)[])
    for (const name of Object.keys(pages) as (keyof typeof pages)[])
      test(`${pages[name]} fits a ${setting} window, and the browser has no complaint`, async () => {
        const complaints = await open(name, setting, async (page) => {
          const [content, window] = await widthOf(page)
          expect(content).toBeLessThanOrEqual(window)
          await page.screenshot({ path: join(shots, `${name}-${setting}.png`) })
          const figure = page.locator('figure').first()
          if ((await figure.count()) > 0) {
            await figure.scrollIntoViewIfNeeded()
            await page.screenshot({ path: join(shots, `${name}-${setting}-plot.png`) })
          }
          const matrix = page.locator('.matrix').first()
          if ((await matrix.count()) > 0) {
            await page.evaluate("document.getElementById('requirements').scrollIntoView()")
            await page.screenshot({ path: join(shots, `${name}-${setting}-matrix.png`) })
          }
        })
        expect(complaints).toEqual([])
      })

  test('pages printed on A4 fit the paper', async () => {
    for (const name of Object.keys(pages) as (keyof typeof pages)[])
      await open(name, 'desktop', async (page) => {
        // 210 mm less two margins of 14 mm, at 96 px an inch.
        await page.setViewportSize({ width: 688, height: 1000 })
        await page.emulateMedia({ media: 'print' })
        const [content, window] = await widthOf(page)
        expect(content).toBeLessThanOrEqual(window)
        await page.screenshot({ path: join(shots, `${name}-print.png`) })
        await page.pdf({ path: join(shots, `${name}.pdf`), format: 'A4', preferCSSPageSize: true })
      })
  })

  test('headings form an outline without holes, under one first heading', async () => {
    for (const name of Object.keys(pages) as (keyof typeof pages)[])
      await open(name, 'desktop', async (page) => {
        const levels = await page.evaluate<number[]>(
          "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map((h) => Number(h.tagName[1]))",
        )
        expect(levels.filter((l) => l === 1)).toHaveLength(1)
        expect(levels[0]).toBe(1)
        for (const [i, l] of levels.entries()) expect(l - (levels[i - 1] ?? 0)).toBeLessThanOrEqual(1)
      })
  })

  test('tables have captions and scopes, plots a name, ids are unique, links inside the page lead somewhere', async () => {
    for (const name of Object.keys(pages) as (keyof typeof pages)[])
      await open(name, 'desktop', async (page) => {
        const faults = await page.evaluate<string[]>(`(() => {
          const faults = []
          const all = (q) => [...document.querySelectorAll(q)]
          for (const t of all('table')) if (!t.querySelector('caption')) faults.push('a table without caption')
          for (const h of all('th')) if (!h.hasAttribute('scope')) faults.push('th without scope: ' + h.textContent)
          for (const s of all('svg')) {
            if (s.getAttribute('aria-hidden') === 'true') continue
            const named = (s.getAttribute('aria-labelledby') || '').split(' ').every((i) => document.getElementById(i))
            if (!named || !s.querySelector('title') || !s.querySelector('desc')) faults.push('svg without title or desc')
          }
          const ids = all('[id]').map((e) => e.id)
          for (const i of ids) if (ids.indexOf(i) !== ids.lastIndexOf(i)) faults.push('id twice: ' + i)
          for (const a of all('a[href^="#"]')) {
            const id = decodeURIComponent(a.getAttribute('href').slice(1))
            if (!document.getElementById(id)) faults.push('no target: ' + id)
          }
          for (const i of all('input')) if (!i.closest('label')) faults.push('input without label')
          return faults
        })()`)
        expect(faults).toEqual([])
      })
  })

  for (const setting of ['desktop', 'dark'] as const)
    test(`text stands out from its ground by 4.5 to 1 or more (${setting})`, async () => {
      for (const name of Object.keys(pages) as (keyof typeof pages)[])
        await open(name, setting, async (page) => {
          const faint = await page.evaluate<string[]>(`(() => {
            const numbers = (c) => c.match(/[\\d.]+/g).map(Number)
            const light = ([r, g, b]) => {
              const f = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)
              return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b)
            }
            const ground = (e) => {
              for (let n = e; n; n = n.parentElement) {
                const c = numbers(getComputedStyle(n).backgroundColor)
                if (c.length < 4 || c[3] > 0) return c
              }
              return [255, 255, 255]
            }
            const faint = new Set()
            for (const e of document.querySelectorAll('body *')) {
              const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim() !== '')
              if (!own || e.closest('.skip') || ['SCRIPT', 'STYLE', 'TITLE', 'DESC'].includes(e.tagName.toUpperCase())) continue
              const style = getComputedStyle(e)
              const ink = numbers(e.namespaceURI.endsWith('svg') ? style.fill : style.color)
              const [a, b] = [light(ink), light(ground(e))].sort((x, y) => y - x)
              const ratio = (a + 0.05) / (b + 0.05)
              if (ratio < 4.5) faint.add(e.tagName + '.' + e.className + ' ' + ratio.toFixed(2))
            }
            return [...faint]
          })()`)
          expect(faint).toEqual([])
        })
    })

  test('landmarks: a banner, a named navigation where there is one, one main part, a footer', async () => {
    for (const name of Object.keys(pages) as (keyof typeof pages)[])
      await open(name, 'desktop', async (page) => {
        const count = (role: 'banner' | 'main' | 'contentinfo'): Promise<number> =>
          page.getByRole(role).count()
        expect([await count('banner'), await count('main'), await count('contentinfo')]).toEqual([1, 1, 1])
        for (const nav of await page.getByRole('navigation').all())
          expect(await nav.getAttribute('aria-label')).toBeTruthy()
        for (const region of await page.getByRole('region').all())
          expect(await region.getAttribute('aria-label')).toBeTruthy()
        expect(await page.locator('img:not([alt])').count()).toBe(0)
      })
  })

  for (const setting of ['desktop', 'phone'] as const)
    test(`the first screen of a run with failures says what failed, whose fault, and where (${setting})`, async () => {
      for (const name of ['index', 'acceptance', big] as const)
        await open(name, setting, async (page) => {
          const first = page.getByRole('list', { name: 'What failed' })
          const box = await first.boundingBox()
          expect(box).not.toBeNull()
          const items = await first.getByRole('listitem').allInnerTexts()
          const head = items[0] ?? ''
          expect(head).toMatch(name === big ? /^Q:37 a gap of 3 min/ : /^M:0023.* 3 min/s)
          expect(head).toMatch(/the product’s fault/)
          expect(head).toMatch(/evidence line \d+$/)
          const { height } = settings[setting].viewport
          const itemBox = await first.getByRole('listitem').first().boundingBox()
          expect((itemBox?.y ?? height) + (itemBox?.height ?? 0)).toBeLessThanOrEqual(height)
          if (name === big) expect(items.at(-1)).toBe('22 more')
        })
    })

  test('1,000 requirements fit the window, and answer to the filter', async () => {
    for (const setting of ['desktop', 'phone'] as const)
      await open(big, setting, async (page) => {
        const [content, window] = await widthOf(page)
        expect(content).toBeLessThanOrEqual(window)
        await page.screenshot({ path: join(shots, `big-${setting}.png`) })
        await page.getByRole('searchbox').fill('Q:99')
        expect(await page.locator('#filter-count').textContent()).toBe('11 of 1000 shown')
        await page.evaluate("document.getElementById('filter').scrollIntoView()")
        await page.screenshot({ path: join(shots, `big-${setting}-filtered.png`) })
      })
  })

  test('what a record says stays text', async () => {
    await open('acceptance', 'desktop', async (page) => {
      expect(await page.locator('script').count()).toBe(0)
      expect(await page.getByText('<script>alert(1)</script><b>IP 54</b>').first().isVisible()).toBe(true)
      expect(await page.getByText('⊘waived').count()).toBeGreaterThan(0)
      for (const heading of ['Contradictory verdicts', 'Waivers', 'Outdated evidence', 'Signatures'])
        expect(await page.getByRole('heading', { name: heading }).count(), heading).toBe(1)
    })
  })

  test('the filter shows what is asked for, and an anchor shows its row again', async () => {
    const complaints = await open('index', 'desktop', async (page) => {
      const shown = (): Promise<number> => page.locator('.matrix tr[data-state]:visible').count()
      const all = await shown()
      expect(all).toBeGreaterThanOrEqual(294)
      await page.getByRole('button', { name: 'Not passed' }).click()
      expect(await shown()).toBe(3)
      await page.screenshot({ path: join(shots, 'index-filtered.png') })
      await page.getByRole('checkbox', { name: 'pass', exact: true }).check()
      expect(await shown()).toBe(4)
      await page.getByRole('button', { name: 'All' }).click()
      await page.getByRole('searchbox').fill('M:0023')
      expect(await shown()).toBeLessThan(10)
      expect(await page.locator('#filter-count').textContent()).toMatch(/^\d+ of \d+ shown$/)
      await page.evaluate("location.hash = '#M:001'")
      await page.waitForFunction("!document.getElementById('M:001').hidden")
      expect(await shown()).toBe(all)
    })
    expect(complaints).toEqual([])
  })

  test('without scripts everything is shown, and the filter is not', async () => {
    if (browser === undefined) throw new Error('no browser')
    const context = await browser.newContext({ javaScriptEnabled: false })
    const page = await context.newPage()
    await page.goto(pathToFileURL(join(folder, 'index.html')).href)
    expect(await page.locator('.matrix tr[data-state]').first().isVisible()).toBe(true)
    expect(await page.locator('#filter').isVisible()).toBe(false)
    await context.close()
  })
})
