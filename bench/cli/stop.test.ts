import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync, readdirSync, watch } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test as base } from 'vitest'
import { ptyProvider } from '../../drivers/real/pty.ts'
import { descendants, gone, here, logsOf, place, projectWith, scenarioText } from './testing.ts'
import type { Command, Place } from './testing.ts'

const linux = process.platform === 'linux'
const shm = '/dev/shm'

let shared: Place
let project = ''
beforeAll(() => {
  shared = place()
  project = projectWith(shared.path, {
    'long/quiet': scenarioText({
      needs: "['platform', 'gridkey']",
      horizon: "'1000 d'",
      more: "short: '1 h',",
    }),
    'brief/quiet': scenarioText({ horizon: "'2 s'" }),
    'brief/serial': scenarioText({ needs: "['platform', 'thermocouple']", horizon: "'1 s'" }),
  })
})
afterAll(() => shared[Symbol.dispose]())

/** Each in a place of its own, so that they go side by side: most of their time is waiting. */
const test = base.extend<{ p: Place }>({
  p: async ({ task }, use) => {
    using p = place()
    p.write('whose.txt', task.name)
    await use(p)
  },
})

/** Folders that the ledgers of running benches name. */
function ledgered(p: Place): readonly string[] {
  const ledgers = join(p.state, 'ledgers')
  return (existsSync(ledgers) ? readdirSync(ledgers) : []).flatMap((f) =>
    readFileSync(join(ledgers, f), 'utf8')
      .split('\n')
      .flatMap((line) => (/"kind":"folder"/.test(line) ? [(JSON.parse(line) as { path: string }).path] : [])),
  )
}

let count = 0
/** Resolves when so many scenarios of a run tell of readings. */
async function busy(folder: string, scenarios: number): Promise<void> {
  const data = join(folder, 'data')
  await until(
    () => existsSync(data) && readdirSync(data).filter((f) => f.endsWith('.jsonl')).length === scenarios,
  )
  for (const f of readdirSync(join(folder, 'data')))
    await grows(join(folder, 'data', f), /"alias":"gridkey\./)
}

/** Waits for something that a command does; rejects if the command ends before. */
async function before<T>(command: Command, what: Promise<T>): Promise<T> {
  const early = command.ended.then(({ code, out, err }) => {
    throw new Error(`it ended with ${code} before: ${out}${err}`)
  })
  return await Promise.race([what, early])
}

/** A run that goes on for ever, once its time passes. */
async function longRun(p: Place, ...args: string[]): Promise<Command & { readonly folder: string }> {
  const out = `long-${++count}`
  const command = p.start(['run', 'long', ...args, '--out', out], { project })
  const folder = join(p.path, out, 'latest')
  await before(command, busy(folder, args.includes('--seeds') ? 2 : 1))
  return { ...command, folder }
}

describe.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s', (signal) => {
  test.concurrent('ends a long run in virtual time: a log with its trailer, code 130, nothing left', async ({
    p,
  }) => {
    const { child, ended, folder } = await longRun(p)
    const below = descendants(child.pid ?? 0)
    const folders = ledgered(p)
    if (linux) expect(below.length).toBeGreaterThan(0)
    expect(folders.length).toBeGreaterThan(1)
    child.kill(signal)
    const { code, out, err } = await ended
    expect(err).toContain('Stopping; what was seen so far is kept.')
    expect(out).toContain('The operator stopped the run.')
    expect(code).toBe(130)
    const [log] = logsOf(folder)
    expect(log?.cutShort).toBe(false)
    expect(log?.events.at(-1)?.data).toMatchObject({ outcome: 'aborted', blame: 'operator' })
    expect(readFileSync(join(folder, 'log.jsonl'), 'utf8')).toMatch(
      /"outcome":"aborted","wallMs":\d+,"exitCode":130\}\}\n$/,
    )
    expect(existsSync(join(folder, 'index.html'))).toBe(true)
    await gone(below)
    expect(p.left()).toEqual([])
    for (const f of folders) expect([f, existsSync(f)]).toEqual([f, false])
  })
})

test.concurrent('Ctrl-C at a terminal, which reaches the workers too, ends a run no other way', async ({
  p,
}) => {
  const out = `long-${++count}`
  const child = spawn(
    process.execPath,
    [join(project, 'bench/cli/gridproof.mjs'), 'run', 'long', '--seeds', '2', '--out', out],
    {
      cwd: p.path,
      env: p.env,
      stdio: 'ignore',
      // A group of its own, as a shell gives it.
      detached: true,
    },
  )
  const ended = once(child, 'close')
  await busy(join(p.path, out, 'latest'), 2)
  const below = descendants(child.pid ?? 0)
  process.kill(-(child.pid ?? 0), 'SIGINT')
  expect(await ended).toEqual([130, null])
  await gone(below)
  const logs = logsOf(join(p.path, out, 'latest'))
  expect(logs.length).toBeGreaterThan(0)
  for (const l of logs) expect(l.events.at(-1)?.data).toMatchObject({ outcome: 'aborted' })
  expect(p.left()).toEqual([])
})

test.concurrent('a second Ctrl-C leaves at once, and takes the workers along', async ({ p }) => {
  const { child, told, ended } = await longRun(p)
  const below = descendants(child.pid ?? 0)
  // Stopped, they cannot answer the first one.
  for (const pid of below) process.kill(pid, 'SIGSTOP')
  child.kill('SIGINT')
  await told(/Stopping/)
  child.kill('SIGINT')
  expect((await ended).code).toBe(130)
  await gone(below)
  expect(p.left()).toEqual([])
})

describe('a bench that is killed in the middle', () => {
  /** When it is killed: as soon as such a thing has happened. */
  const moments: Readonly<Record<string, (p: Place, out: string) => Promise<void>>> = {
    'as soon as it has a ledger': (p) => appears(join(p.state, 'ledgers'), /\.jsonl$/),
    'as soon as its run has a folder': (p, out) => appears(join(p.path, out), /virtual/),
    'while its workers begin': (p, out) => appears(join(p.path, out, 'latest', 'data'), /\.jsonl$/),
  }

  const look = async (p: Place, command: Command, out: string): Promise<void> => {
    const below = descendants(command.child.pid ?? 0)
    const folders = ledgered(p)
    command.child.kill('SIGKILL')
    await command.ended
    await gone(below)
    const data = join(p.path, out, 'latest', 'data')
    for (const l of existsSync(data)
      ? logsOf(join(p.path, out, 'latest')).filter((l) => l.events.length > 0)
      : []) {
      expect(l.cutShort).toBe(true)
      expect(l.events[0]?.kind).toBe('run')
    }
    const cleaned = await p.run(['clean'], { project })
    expect(cleaned.code).toBe(0)
    expect(cleaned.out).not.toContain('failed')
    for (const f of folders) expect([f, existsSync(f)]).toEqual([f, false])
    expect(p.left()).toEqual([])
    expect(existsSync(shm) ? readdirSync(shm).filter((f) => folders.includes(join(shm, f))) : []).toEqual([])
  }

  test.concurrent.for(Object.keys(moments))(
    '%s leaves readable logs, and clean removes what it left',
    async (when, { p }) => {
      const out = `long-${++count}`
      const command = p.start(['run', 'long', '--seeds', '2', '--out', out], { project })
      await moments[when]?.(p, out)
      await look(p, command, out)
    },
  )

  test.concurrent('while it is busy leaves readable logs, and the next run removes what it left', async ({
    p,
  }) => {
    const { child, ended, folder } = await longRun(p, '--seeds', '2')
    const below = descendants(child.pid ?? 0)
    const folders = ledgered(p)
    child.kill('SIGKILL')
    await ended
    await gone(below)
    const logs = logsOf(folder)
    expect(logs.length).toBeGreaterThan(0)
    for (const l of logs) {
      expect(l.cutShort).toBe(true)
      expect(l.events.length).toBeGreaterThan(1)
    }
    expect(p.left()).not.toEqual([])
    const next = await p.run(['run', 'brief/quiet', '--out', `long-${count}`], { project })
    expect(next.err).toContain('Undone what a killed bench left behind: ')
    expect(next.code).toBe(0)
    for (const f of folders) expect([f, existsSync(f)]).toEqual([f, false])
    expect(p.left()).toEqual([])
  })
})

describe.skipIf(!linux || 'lacks' in ptyProvider())(
  'on this machine in real time (Linux, with a maker of ptys)',
  () => {
    /** A long run whose platform is up. */
    async function localRun(p: Place): Promise<Command & { readonly folder: string }> {
      const out = `local-${++count}`
      const command = p.start(['run', 'long', '--rig', 'local', '--out', out], { project })
      const folder = join(p.path, out, 'latest')
      await before(command, appears(join(folder, 'data'), /\.jsonl$/))
      await before(command, grows(join(folder, 'data', 'long.quiet.jsonl'), /"phase":"declared"/))
      return { ...command, folder }
    }

    test.concurrent('Ctrl-C ends a run with its log whole, code 130, no process and no folder left', async ({
      p,
    }) => {
      const { child, ended, folder } = await localRun(p)
      const below = descendants(child.pid ?? 0)
      const folders = ledgered(p)
      // The worker, the platform and its apps.
      expect(below.length).toBeGreaterThan(3)
      child.kill('SIGINT')
      expect((await ended).code).toBe(130)
      await gone(below)
      const [log] = logsOf(folder)
      expect(log?.events.at(-1)?.data).toMatchObject({ outcome: 'aborted', blame: 'operator' })
      expect(log?.cutShort).toBe(false)
      for (const f of folders) expect([f, existsSync(f)]).toEqual([f, false])
      expect(p.left()).toEqual([])
    })

    test.concurrent('Ctrl-C while the platform starts is heard too', async ({ p }) => {
      const out = `local-${++count}`
      const { child, ended } = p.start(['run', 'long', '--rig', 'local', '--out', out], { project })
      await appears(join(p.path, out, 'latest', 'data'), /\.jsonl$/)
      const below = descendants(child.pid ?? 0)
      child.kill('SIGINT')
      expect((await ended).code).toBe(130)
      await gone(below)
      expect(p.left()).toEqual([])
    })

    test.concurrent('a bench that is killed leaves a readable log and no process, and clean removes its folders', async ({
      p,
    }) => {
      const { child, ended, folder } = await localRun(p)
      const below = descendants(child.pid ?? 0)
      const folders = ledgered(p)
      child.kill('SIGKILL')
      await ended
      await gone(below)
      const [log] = logsOf(folder)
      expect(log?.cutShort).toBe(true)
      const cleaned = await p.run(['clean'], { project })
      expect(cleaned.code).toBe(0)
      for (const f of folders) expect([f, existsSync(f)]).toEqual([f, false])
      expect(p.left()).toEqual([])
    })

    test.concurrent('a port that is taken is a rig fault, whoever of the rig needs it', async ({ p }) => {
      const local = readFileSync(join(here, 'fixtures/rigs/local.yaml'), 'utf8')
        .replace('name: local', 'name: taken')
        .replace('network: own', 'network: 127.63.7')
        .replace('port: 0', 'port: 5502')
      const rig = p.write('taken.yaml', local)
      for (const [host, port, why] of [
        ['127.63.7.10', 8883, /the platform does not come up: marketplace: .*EADDRINUSE/s],
        ['127.63.7.20', 5502, /cannot listen on 127\.63\.7\.20:5502: another program has this port/],
      ] as const) {
        const taken = createServer().listen({ host, port })
        await once(taken, 'listening')
        const out = `taken-${port}`
        const {
          code,
          out: said,
          err,
        } = await p.run(['run', 'long', '--short', '--rig', rig, '--out', out], {
          project,
        })
        taken.close()
        expect(said).toMatch(/\(rig\): broke: /)
        expect(err).toMatch(why)
        expect(code).toBe(4)
        const [log] = logsOf(join(p.path, out, 'latest'))
        expect(log?.events.at(-1)?.data).toMatchObject({ outcome: 'broke', blame: 'rig' })
      }
      expect(p.left()).toEqual([])
    })

    test.concurrent('two benches side by side do not meet', async ({ p }) => {
      const both = await Promise.all(
        ['a', 'b'].map((out) =>
          p.run(['run', 'brief', '--rig', 'local', '--out', `side-${out}`], { project }),
        ),
      )
      // 3: a machine so busy that a scenario of a second saw nothing; it ends well all the same.
      for (const { code, out, err } of both) expect([0, 3], code === 0 ? '' : out + err).toContain(code)
      expect(p.left()).toEqual([])
    })
  },
)

const alone = linux && process.getuid?.() === 0 && existsSync('/usr/bin/unshare')
describe.skipIf(!alone)('on a disk of its own (root, unshare)', () => {
  test.concurrent('a disk that is full is a rig fault, and what was kept of the log can be read', async ({
    p,
  }) => {
    const out = p.write('full/x', '').replace(/\/x$/, '')
    // A mount that only this command sees, and that goes with it; the log is copied out of it.
    const script = `
    mount -t tmpfs -o size=160k tmpfs "$1" && cd "$2" || exit 99
    "$3" "$4" run long --short --out "$1"
    code=$?
    mkdir "$2/kept" && cp -r "$1"/*-virtual/data "$2/kept/"
    exit $code`
    const child = spawn(
      '/usr/bin/unshare',
      [
        '-m',
        'sh',
        '-c',
        script,
        'sh',
        out,
        p.path,
        process.execPath,
        join(project, 'bench/cli/gridproof.mjs'),
      ],
      {
        env: p.env,
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    )
    let said = ''
    for (const s of [child.stdout, child.stderr])
      s.setEncoding('utf8').on('data', (text: string) => (said += text))
    const [code] = (await once(child, 'close')) as [number]
    expect(said).toMatch(/ENOSPC|no space left/)
    expect(said).not.toMatch(/a fault of the bench itself/)
    expect([code, code === 4 ? '' : said]).toEqual([4, ''])
    const [log] = logsOf(join(p.path, 'kept'))
    expect(log?.cutShort).toBe(true)
    expect(log?.events.length).toBeGreaterThan(10)
    expect(p.left()).toEqual([])
  })
})

/** Resolves when a folder has a file of such a name; the folder itself may yet have to come. */
async function appears(folder: string, name: RegExp): Promise<void> {
  await until(() => existsSync(folder) && readdirSync(folder).some((f) => name.test(f)))
}

/** Resolves when a file holds such a text. */
async function grows(file: string, text: RegExp): Promise<void> {
  const watcher = watch(file)
  try {
    while (!text.test(readFileSync(file, 'utf8'))) await once(watcher, 'change')
  } finally {
    watcher.close()
  }
}

/** Resolves when it holds; the test's own time limit is the bound. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds())
    await new Promise((done) => {
      setTimeout(done, 2)
    })
}
