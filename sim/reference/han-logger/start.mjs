#!/usr/bin/env node
/**
 * Runs the reader by itself, without a platform: `node start.mjs <config.json> [folder]`. The folder keeps what waits for the
 * broker and what was set on the page; `han-logger` beside the configuration unless given. Its log goes to stdout, a line of
 * JSON each. `node start.mjs --hash` reads a password from stdin and prints what `web.password` takes.
 */
import { readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { dirname, join, resolve } from 'node:path'

const usage = 'usage: node start.mjs <config.json> [folder] | node start.mjs --hash < password\n'
const [file, folder, ...more] = process.argv.slice(2)

/** The first address of the machine that is not its own loop. */
function ownAddress() {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  return all.find((a) => a.family === 'IPv4' && !a.internal)?.address ?? '127.0.0.1'
}

async function start() {
  if (file === undefined || more.length > 0 || (file.startsWith('-') && file !== '--hash')) {
    process.stderr.write(usage)
    return 2
  }
  if (file === '--hash') {
    const { hashPassword } = await import('../lvcap/maintenance/password.ts')
    const password = readFileSync(0, 'utf8').replace(/\r?\n$/, '')
    if (password.length < 8) {
      process.stderr.write('A password has 8 characters or more.\n')
      return 2
    }
    process.stdout.write(`${hashPassword(password)}\n`)
    return 0
  }
  let config
  try {
    config = JSON.parse(readFileSync(file, 'utf8'))
  } catch (e) {
    process.stderr.write(`${file} cannot be read as JSON: ${e.message}\n`)
    return 2
  }
  const { main } = await import('./main.ts')
  const ending = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => ending.abort())
  return main({
    name: 'han-logger',
    address: ownAddress(),
    disk: resolve(folder ?? join(dirname(resolve(file)), 'han-logger')),
    config,
    defects: [],
    term: ending.signal,
    log: (entry) =>
      process.stdout.write(`${JSON.stringify(Object.assign({ time: new Date().toISOString() }, entry))}\n`),
    start: () => Promise.reject(new Error('the reader starts no programs')),
  })
}

process.exitCode = await start()
