/** Ways out of virtual time, each tried once; see escapes.test.ts. Lines that escape are marked. */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Json } from '../../faces.ts'
import type { Installed } from '../install.ts'
import { saved } from './preload.ts'

type Try = () => unknown

const escaping: Readonly<Record<string, Try>> = {
  'a saved setTimeout': () => saved.setTimeout(() => {}, 1), // escapes
  'a saved setImmediate': () => saved.setImmediate(() => {}), // escapes
  'a saved fs.readFile': () => saved.readFile(import.meta.filename, () => {}), // escapes
  fetch: () => fetch('http://localhost/').catch(() => {}), // escapes
  'new WebSocket': () => attempt(() => new WebSocket('ws://localhost/')), // escapes
  'Event.timeStamp': () => new Event('x').timeStamp, // escapes
  "SQL datetime('now')": () => memory().exec("select datetime('now')"), // escapes
  'SQL random()': () => memory().prepare('select random()'), // escapes
  'SQL current_timestamp': () => memory().exec('create table t (at default current_timestamp)'), // escapes
  'subtle.sign': async () => {
    const key = await crypto.subtle.importKey(
      'raw',
      new Uint8Array(16),
      { name: 'HMAC', hash: 'SHA-256' },
      false,
      ['sign'],
    )
    return crypto.subtle.sign('HMAC', key, new Uint8Array(1)) // escapes
  },
  'a child process': async () => {
    const { spawn } = await import('node:child_process')
    spawn('true').unref() // escapes
  },
  'a worker': async () => {
    const { Worker } = await import('node:worker_threads')
    const w = new Worker('0', { eval: true }) // escapes
    w.unref()
  },
  'a datagram socket': async () => {
    const { createSocket } = await import('node:dgram')
    createSocket('udp4').unref() // escapes
  },
  'dns.resolve': async () => {
    const { resolve } = await import('node:dns')
    resolve('localhost', () => {}) // escapes
  },
  'fs.watch': async () => {
    const { watch } = await import('node:fs')
    watch('.').close() // escapes
  },
  'performance.measure': () => performance.measure('x'), // escapes
}

function attempt(f: () => unknown): void {
  try {
    f()
  } catch {
    // It is refused as well as recorded.
  }
}

function memory(): DatabaseSync {
  return new DatabaseSync(':memory:')
}

const epoch = Date.UTC(2018, 0, 15)

/** What is virtual: each says true. */
const virtual: Readonly<Record<string, () => boolean | Promise<boolean>>> = {
  'Date.now': () => Date.now() === epoch,
  'new Date': () => new Date().toISOString() === '2018-01-15T00:00:00.000Z',
  'Date as a function': () => Date().startsWith('Mon Jan 15 2018'),
  'a subclass of Date': () => new (class extends Date {})().getTime() === epoch,
  'an old Date': () => new Date(0) instanceof Date && new Date(0).constructor === Date,
  'performance.now': () => performance.now() === 0,
  'performance.timeOrigin': () => performance.timeOrigin === epoch,
  'process.uptime': () => process.uptime() === 0,
  'process.hrtime': () => process.hrtime.bigint() === process.hrtime.bigint() && process.hrtime()[1] === 0,
  'Intl.DateTimeFormat.format': () =>
    new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', year: 'numeric' }).format() === '2018',
  'Date.toLocaleString': () =>
    new Date().toLocaleString('en-GB', { timeZone: 'UTC' }).startsWith('15/01/2018'),
  'AbortSignal.timeout': async () => {
    const at = Date.now()
    const s = AbortSignal.timeout(5000)
    await new Promise<void>((done) => s.addEventListener('abort', () => done(), { once: true }))
    return Date.now() - at === 5000 && (s.reason as Error).name === 'TimeoutError'
  },
  'timers/promises': async () => {
    const { setTimeout: sleep, scheduler, setInterval: every } = await import('node:timers/promises')
    const at = Date.now()
    await sleep(1000)
    await scheduler.wait(1000)
    let n = 0
    for await (const _ of every(500)) if (++n === 4) break
    return Date.now() - at === 4000
  },
  'util.promisify(setTimeout)': async () => {
    const { promisify } = await import('node:util')
    const at = Date.now()
    return (await promisify(setTimeout)(2000, 'x')) === 'x' && Date.now() - at === 2000
  },
  'fs.promises': async () => {
    const { mkdtemp, readFile, rm, stat, writeFile, open } = await import('node:fs/promises')
    const folder = await mkdtemp(join(tmpdir(), 'gridproof-'))
    await writeFile(`${folder}/a`, 'one')
    await using file = await open(`${folder}/a`, 'r+')
    await file.write('two', 0)
    const s = await stat(`${folder}/a`)
    const text = await readFile(`${folder}/a`, 'utf8')
    await rm(folder, { recursive: true })
    return text === 'two' && s.mtimeMs === Date.now() && s.mtime.getTime() === Date.now()
  },
  'fs streams and callbacks': async () => {
    const fs = await import('node:fs')
    const { pipeline } = await import('node:stream/promises')
    const { createGunzip, createGzip } = await import('node:zlib')
    const folder = fs.mkdtempSync(join(tmpdir(), 'gridproof-'))
    fs.writeFileSync(`${folder}/a`, 'x'.repeat(200_000))
    await pipeline(fs.createReadStream(`${folder}/a`), createGzip(), fs.createWriteStream(`${folder}/b`))
    await pipeline(fs.createReadStream(`${folder}/b`), createGunzip(), fs.createWriteStream(`${folder}/c`))
    const c = await new Promise<string>((done, fail) =>
      fs.readFile(`${folder}/c`, 'utf8', (e, text) => (e === null ? done(text) : fail(e))),
    )
    const missing = await new Promise<string>((done) => fs.stat(`${folder}/none`, (e) => done(e?.code ?? '')))
    fs.rmSync(folder, { recursive: true })
    return c.length === 200_000 && missing === 'ENOENT'
  },
  'crypto and zlib of the thread pool': async () => {
    const { generateKeyPair, pbkdf2, randomBytes, scrypt, sign } = await import('node:crypto')
    const { brotliCompress, gzip } = await import('node:zlib')
    const { promisify } = await import('node:util')
    const derived = (await promisify(scrypt)('p', 's', 16)) as Buffer
    const other = await promisify(pbkdf2)('p', 's', 1, 16, 'sha256')
    const bytes = await promisify(randomBytes)(8)
    const packed = await promisify(gzip)('text')
    const brotli = await promisify(brotliCompress)('text')
    const signed = await new Promise<Buffer>((done, fail) =>
      generateKeyPair('ed25519', {}, (e, _public, key) => {
        if (e !== null) fail(e)
        else sign(null, Buffer.from('x'), key, (e2, s) => (e2 === null ? done(s) : fail(e2)))
      }),
    )
    const hash = await crypto.subtle.digest('SHA-256', Buffer.from('x'))
    return (
      [derived, other, bytes, packed, brotli, signed].every((b) => b.length > 0) && hash.byteLength === 32
    )
  },
  'synchronous crypto': async () => {
    const c = await import('node:crypto')
    const z = await import('node:zlib')
    c.createHash('sha256').update('x').digest()
    c.hash('sha256', 'x')
    const { privateKey, publicKey } = c.generateKeyPairSync('ec', { namedCurve: 'P-256' })
    c.verify('sha256', Buffer.from('x'), publicKey, c.sign('sha256', Buffer.from('x'), privateKey))
    c.scryptSync('p', 's', 16)
    c.pbkdf2Sync('p', 's', 1, 16, 'sha256')
    c.hkdfSync('sha256', 'k', 's', 'i', 16)
    const cipher = c.createCipheriv('aes-128-gcm', Buffer.alloc(16), Buffer.alloc(12))
    cipher.update('x')
    cipher.final()
    return z.gunzipSync(z.gzipSync('x')).toString() === 'x'
  },
  'dns.lookup': async () => {
    const { lookup } = await import('node:dns/promises')
    const none = await lookup('nobody.example').catch((e: NodeJS.ErrnoException) => e.code)
    return (await lookup('localhost')).address === '127.0.0.1' && none === 'ENOTFOUND'
  },
}

/** What chance gives: the same in each run. */
async function chance(): Promise<string> {
  const c = await import('node:crypto')
  const asked = await new Promise<number>((done) => c.randomInt(1000, (_e, n) => done(n)))
  return [
    Math.random(),
    crypto.randomUUID(),
    crypto.getRandomValues(new Uint16Array(2)).join(),
    c.randomUUID(),
    c.randomBytes(4).toString('hex'),
    c.randomFillSync(Buffer.alloc(4)).toString('hex'),
    c.getRandomValues(new Uint8Array(2)).join(),
    c.randomInt(10, 20),
    asked,
  ].join(' ')
}

export async function task({ kernel }: Installed, arg: Json): Promise<Json> {
  const what = (arg as { what: string }).what
  if (what === 'chance') return { said: await kernel.run(chance), escapes: kernel.escapes as never }
  const out: Record<string, Json> = {}
  if (what === 'virtual') {
    for (const [name, f] of Object.entries(virtual)) {
      const said = await kernel.run(f)
      out[name] = { said, escapes: kernel.escapes.map((e) => `${e.what} ${e.where}`) }
    }
    return out
  }
  for (const [name, f] of Object.entries(escaping)) {
    await kernel.run(async () => {
      await Promise.resolve(f()).catch(() => {})
    })
    out[name] = kernel.escapes as never
  }
  return out
}
