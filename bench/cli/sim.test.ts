import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createInterface } from 'node:readline'
import { join } from 'node:path'
import { describe, expect, test as base } from 'vitest'
import { ptyProvider } from '../../drivers/real/pty.ts'
import { here, place } from './testing.ts'
import type { Place } from './testing.ts'

const test = base.extend<{ p: Place }>({
  p: async ({ task }, use) => {
    using p = place()
    p.write('whose.txt', task.name)
    await use(p)
  },
})

/** A device with its standard input at hand, and its lines as they come. */
function playing(p: Place, args: readonly string[], command: readonly string[] = ['sim']) {
  const child = spawn(process.execPath, [join(here, 'bench/cli/gridproof.mjs'), ...command, ...args], {
    cwd: p.path,
    env: p.env,
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const lines: string[] = []
  const waiting = new Set<() => void>()
  const heard = (line: string): void => {
    lines.push(line)
    for (const look of waiting) look()
  }
  createInterface({ input: child.stdout }).on('line', heard)
  createInterface({ input: child.stderr }).on('line', heard)
  const ended = once(child, 'close').then(([code]) => code as number | null)
  return {
    child,
    lines,
    ended,
    type: (line: string) => child.stdin.write(`${line}\n`),
    /** The first line that fits; rejects if the device ends before. */
    async told(what: RegExp): Promise<RegExpExecArray> {
      const found = Promise.withResolvers<RegExpExecArray>()
      const look = (): void => {
        for (const line of lines) {
          const m = what.exec(line)
          if (m !== null) found.resolve(m)
        }
      }
      waiting.add(look)
      look()
      void ended.then((code) => found.reject(new Error(`it ended with ${code}: ${lines.join('\n')}`)))
      return await found.promise
    },
  }
}

/** Asks once over TCP; the answer's bytes. */
async function ask(port: number, request: string): Promise<string> {
  const socket = connect({ host: '127.0.0.1', port })
  socket.write(Buffer.from(request, 'hex'))
  const [b] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return b.toString('hex')
}

const portOf = async (d: ReturnType<typeof playing>): Promise<number> =>
  Number((await d.told(/answers at 127\.0\.0\.1:(\d+), unit 1/))[1])

describe('the feeder monitor alone', () => {
  test.concurrent('tells what it is asked, takes values and faults from its console, and quits with 0', async ({
    p,
  }) => {
    const d = playing(p, ['gridkey', '--tcp', '127.0.0.1:0', '--do', 'voltage 200 phase=1'])
    const port = await portOf(d)
    expect(await ask(port, '000100000006010400000002')).toMatch(/^000100000007010404/)
    await d.told(/ {3}\S+ read input registers 0 to 1 of unit 1 → 2 registers: busbar\.l1n\.voltage \d/)
    expect(await ask(port, '000200000006010400320001')).toBe('000200000003018402')
    await d.told(/! \S+ read input registers 50 of unit 1 → exception 2 \(illegal data address\)/)
    d.type('fault exception-busy')
    await d.told(/in force: exception-busy#1/)
    expect(await ask(port, '000300000006010400000002')).toBe('000300000003018406')
    d.type('faults')
    await d.told(/^exception-busy#1 {2}exception-busy$/)
    d.type('clear exception-busy')
    await d.told(/lifted: exception-busy#1/)
    expect(await ask(port, '000400000006010400000002')).toMatch(/^000400000007010404/)
    d.type('values frequency')
    await d.told(/busbar\.frequency \[Hz\] {2}\d+(\.\d+)? ±0\.01/)
    d.type('help')
    await d.told(/^load <feeder> <amps\|profile>/)
    for (const [line, answer] of [
      ['nonsense', /no command 'nonsense'; there are: load, /],
      ['load 9 1', /expected|9|feeder/],
      ['fault nonsense', /no fault 'nonsense'; there are: /],
      ['fault slow ms=-1', /parameters of gridkey fault 'slow'/],
      ['clear nonsense', /no fault 'nonsense' is in force/],
      ['load 1 "2', /a quotation mark does not end/],
      ['fault slow share=1 share=1', /'share' is given twice/],
    ] as const) {
      d.type(line)
      await d.told(answer)
    }
    d.type('quit')
    expect(await d.ended).toBe(0)
    expect(d.lines.at(-1)).toMatch(/gridkey ended; it was asked \d+ times\./)
    expect(p.left()).toEqual([])
    // The port is free again.
    const again = createServer()
    await new Promise<void>((done, fail) => {
      again.once('error', fail)
      again.listen({ host: '127.0.0.1', port }, done)
    })
    again.close()
  })

  test.concurrent('goes on when its standard input ends, and ends with 130 at a signal', async ({ p }) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      const d = playing(p, ['gridkey', '--tcp', '127.0.0.1:0', '--json'])
      d.child.stdin.end()
      const m = await d.told(/^\{"what":"ready","place":"127\.0\.0\.1:(\d+)"\}$/)
      expect(await ask(Number(m[1]), '000100000006010400000002')).toMatch(/^00010000/)
      d.child.kill(signal)
      expect([signal, await d.ended]).toEqual([signal, 130])
      for (const line of d.lines) expect(() => JSON.parse(line) as unknown, line).not.toThrow()
    }
    expect(p.left()).toEqual([])
  })

  test.concurrent('counts what comes faster than it can be read', async ({ p }) => {
    const d = playing(p, ['gridkey', '--tcp', '127.0.0.1:0'])
    const port = await portOf(d)
    const socket = connect({ host: '127.0.0.1', port })
    socket.on('data', () => undefined)
    for (let i = 0; i < 500; i++) socket.write(Buffer.from('000100000006010400000002', 'hex'))
    const m = await d.told(/… and (\d+) more in this second/)
    expect(Number(m[1])).toBeGreaterThan(100)
    socket.destroy()
    d.type('quit')
    expect(await d.ended).toBe(0)
    expect(d.lines.at(-1)).toContain('asked 500 times')
  })

  test.concurrent('refuses what does not fit before anything is open', async ({ p }) => {
    const taken = createServer()
    await new Promise<void>((done) => {
      taken.listen({ host: '127.0.0.1', port: 0 }, done)
    })
    const busy = `127.0.0.1:${(taken.address() as AddressInfo).port}`
    const own = p.write('mine.yaml', 'format: gridproof-personality/1\n')
    for (const [args, code, why] of [
      [['gridkey'], 2, 'is reached by --tcp'],
      [['gridkeyy', '--tcp', '127.0.0.1:0'], 2, 'nearest: gridkey'],
      [['gridkey', '--pty'], 2, 'is reached by --tcp'],
      [['thermocouple', '--tcp', '127.0.0.1:0'], 2, 'is reached by --port /dev/... or --pty'],
      [['gridkey', '--tcp', '127.0.0.1:99999'], 2, 'is no host:port'],
      [['gridkey', '--tcp', busy], 4, 'another program has this port'],
      [['gridkey', '--tcp', '127.0.0.1:0', '--load', 'nix'], 2, "has no 'nix'"],
      [['thermocouple', '--pty', '--load', 'winter-weekday'], 2, 'has no --load'],
      [['gridkey', '--tcp', '127.0.0.1:0', '--personality', own], 2, 'mine.yaml'],
      [['gridkey', '--tcp', '127.0.0.1:0', '--for', '3'], 2, 'is not a duration'],
      [['gridkey', '--tcp', '127.0.0.1:0', '--do', 'nonsense'], 2, "no command 'nonsense'"],
      [['thermocouple', '--port', join(p.path, 'none')], 4, 'is it plugged in?'],
    ] as const) {
      const e = await p.run(['sim', ...args])
      expect([args.join(' '), e.code, e.err.includes(why)]).toEqual([args.join(' '), code, true])
    }
    taken.close()
    const dry = await p.run(['sim', 'thermocouple', '--port', '/dev/ttyUSB0', '--dry-run'])
    expect([dry.code, dry.out]).toEqual([0, expect.stringContaining('would answer at /dev/ttyUSB0, unit 10')])
    expect(p.left()).toEqual([])
  })
})

/** The first list that comes, from its flag to the end of what came with it. */
async function firstList(port: number): Promise<Buffer> {
  const socket = connect({ host: '127.0.0.1', port })
  const [b] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  return b
}

describe('a smart meter alone', () => {
  test.concurrent('talks to whoever connects, tells each list, and follows its console', async ({ p }) => {
    const d = playing(p, ['kaifa', '--tcp', '127.0.0.1:0', '--do', 'export 500'])
    const port = Number((await d.told(/talks at 127\.0\.0\.1:(\d+)\.$/))[1])
    const frame = await firstList(port)
    expect(frame.subarray(0, 9).toString('hex')).toMatch(/^7ea0(27|79|9b)0102011/)
    await d.told(/has connected; connected now: 1/)
    await d.told(/ {3}List \d +\d+ B +\d+ ms {2}P\+ 0 W/)
    for (const [line, answer] of [
      ['load nonsense', /expected watts, a number/],
      ['load 1 load=9', /9|load/],
      ['draw 40', /the port tripped/],
      ['fault nonsense', /no fault 'nonsense'; there are: off, /],
      ['values voltage1', /voltage1 \[V\] {2}\d+/],
      ['help', /^export <watts>/],
    ] as const) {
      d.type(line)
      await d.told(answer)
    }
    d.type('quit')
    expect(await d.ended).toBe(0)
    expect(d.lines.at(-1)).toMatch(/kaifa ended; it sent \d+ lists\./)
    expect(p.left()).toEqual([])
  })

  test.concurrent('is any personality of a meter, and refuses what is none', async ({ p }) => {
    for (const [args, code, says] of [
      [['meter', '--pty'], 2, 'which meter? give --personality'],
      [['kaifa', '--pty', '--personality', 'tc8'], 2, 'tc8.yaml'],
      [['kaifa', '--pty', '--tcp', '127.0.0.1:0'], 2, 'only once'],
      [[], 2, 'which device? there are: gridkey, thermocouple, alvin, kaifa, '],
      [['meter', '--personality', 'kaifa-ma309m', '--tcp', '127.0.0.1:0', '--dry-run'], 0, 'would talk at'],
      [['kamstrup', '--port', '/dev/ttyUSB0', '--dry-run', '--load', 'winter-weekday'], 0, 'would talk at'],
    ] as const) {
      const e = await p.run(['sim', ...args])
      expect([args.join(' '), e.code, (e.err + e.out).includes(says)]).toEqual([args.join(' '), code, true])
    }
  })
})

describe('a smart meter that is listened to', () => {
  test.concurrent('is recorded, and played back byte for byte', async ({ p }) => {
    const meter = playing(p, ['kaifa', '--tcp', '127.0.0.1:0', '--do', 'fault noise', '--no-console'])
    const port = (await meter.told(/talks at 127\.0\.0\.1:(\d+)\.$/))[1]
    const capture = join(p.path, 'a.capture')
    const hears = playing(p, ['listen', '--tcp', `127.0.0.1:${port}`, '--record', capture], [])
    await hears.told(/holds|will hold what comes as it comes/)
    await hears.told(/List \d +\d+ B .* P\+ \d/)
    await hears.told(/! \d+ bytes of noise/)
    hears.child.kill('SIGINT')
    expect(await hears.ended).toBe(130)
    expect(hears.lines.join('\n')).toMatch(/bytes, framed by HDLC\nList \d: 1 of \d+ bytes/)
    meter.child.kill('SIGINT')
    await meter.ended

    const again = playing(p, ['replay', capture, '--tcp', '127.0.0.1:0', '--speed', '100'])
    const at = Number((await again.told(/are played at 127\.0\.0\.1:(\d+),/))[1])
    const socket = connect({ host: '127.0.0.1', port: at })
    const got: Buffer[] = []
    socket.on('data', (b: Buffer) => got.push(b))
    expect(await again.ended).toBe(0)
    socket.destroy()
    const recorded = readFileSync(capture, 'utf8')
      .split('\n')
      .slice(1, -1)
      .map((l) => (JSON.parse(l) as { hex: string }).hex)
    expect(Buffer.concat(got).toString('hex')).toBe(recorded.join(''))
    expect(p.left()).toEqual([])
  })

  test.concurrent('may be one of a fleet, which tells how late its lists are', async ({ p }) => {
    const args = ['--count', '50', '--tcp', '127.0.0.1:0', '--every', '500ms', '--json']
    const d = playing(p, ['fleet', ...args, '--personality', 'kaifa-ma304h3e', 'aidon-6525'])
    const port = Number((await d.told(/"what":"ready","place":"127\.0\.0\.1:(\d+)","meters":50/))[1])
    const sockets = Array.from({ length: 50 }, () => connect({ host: '127.0.0.1', port }))
    for (const s of sockets) s.resume()
    await d.told(/"what":"figures".*"connected":50,.*"lateness":\{"count":[1-9]/)
    d.child.kill('SIGINT')
    expect(await d.ended).toBe(130)
    for (const s of sockets) s.destroy()
    expect(p.left()).toEqual([])
  })

  test.concurrent('refuses what makes no sense, before anything is open', async ({ p }) => {
    const none = p.write('none.capture', 'nonsense\n')
    const key = '00112233445566778899aabbccddeeff'
    for (const [args, code, why] of [
      [['listen'], 2, 'give one of --port, --tcp and --file'],
      [['listen', '--port', '/dev/null', '--line', '2400'], 2, '2400-8E1'],
      [['listen', '--port', join(p.path, 'none')], 4, 'is it plugged in?'],
      [['listen', '--file', none], 2, 'line 1'],
      [['listen', '--file', none, '--record', 'x'], 2, '--record needs a line'],
      [['listen', '--tcp', 'nonsense'], 2, 'is no host:port'],
      [['listen', '--key', key, '--file', none], 2, 'never the key itself'],
      [['sim', 'fleet'], 2, '--tcp'],
      [['sim', 'fleet', '--tcp', '127.0.0.1:0', '--count', '0'], 2, 'expected a whole number from 1'],
      [['sim', 'fleet', '--tcp', '127.0.0.1:0', '--personality', 'tc8'], 2, 'tc8.yaml'],
      [['sim', 'fleet', '--tcp', '127.0.0.1:60000', '--port-each'], 2, 'no room for 10000 ports'],
      [['sim', 'replay', none, '--pty'], 2, 'line 1'],
      [['sim', 'replay', none], 2, '--tcp host:port, --port /dev/... or --pty'],
      [['sim', 'replay', none, '--port', 'x', '--speed', '2'], 2, 'a real line has a speed'],
      [['sim', 'replay', none, '--pty', '--speed', '0'], 2, 'expected a number'],
    ] as const) {
      const e = await p.run(args)
      expect([args.join(' '), e.code, e.err.includes(why)]).toEqual([args.join(' '), code, true])
      expect(e.err).not.toContain(key)
    }
  })
})

const pty = ptyProvider()
const lacks = 'lacks' in pty ? pty.lacks : undefined

describe.skipIf(lacks !== undefined)(
  `devices alone on a pseudo terminal${lacks === undefined ? '' : ` (skipped: ${lacks})`}`,
  () => {
    test.concurrent('has a link of the name that was asked for, which goes with it', async ({ p }) => {
      const link = join(p.path, 'tc8')
      const d = playing(p, ['thermocouple', '--pty', link, '--for', '2s'])
      await d.told(/answers at \S+tc8 \(\/dev\/pts\/\d+\), 9600 baud, 8N1, unit 10/)
      expect(lstatSync(link).isSymbolicLink()).toBe(true)
      expect(await d.ended).toBe(0)
      expect(existsSync(link)).toBe(false)
      expect(p.left()).toEqual([])
      writeFileSync(link, 'mine')
      const e = await p.run(['sim', 'thermocouple', '--pty', link])
      expect([e.code, readFileSync(link, 'utf8')]).toEqual([4, 'mine'])
    })

    test.concurrent('three breakers are isolated, locked and worked by hand from the console', async ({
      p,
    }) => {
      const d = playing(p, ['alvin', '--pty'])
      await d.told(/answers at \/dev\/pts\/\d+, 19200 baud, 8E1, unit 1 and 2 and 3/)
      for (const [line, answer] of [
        ['close l1', /refused .*neither isolated nor in local control/],
        ['isolate on locked=true', /isolator \{"engaged":true,"locked":true\}/],
        ['close l1', /operated \{"phase":"l1","to":"closed","by":"local"\}/],
        ['isolate off', /isolator is locked/],
        ['supply phase=l1 amps=5000', /tripped \{"phase":"l1","why":"fault"\}/],
        ['values l1.open', /l1\.open_operations \[1\] {2}\d+ ±0/],
        ['fault lying phase=l4', /parameters of alvin fault 'lying'/],
        ['close l9', /alvin: /],
        ['isolate perhaps', /expected on or off/],
      ] as const) {
        d.type(line)
        await d.told(answer)
      }
      d.type('quit')
      expect(await d.ended).toBe(0)
    })

    test.concurrent('killed, it leaves a link that clean removes', async ({ p }) => {
      const link = join(p.path, 'tc8')
      const d = playing(p, ['thermocouple', '--pty', link])
      await d.told(/answers at/)
      d.child.kill('SIGKILL')
      await d.ended
      expect(lstatSync(link, { throwIfNoEntry: false })).toBeDefined()
      expect((await p.run(['clean'])).out).toContain('tc8')
      expect(lstatSync(link, { throwIfNoEntry: false })).toBeUndefined()
    })
  },
)
