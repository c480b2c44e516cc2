/** A page printed to PDF by Chromium, where there is one. */
import { existsSync } from 'node:fs'
import { pathToFileURL } from 'node:url'
import { messageOf } from '../../drivers/errors.ts'

/** Where Chromium stands, most likely first; GRIDPROOF_CHROMIUM names another place. */
const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
]

/** The most that printing may take, ms. Ours. */
const patience = 120_000

export function chromiumAt(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const named = env['GRIDPROOF_CHROMIUM']
  return [...(named === undefined || named === '' ? [] : [named]), ...places].find((p) => existsSync(p))
}

/** Prints a page of ours, A4 with page numbers, tagged for screen readers. Gives why it could not, or nothing. */
export async function printPdf(page: string, pdf: string, chromium: string): Promise<string | undefined> {
  try {
    const { chromium: driver } = await import('playwright')
    const browser = await driver.launch({
      executablePath: chromium,
      timeout: patience,
      args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
    })
    try {
      const context = await browser.newContext({ javaScriptEnabled: false, colorScheme: 'light' })
      const tab = await context.newPage()
      tab.setDefaultTimeout(patience)
      await tab.goto(pathToFileURL(page).href, { timeout: patience })
      await tab.pdf({
        path: pdf,
        format: 'A4',
        tagged: true,
        outline: true,
        displayHeaderFooter: true,
        margin: { top: '16mm', bottom: '18mm', left: '14mm', right: '14mm' },
        headerTemplate: '<span></span>',
        footerTemplate:
          '<div style="width:100%;font-size:8px;padding:0 14mm;text-align:right"><span class="pageNumber"></span> of <span class="totalPages"></span></div>',
      })
    } finally {
      await browser.close()
    }
    return undefined
  } catch (e) {
    return messageOf(e).split('\n')[0]
  }
}
