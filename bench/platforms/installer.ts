/**
 * Whoever sets a meter reader up at its configuration page (HAN thesis, SR-3.4), with the password, with a wrong one, or
 * without any: by the forms that a browser would send. How the page is asked is written down here once.
 */
import { readFileSync } from 'node:fs'
import { request } from 'node:https'
import { join } from 'node:path'
import { messageOf } from '../../drivers/errors.ts'
import type { Json, Realm } from '../../drivers/faces.ts'
import type { Emit } from '../../sim/faces.ts'
import type { Installer, PageVisit } from '../faces.ts'

/** Whose certificate the page shows here: a name that the bench's authority has proved. */
export const pageName = 'maintenance'
/** How long an answer may take, ms. Ours. */
const patience = 10_000

export interface InstallerOptions {
  readonly address: string
  readonly port: number
  readonly pki: string
  readonly realm: Realm
  readonly emit: Emit
  /** The right password. It stands in no evidence. */
  readonly password: string
  /** What the page has to be told of the cloud. */
  readonly cloud: Readonly<Record<string, string>>
}

interface Answer {
  readonly status: number
  readonly text: string
  readonly location: string
  readonly cookie: string
}

/**
 * A form as a browser may send it (application/x-www-form-urlencoded), with every byte of a value as %XX: a certificate takes
 * the same room then whatever its base64 holds, so that what crosses the wire is the seed's alone.
 */
function encoded(form: Readonly<Record<string, string>>): string {
  return Object.entries(form)
    .map(([k, v]) => `${k}=${Buffer.from(v).toString('hex').replaceAll(/../g, '%$&')}`)
    .join('&')
}

export function makeInstaller(o: InstallerOptions): Installer {
  const ask = (
    method: string,
    path: string,
    form?: Readonly<Record<string, string>>,
    cookie = '',
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const req = request(
        {
          host: o.address,
          port: o.port,
          method,
          path,
          agent: false,
          ca: readFileSync(join(o.pki, 'ca.crt')),
          servername: pageName,
          timeout: patience,
          headers: {
            ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
            ...(cookie === '' ? {} : { cookie }),
          },
        },
        (res) => {
          let text = ''
          res.setEncoding('utf8')
          res.on('data', (t: string) => (text += t))
          res.on('error', reject)
          res.on('end', () =>
            resolve({
              status: res.statusCode ?? 0,
              text,
              location: res.headers.location ?? '',
              cookie: res.headers['set-cookie']?.[0]?.split(';')[0] ?? '',
            }),
          )
        },
      )
      req.on('timeout', () => req.destroy(new Error(`no answer in ${patience / 1000} s`)))
      req.on('error', reject)
      req.end(form === undefined ? undefined : encoded(form))
    })

  const visit = async (what: PageVisit): Promise<Json> => {
    let cookie = ''
    if (what.gives !== 'none') {
      const key = what.gives === 'right' ? o.password : `${o.password.slice(0, -1)}!`
      const login = await ask('POST', '/login', { key })
      if (login.status === 429) return { stage: 'locked', status: login.status }
      cookie = login.cookie
    }
    const page = await ask('GET', '/', undefined, cookie)
    const inside = page.status === 200 && page.text.includes('name="publishTopic"')
    // Whoever is not shown the form can still send one.
    const token = /name="token" value="([^"]*)"/.exec(page.text)?.[1] ?? ''
    const form = { ...(what.set === 'cloud' ? o.cloud : {}), ...what.fields, token }
    const saved = await ask('POST', '/save', form, cookie)
    return {
      stage: inside ? 'inside' : 'login',
      status: page.status,
      saved: saved.status === 303 && saved.location === '/?saved',
      'save status': saved.status,
    }
  }

  return {
    outcomes: { src: 'installer', kind: 'seen', select: 'installer.*' },
    visit: (what) =>
      o.realm.run(async () => {
        const alias = `installer.${what.name}`
        const cause = o.emit('sent', { alias, visit: what as unknown as Json })
        let payload: Json
        try {
          payload = await visit(what)
        } catch (e) {
          payload = { stage: 'tcp', reason: messageOf(e), saved: false }
        }
        o.emit('seen', { alias, payload }, { cause })
      }),
  }
}
