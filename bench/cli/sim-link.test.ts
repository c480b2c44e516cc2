/** `gridproof sim link`, as somebody would call it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { expect, test } from 'vitest'

const gridproof = join(import.meta.dirname, 'gridproof.mjs')
const start = (...args: string[]) => {
  const child = spawn(process.execPath, [gridproof, 'sim', 'link', ...args])
  let err = ''
  child.stderr.on('data', (b: Buffer) => (err += String(b)))
  const lines: string[] = []
  createInterface({ input: child.stdout }).on('line', (l) => lines.push(l))
  const ended = once(child, 'close').then(([code]) => ({ code: code as number, lines, err }))
  return { child, lines, ended }
}

test('a link between a client and a server tells what passes, and ends when its console says so', async () => {
  const server = createServer((s) => s.pipe(s))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const to = `127.0.0.1:${(server.address() as AddressInfo).port}`
  const p = start('--listen', '127.0.0.1:0', '--to', to, '--profile', 'wire', '--json')
  const out = createInterface({ input: p.child.stdout })
  const [ready] = (await once(out, 'line')) as [string]
  const { place } = JSON.parse(ready) as { place: string }
  const s = connect(Number(place.split(':')[1]), '127.0.0.1')
  s.end('hello')
  let got = ''
  s.on('data', (b) => (got += String(b)))
  await once(s, 'close')
  p.child.stdin.write('fault nonsense\nfault rate up_kbit=64 for=10s\nquit\n')
  const { code, lines, err } = await p.ended
  server.close()
  expect(got).toBe('hello')
  expect(err).toContain("no fault 'nonsense'; there are: drop")
  expect(code).toBe(0)
  const last = JSON.parse(lines.at(-1) ?? '{}') as { peers: Record<string, { up: object; down: object }> }
  expect(last.peers['server']).toMatchObject({ up: { 'passed [B]': 5 }, down: { 'passed [B]': 5 } })
})

test('what does not fit is refused before anything listens', async () => {
  const to = ['--to', '127.0.0.1:1']
  const ends = await Promise.all([
    start('--listen', 'nowhere', ...to).ended,
    start('--listen', '127.0.0.1:0', ...to, '--profile', 'moon').ended,
    start('--listen', '127.0.0.1:0', ...to, '--do', 'fly').ended,
  ])
  expect(ends.map((e) => e.code)).toEqual([2, 2, 2])
  expect(ends.map((e) => e.err).join('')).toMatch(
    /no host:port[^]*there are: flapping[^]*'fly' is no command/,
  )
})
