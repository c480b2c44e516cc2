/** The configuration page by plain HTTPS, and in a browser where there is one. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect } from 'node:net'
import { join } from 'node:path'
import { chromium } from 'playwright'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromiumAt } from '../../../reports/acceptance/pdf.ts'
import type { Proc } from '../lvcap/env.ts'
import { hashPassword } from '../lvcap/maintenance/password.ts'
import { makePki } from '../lvcap/pki.ts'
import { freePort, tempFolder, testHost, type TestHost } from '../lvcap/testing.ts'
import { keepSettings, loadSettings, noSettings } from './settings.ts'

const browserPath = chromiumAt(process.env)
if (browserPath === undefined)
  process.stderr.write('the configuration page is not tried in a browser: there is no Chromium\n')

const folder = tempFolder()
const password = 'a right good password'
const stored = hashPassword(password, { n: 1024, r: 8, p: 1 })
beforeAll(() => makePki(join(folder.path, 'pki'), { apps: ['a_b_1.0'], algorithm: 'ed25519' }))
afterAll(() => folder.remove())
const authority = (): string => readFileSync(join(folder.path, 'pki', 'ca.crt'), 'utf8')

interface Started {
  readonly host: TestHost
  readonly port: number
  readonly disk: string
  readonly proc: Proc
}

let disks = 0
async function start(disk = join(folder.path, `disk${disks++}`), more: object = {}): Promise<Started> {
  const port = await freePort()
  const host = testHost(disk)
  const proc = await host.start('reader', {
    entry: 'sim/reference/han-logger/main.ts',
    config: {
      id: 'reader-as-installed',
      lines: [{ path: '/dev/no-such-port-1' }, { path: '/dev/no-such-port-2' }],
      retry: 0.2,
      web: { port, address: '127.0.0.1', password: stored, ...more },
    },
    defects: [],
  })
  await host.logged((l) => l.entry['event'] === 'web-listening', 'the page')
  return { host, port, disk, proc }
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly headers: NodeJS.Dict<string | string[]>
}

function ask(
  s: Started,
  method: string,
  path: string,
  o: { form?: Record<string, string>; cookie?: string; headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const r = request(
      {
        host: '127.0.0.1',
        port: s.port,
        ca: readFileSync(join(s.disk, 'web.crt')),
        agent: false,
        method,
        path,
        headers: { ...(o.cookie === undefined ? {} : { cookie: o.cookie }), ...o.headers },
      },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (t: string) => (text += t))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, text, headers: response.headers }),
        )
      },
    )
    r.on('error', reject)
    r.end(o.form === undefined ? '' : new URLSearchParams(o.form).toString())
  })
}

/** The cookie and the form's token of a fresh session. */
async function logIn(s: Started): Promise<{ cookie: string; token: string }> {
  const { headers } = await ask(s, 'POST', '/login', { form: { key: password } })
  const cookie = String(headers['set-cookie']).split(';')[0] ?? ''
  const { text } = await ask(s, 'GET', '/', { cookie })
  return { cookie, token: /name="token" value="([^"]+)"/.exec(text)?.[1] ?? '' }
}

const good = (): Record<string, string> => ({
  ssid: 'Attic <b>',
  wifiPassword: 'radio-secret',
  broker: '127.0.0.1',
  port: '18883',
  clientId: 'reader-1',
  publishTopic: 'han/"1"',
  subscribeTopic: '',
  username: 'u',
  password: 'broker-secret',
  certificate: authority(),
  connectionKey: 'cloud-secret',
  deviceId: 'device-7',
  meterType0: 'kaifa',
  meterType1: 'kamstrup',
})

describe('the page', () => {
  let s: Started
  beforeAll(async () => (s = await start()))
  afterAll(() => s.host.stop())

  test('is all there is at a first start: no port is opened, and the log says that nothing is set', () => {
    expect(s.host.logs.map((l) => l.entry['event'])).toEqual(
      expect.arrayContaining(['web-listening', 'config']),
    )
    expect(s.host.logs.some((l) => l.entry['event'] === 'reading')).toBe(false)
  })

  test('tells nothing before log-in', async () => {
    for (const [method, path] of [
      ['GET', '/'],
      ['POST', '/save'],
      ['GET', '/nothing'],
      ['POST', '/logout'],
    ] as const) {
      const a = await ask(s, method, path)
      expect([a.status, a.headers['location'], a.text]).toEqual([303, '/login', ''])
    }
    expect((await ask(s, 'GET', '/', { cookie: '__Host-session=x' })).status).toBe(303)
    const form = await ask(s, 'GET', '/login')
    expect(form.text).not.toMatch(/broker|SSID|no-such-port/i)
    expect(form.headers['content-security-policy']).toContain("default-src 'none'")
  })

  test('gives a session that scripts and other sites do not get', async () => {
    const a = await ask(s, 'POST', '/login', { form: { key: password } })
    expect(String(a.headers['set-cookie'])).toMatch(
      /^__Host-session=[\w-]{43}; Path=\/; Secure; HttpOnly; SameSite=Strict; Max-Age=900$/,
    )
  })

  test('takes no form from elsewhere', async () => {
    const { cookie, token } = await logIn(s)
    const post = (form: Record<string, string>, headers = {}) =>
      ask(s, 'POST', '/save', { cookie, form: { ...good(), ...form }, headers })
    expect((await post({})).status).toBe(403)
    expect((await post({ token: `${token}x` })).status).toBe(403)
    expect((await post({ token }, { origin: 'https://evil.example' })).status).toBe(403)
    expect(
      (
        await ask(s, 'POST', '/login', {
          form: { key: password },
          headers: { origin: 'https://evil.example' },
        })
      ).status,
    ).toBe(403)
    expect(existsSync(join(s.disk, 'settings.json'))).toBe(false)
  })

  test('says at each field what does not fit, keeps what was typed, and saves nothing', async () => {
    const { cookie, token } = await logIn(s)
    const wrong: readonly [string, string, string][] = [
      ['broker', '', 'is needed'],
      ['broker', 'https://x/', 'expected a host name or an IP address'],
      ['port', '70000', 'expected a number from 1 to 65535'],
      ['port', '0x10', 'expected a number from 1 to 65535'],
      ['clientId', '', 'is needed'],
      ['publishTopic', 'a/#', 'a topic to publish on has no wildcards'],
      ['username', 'a\u0000b', 'control characters are not allowed'],
      ['ssid', 'x'.repeat(33), 'at most 32 characters'],
      ['certificate', 'no certificate', 'expected one or more certificates as PEM'],
      ['meterType1', 'steam', 'not a type that is known'],
    ]
    for (const [name, value, why] of wrong) {
      const a = await ask(s, 'POST', '/save', { cookie, form: { ...good(), token, [name]: value } })
      expect([a.status, name], name).toEqual([422, name])
      expect(a.text).toContain(`id="${name}-problem">${why}`)
      expect(a.text).not.toContain('broker-secret')
    }
    expect(existsSync(join(s.disk, 'settings.json'))).toBe(false)
  })

  test('outlives noise and long bodies', async () => {
    await new Promise<void>((resolve) => {
      const c = connect(s.port, '127.0.0.1', () => c.end(Buffer.from([1, 2, 3, 255])))
      c.on('error', () => undefined)
      c.on('close', () => resolve())
    })
    const long = await ask(s, 'POST', '/login', { form: { key: 'x'.repeat(200_000) } }).catch(() => ({
      status: 413,
    }))
    expect(long.status).toBe(413)
    expect((await ask(s, 'GET', '/login')).status).toBe(200)
  })

  test('saves; the reader begins anew; all is there after a kill; secrets come out nowhere', async () => {
    const { cookie, token } = await logIn(s)
    const saved = await ask(s, 'POST', '/save', { cookie, form: { ...good(), token } })
    expect([saved.status, saved.headers['location']]).toEqual([303, '/?saved'])
    await s.host.logged((l) => l.entry['event'] === 'reading', 'the reader')
    const shown = await ask(s, 'GET', '/?saved', { cookie })
    expect(shown.text).toContain('Saved.')
    expect(shown.text).toContain('value="Attic &lt;b&gt;"')
    expect(shown.text).toContain('value="han/&quot;1&quot;"')
    expect(shown.text).toContain('<option value="kamstrup" selected>')
    expect(shown.text).not.toContain('-secret')
    expect(JSON.stringify(s.host.logs)).not.toContain('-secret')

    // A second time, with empty secrets: they stay, but for the one that is to be forgotten.
    const again = await logIn(s)
    const form: Record<string, string> = { ...good(), token: again.token, broker: 'localhost' }
    for (const k of ['wifiPassword', 'password', 'connectionKey']) form[k] = ''
    form['forget-wifiPassword'] = 'yes'
    expect((await ask(s, 'POST', '/save', { cookie: again.cookie, form })).status).toBe(303)
    expect(loadSettings(join(s.disk, 'settings.json'))).toMatchObject({
      broker: 'localhost',
      wifiPassword: '',
      password: 'broker-secret',
      connectionKey: 'cloud-secret',
      meterTypes: ['kaifa', 'kamstrup'],
    })
    s.proc.signal('KILL')
    const after = await start(s.disk)
    await after.host.logged((l) => l.entry['event'] === 'reading', 'the reader, without the page')
    const { cookie: c } = await logIn(after)
    expect((await ask(after, 'GET', '/', { cookie: c })).text).toContain('value="localhost"')
    await after.host.stop()
  })
})

test('after five wrong passwords nobody is heard for a while, and no password is in the log', async () => {
  const s = await start()
  const tries = await Promise.all(
    Array.from({ length: 8 }, (_, n) => ask(s, 'POST', '/login', { form: { key: `guess-${n}` } })),
  )
  expect(tries.map((t) => t.status).sort((a, b) => a - b)).toEqual([401, 401, 401, 401, 429, 429, 429, 429])
  const right = await ask(s, 'POST', '/login', { form: { key: password } })
  expect([right.status, Number(right.headers['retry-after'])]).toEqual([429, 900])
  expect(JSON.stringify(s.host.logs)).not.toMatch(/guess-|right good/)
  await s.host.stop()
})

describe('settings on the disk', () => {
  test('that were half written, or written by somebody else, leave the reader with its page', async () => {
    const disk = join(folder.path, 'torn')
    keepSettings(join(disk, 'settings.json'), noSettings)
    writeFileSync(join(disk, 'settings.json'), '{"password":"torn-secret')
    const s = await start(disk)
    const logs = JSON.stringify(s.host.logs)
    expect(logs).toContain('holds no settings')
    expect(logs).not.toContain('torn-secret')
    expect((await logIn(s)).token).not.toBe('')
    await s.host.stop()
  })

  test('are replaced whole: a file that was begun is not read', () => {
    const file = join(folder.path, 'whole', 'settings.json')
    const usual = { ...noSettings, clientId: 'c', publishTopic: 't' }
    keepSettings(file, { ...usual, broker: 'a' })
    writeFileSync(`${file}.new`, 'half')
    expect(loadSettings(file)?.broker).toBe('a')
    keepSettings(file, { ...usual, broker: 'b' })
    expect(loadSettings(file)?.broker).toBe('b')
    expect(existsSync(`${file}.new`)).toBe(false)
  })
})

test.skipIf(browserPath === undefined)(
  'in a browser: log in, fill in what figure 7.7 shows, be told what is wrong, save, find it again',
  async () => {
    const s = await start()
    const browser = await chromium.launch({
      executablePath: browserPath ?? '',
      args: ['--no-sandbox', '--disable-dev-shm-usage'],
    })
    try {
      const context = await browser.newContext({ ignoreHTTPSErrors: true })
      const page = await context.newPage()
      await page.goto(`https://127.0.0.1:${s.port}/`)
      expect(page.url()).toMatch(/\/login$/)
      await page.getByLabel('Password').fill('wrong')
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByRole('alert').waitFor()
      await page.getByLabel('Password').fill(password)
      await page.getByRole('button', { name: 'Log in' }).click()
      await page.getByRole('heading', { name: 'AMS Data Acquisition Device Configuration' }).waitFor()
      for (const group of ['WiFi Credentials', 'MQTT Credentials', 'CLOUD Credentials', 'Meter Type'])
        expect(await page.getByRole('group', { name: group }).count(), group).toBe(1)
      const fill = async (name: string, value: string): Promise<void> =>
        page.getByLabel(name, { exact: true }).first().fill(value)
      await fill('SSID', 'Attic')
      await fill('Server/broker', 'broker.example')
      await fill('Port', '99999')
      await fill('Client ID', 'reader-1')
      await fill('Publish Topic', 'han/1')
      await fill('Verification Certificate', authority())
      await fill('Connection Key', 'cloud-secret')
      await fill('Device ID', 'device-7')
      await page.getByLabel('Meter at /dev/no-such-port-1').selectOption('Kaifa')
      await page.getByRole('button', { name: 'save' }).click()
      await page.getByText('expected a number from 1 to 65535').waitFor()
      const picture = process.env['GRIDPROOF_PICTURES']
      if (picture !== undefined)
        await page.screenshot({ path: join(picture, 'han-logger-problem.png'), fullPage: true })
      expect(await page.getByLabel('Server/broker').inputValue()).toBe('broker.example')
      await fill('Port', '8883')
      await fill('Connection Key', 'cloud-secret')
      await page.getByRole('button', { name: 'save' }).click()
      await page.getByRole('status').waitFor()
      await page.reload()
      expect(await page.getByLabel('Device ID').inputValue()).toBe('device-7')
      expect(await page.content()).not.toContain('cloud-secret')
      if (picture !== undefined)
        await page.screenshot({ path: join(picture, 'han-logger-saved.png'), fullPage: true })
      expect(await page.evaluate('document.cookie')).toBe('')
      await page.getByRole('button', { name: 'Log out' }).click()
      await page.goto(`https://127.0.0.1:${s.port}/`)
      expect(page.url()).toMatch(/\/login$/)
      expect(loadSettings(join(s.disk, 'settings.json'))).toMatchObject({
        broker: 'broker.example',
        connectionKey: 'cloud-secret',
        meterTypes: ['kaifa', 'configured'],
      })
    } finally {
      await browser.close()
      await s.host.stop()
    }
  },
)

test('a form is taken for what it is: any bytes', async () => {
  const s = await start()
  const { cookie, token } = await logIn(s)
  for (const junk of ['%', 'a=%ff%fe', '&&&=', `token=${token}&port[]=1`, '\u0000'.repeat(50)]) {
    const status = await new Promise<number>((resolve, reject) => {
      const r = request(
        {
          host: '127.0.0.1',
          port: s.port,
          ca: readFileSync(join(s.disk, 'web.crt')),
          agent: false,
          method: 'POST',
          path: '/save',
          headers: { cookie },
        },
        (a) => {
          a.resume()
          resolve(a.statusCode ?? 0)
        },
      )
      r.on('error', reject)
      r.end(junk)
    })
    expect([403, 422]).toContain(status)
  }
  await s.host.stop()
})
