/** The link of real time with this machine's packet filter below it. */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { describe, expect, test } from 'vitest'
import { makeLink } from '../../sim/link/make.ts'
import { streams } from '../random.ts'
import { benchNow } from './clock.ts'
import { lacksFirewall, type Rule } from './firewall.ts'
import { createRealLink } from './real-link.ts'

const lacks = await lacksFirewall()
const rules = (): string => execFileSync('iptables', ['-w', '5', '-S', 'INPUT'], { encoding: 'utf8' })
/** Asks again and again, each time a process of its own; gives up after many. */
const until = (holds: () => boolean): boolean => {
  for (let i = 0; i < 500; i++) if (holds()) return true
  return false
}
const turn = (): Promise<void> => new Promise((done) => void setImmediate(done))

describe(`a link with a packet filter${lacks === undefined ? '' : ` (skipped: ${lacks})`}`, () => {
  test.skipIf(lacks !== undefined)(
    'drops packets while there is no carrier, loses a share of them where told to, and leaves no rule',
    async () => {
      const server = createServer((s) => s.end('here'))
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const random = streams(1)
      const noted: Rule[] = []
      const forgotten = new Set<string | number>()
      const model = makeLink({ profile: 'wire', random: (s) => random(s), began: benchNow() })
      const link = await createRealLink({
        name: 'link',
        address: '127.0.0.1',
        model,
        now: benchNow,
        ledger: { rule: (r) => void noted.push(r), forget: (w) => void forgotten.add(w) },
        onTell: () => undefined,
      })
      expect(link.packets).toEqual({ by: 'iptables' })
      const at = await link.reach({
        name: 'server',
        address: '127.0.0.1',
        port: (server.address() as AddressInfo).port,
      })
      const ours = (): number => rules().split(`port ${at.port} `).length - 1
      link.order({ do: 'inflict', id: 'd', fault: 'drop' })
      for (let i = 0; i < 5000 && ours() < 2; i++) await turn()
      expect(ours()).toBe(2)
      let connected = false
      const s = connect(at.port, at.address, () => (connected = true))
      const plain = connect((server.address() as AddressInfo).port, '127.0.0.1')
      await once(plain, 'data')
      expect(connected).toBe(false)
      link.order({ do: 'lift', id: 'd' })
      // The kernel sends its SYN again after a second.
      const [b] = (await once(s, 'data')) as [Buffer]
      expect(String(b)).toBe('here')
      expect(ours()).toBe(0)
      link.order({ do: 'inflict', id: 'l', fault: 'loss', params: { good: 0.25 } })
      for (let i = 0; i < 5000 && ours() < 2; i++) await turn()
      expect(rules()).toMatch(/--probability 0\.25/)
      await link[Symbol.asyncDispose]()
      expect(until(() => ours() === 0)).toBe(true)
      expect(noted.length).toBe(4)
      expect(forgotten).toEqual(new Set(noted.map((r) => r.mark)))
      s.destroy()
      plain.destroy()
      await new Promise<void>((done) => void server.close(() => done()))
    },
  )
})
