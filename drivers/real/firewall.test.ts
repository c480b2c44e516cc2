import { execFileSync } from 'node:child_process'
import { connect, createServer, type AddressInfo } from 'node:net'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { addRule, isOurs, lacksFirewall, newMark, removeRule, type Rule } from './firewall.ts'
import { openLedger } from './ledger.ts'

const lacks = await lacksFirewall()

test('a rule that we did not make is not taken for ours', () => {
  const good: Rule = { mark: newMark(), which: 'to', address: '127.1.2.3', port: 80 }
  expect(isOurs(good)).toBe(true)
  for (const bad of [
    { mark: 'somebody' },
    { address: '0.0.0.0/0' },
    { address: '-j' },
    { port: 0 },
    { port: '80' },
    { which: 'any' },
    { share: 2 },
    { share: '0.5' },
  ])
    expect(isOurs({ ...good, ...bad } as never), JSON.stringify(bad)).toBe(false)
  expect(isOurs(null)).toBe(false)
})

describe(`the packet filter${lacks === undefined ? '' : ` (skipped: ${lacks})`}`, () => {
  const filter = test.skipIf(lacks !== undefined)

  filter('drops a SYN, so that nobody answers, until the rule is taken away', async () => {
    const server = createServer((s) => s.end())
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const port = (server.address() as AddressInfo).port
    const rule: Rule = { mark: newMark(), which: 'to', address: '127.0.0.1', port }
    await addRule(rule)
    const s = connect(port, '127.0.0.1')
    let connected = false
    s.on('connect', () => (connected = true))
    // It would connect to any other port of loopback in the meantime.
    const other = createServer((x) => x.end())
    other.listen(0, '127.0.0.1')
    await once(other, 'listening')
    const plain = connect((other.address() as AddressInfo).port, '127.0.0.1')
    await once(plain, 'connect')
    expect(connected).toBe(false)
    expect(removeRule(rule)).toBe(true)
    expect(removeRule(rule)).toBe(false)
    // The kernel sends its SYN again, after a second.
    await once(s, 'connect')
    for (const x of [s, plain]) x.destroy()
    await Promise.all([server, other].map((x) => new Promise<void>((done) => void x.close(() => done()))))
  })

  filter('is put right again by the ledger of a bench that is gone', async () => {
    const state = mkdtempSync(join(tmpdir(), 'gridproof-rules-'))
    const ledger = openLedger(state)
    const rule: Rule = { mark: newMark(), which: 'from', address: '127.9.9.9', port: 9, share: 0.25 }
    ledger.rule(rule)
    await addRule(rule)
    const there = (): boolean =>
      execFileSync('iptables', ['-w', '5', '-S', 'INPUT'], { encoding: 'utf8' }).includes(rule.mark)
    expect(there()).toBe(true)
    expect(ledger.close()).toEqual([{ what: `rule ${rule.mark} of the packet filter`, outcome: 'undone' }])
    expect(there()).toBe(false)
    expect(readdirSync(join(state, 'ledgers'))).toEqual([])
    rmSync(state, { recursive: true })
  })
})
