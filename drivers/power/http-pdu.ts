/** A power strip that is switched by HTTP. What is asked of it stands in the rig file; unless it does, as Shelly's first generation does it. */
import { readFileSync } from 'node:fs'
import { request as overHttp } from 'node:http'
import { request as overHttps } from 'node:https'
import { GridproofError, messageOf } from '../errors.ts'
import { answerWithin, type BoardSpec, type HttpPaths, type PowerBoard } from './board.ts'

/** Shelly API reference, generation 1, `/relay/{index}`. */
export const shellyPaths: HttpPaths = {
  on: '/relay/{outlet}?turn=on',
  off: '/relay/{outlet}?turn=off',
  state: '/relay/{outlet}',
  isOn: '"ison"\\s*:\\s*true',
  isOff: '"ison"\\s*:\\s*false',
  first: 0,
}

/** The longest answer that is read, bytes. Ours. */
const longest = 65_536

/** Nothing is sent yet. Throws `rig-lacks` where its password cannot be read, `bad-value` for what is no address. */
export function openHttpPdu(
  o: Extract<BoardSpec, { kind: 'http' }> & { readonly within?: number },
): PowerBoard {
  const paths = o.paths ?? shellyPaths
  const base = URL.parse(o.url)
  if (base === null || !/^https?:$/.test(base.protocol))
    throw new GridproofError('bad-value', `'${o.url}' is no address of a power strip: http://192.0.2.7`)
  const isOn = new RegExp(paths.isOn)
  const isOff = new RegExp(paths.isOff)
  let password = ''
  if (o.passwordFile !== undefined)
    try {
      password = readFileSync(o.passwordFile, 'utf8').split(/\r?\n/)[0] ?? ''
    } catch (e) {
      throw new GridproofError('rig-lacks', `the power strip's password: ${messageOf(e)}`, { cause: e })
    }
  const get = (path: string, outlet: number): Promise<string> => {
    const url = new URL(path.replaceAll('{outlet}', String(outlet - 1 + paths.first)), base)
    const how = {
      method: 'GET',
      agent: false,
      ...(o.user === undefined ? {} : { auth: `${o.user}:${password}` }),
    } as const
    const within = o.within ?? answerWithin
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        reject(new GridproofError('timeout', `${base.host} did not answer within ${within} ms`))
        asked.destroy()
      }, within)
      const fail = (e: unknown): void => {
        clearTimeout(late)
        reject(new GridproofError('rig-broke', `${base.host}: ${messageOf(e)}`, { cause: e }))
      }
      const asked = (base.protocol === 'https:' ? overHttps : overHttp)(url, how, (answer) => {
        let text = ''
        answer.setEncoding('utf8')
        answer.on('error', fail)
        answer.on('data', (t: string) => {
          text += t
          if (text.length > longest) asked.destroy(new Error('its answer does not end'))
        })
        answer.on('end', () => {
          clearTimeout(late)
          const status = answer.statusCode ?? 0
          if (status >= 200 && status < 300) resolve(text)
          else reject(new GridproofError('rig-broke', `${base.host} answered ${status}`))
        })
      })
      asked.on('error', fail)
      asked.end()
    })
  }
  const read = async (outlet: number): Promise<boolean> => {
    const text = await get(paths.state, outlet)
    const [on, off] = [isOn.test(text), isOff.test(text)]
    if (on === off)
      throw new GridproofError(
        'bad-frame',
        `${base.host} does not tell whether outlet ${outlet} is on: ${text.slice(0, 80)}`,
      )
    return on
  }
  return {
    async set(outlet, on) {
      await get(on ? paths.on : paths.off, outlet)
      const stands = await read(outlet)
      if (stands !== on)
        throw new GridproofError(
          'rig-broke',
          `outlet ${outlet} of ${base.host} was to be ${on ? 'on' : 'off'}, and is ${stands ? 'on' : 'off'}`,
        )
    },
    read,
    [Symbol.asyncDispose]: () => Promise.resolve(),
  }
}
