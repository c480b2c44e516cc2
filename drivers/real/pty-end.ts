/** Our end of a pseudo terminal, by koffi or by socat. Both pace what they send. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, constants, openSync, writeSync } from 'node:fs'
import { ReadStream } from 'node:tty'
import { Worker } from 'node:worker_threads'
import { GridproofError } from '../errors.ts'
import type { Instant } from '../faces.ts'
import { threadClock } from './clock.ts'
import { loadLibc } from './libc.ts'
import { createDirection, createDue } from './pace.ts'
import type { ByteDone, ByteOrder } from './pty-bytes.ts'

export interface PtyEnd {
  /** What the peer opens. */
  readonly path: string
  /**
   * Sends whole, after all that was sent before. Resolves when the last byte was handed over, with the instant at
   * which the first one began on the line. Rejects with `rig-broke` when the end closes before.
   */
  send(b: Uint8Array): Promise<Instant>
  /** Bytes as they arrive, unpaced. */
  onBytes(f: (b: Uint8Array) => void): void
  /** The pair is gone. */
  onLost(f: () => void): void
  askedSpeed(): number | undefined
  lost(): number
  close(): Promise<void>
}

type Pacing = 'frame' | 'byte'

/** By posix_openpt, with our end in this process. */
export async function openKoffiEnd(
  msPerCharacter: number,
  pacing: Pacing,
  now: () => Instant,
): Promise<PtyEnd> {
  const libc = loadLibc()
  if ('lacks' in libc) throw new GridproofError('rig-lacks', libc.lacks)
  const pair = libc.openPair()
  const stream = new ReadStream(pair.master)
  let lost = 0
  const hand = (b: Uint8Array): void => {
    let done = 0
    try {
      for (let n = -1; n !== 0 && done < b.length; done += n) n = writeSync(pair.master, b, done)
    } catch {
      // EAGAIN: full, as nobody fetches. A UART's receiver loses what comes then.
    }
    lost += b.length - done
  }
  const worker = pacing === 'byte' ? byteWriter(pair.master, (n) => (lost += n)) : undefined
  const sender = createSender(
    msPerCharacter,
    now,
    worker === undefined
      ? undefined
      : (b, start) => {
          // Asked in this order, the difference errs to late, never to early.
          const here = now()
          return worker.send(b, start - here + threadClock(), msPerCharacter)
        },
    hand,
  )
  return {
    path: pair.path,
    send: (b) => sender.send(b),
    onBytes: (f) => {
      stream.on('data', f)
    },
    onLost(f) {
      stream.on('error', f)
    },
    askedSpeed: () => libc.askedSpeed(pair.slave),
    lost: () => lost,
    async close() {
      sender.close()
      await worker?.close()
      const closed = once(stream, 'close')
      stream.destroy()
      await closed
      closeSync(pair.slave)
    },
  }
}

/** By a socat child, whose standard input and output are our end. */
export async function openSocatEnd(
  name: string,
  msPerCharacter: number,
  pacing: Pacing,
  now: () => Instant,
): Promise<PtyEnd> {
  if (pacing === 'byte')
    throw new GridproofError(
      'rig-lacks',
      `${name}: gaps between bytes need koffi; socat gathers what it passes on`,
    )
  const child = spawn('socat', ['-d', '-d', '-', 'pty,raw,echo=0'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const ended = once(child, 'close')
  ended.catch(() => {})
  const path = await new Promise<string>((resolve, reject) => {
    let said = ''
    child.stderr.on('data', (b: Buffer) => {
      said = (said + b.toString()).slice(-4096)
      const found = /PTY is (\S+)/.exec(said)?.[1]
      if (found !== undefined) resolve(found)
    })
    const fail = (why: string): void =>
      reject(new GridproofError('rig-broke', `${name}: socat did not open a line: ${why}`))
    child.once('error', (e) => fail(e.message))
    child.once('close', () => fail(said.trim()))
  })
  // Kept open: socat ends when the last peer closes.
  const slave = openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK)
  const libc = loadLibc()
  let closing = false
  child.stdin.on('error', () => {})
  const sender = createSender(msPerCharacter, now, undefined, (b) => {
    if (child.stdin.writable) child.stdin.write(b)
  })
  return {
    path,
    send: (b) => sender.send(b),
    onBytes: (f) => {
      child.stdout.on('data', f)
    },
    onLost(f) {
      child.once('close', () => {
        if (!closing) f()
      })
    },
    askedSpeed: () => ('lacks' in libc ? undefined : libc.askedSpeed(slave)),
    lost: () => 0,
    async close() {
      closing = true
      sender.close()
      child.kill('SIGKILL')
      await ended
      closeSync(slave)
    },
  }
}

interface Sender {
  send(b: Uint8Array): Promise<Instant>
  close(): void
}

/** Puts runs on the line one after another; `bytewise` hands them over itself, else `hand` is called at the end. */
function createSender(
  msPerCharacter: number,
  now: () => Instant,
  bytewise: ((b: Uint8Array, start: Instant) => Promise<void>) | undefined,
  hand: (b: Uint8Array) => void,
): Sender {
  const direction = createDirection(msPerCharacter)
  const due = createDue(now)
  const pending = new Set<() => void>()
  let closed = false
  const shut = (): GridproofError =>
    new GridproofError('rig-broke', 'the pseudo terminal was closed before all was sent')
  return {
    send(b) {
      if (closed) return Promise.reject(shut())
      const slot = direction(b.length, now())
      return new Promise((resolve, reject) => {
        const drop = (): void => reject(shut())
        pending.add(drop)
        const done = (): void => {
          pending.delete(drop)
          resolve(slot.start)
        }
        if (bytewise !== undefined) {
          void bytewise(b, slot.start).then(done)
          return
        }
        due.when(slot.end, () => {
          hand(b)
          done()
        })
      })
    },
    close() {
      closed = true
      due.clear()
      for (const drop of pending) drop()
      pending.clear()
    },
  }
}

/** The worker that writes byte by byte. */
function byteWriter(
  fd: number,
  onLost: (bytes: number) => void,
): {
  send(bytes: Uint8Array, start: number, msPerCharacter: number): Promise<void>
  close(): Promise<void>
} {
  const worker = new Worker(new URL('pty-bytes.ts', import.meta.url), {
    workerData: { fd },
    execArgv: [],
  })
  const waiting = new Map<number, () => void>()
  let id = 0
  worker.on('error', (e) => process.emitWarning(e))
  worker.on('message', (m: ByteDone) => {
    if (m.lost > 0) onLost(m.lost)
    waiting.get(m.id)?.()
    waiting.delete(m.id)
  })
  worker.unref()
  return {
    send(bytes, start, msPerCharacter) {
      id += 1
      const order: ByteOrder = { id, bytes, start, msPerCharacter }
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage(order)
      return new Promise((done) => {
        waiting.set(order.id, done)
      })
    },
    async close() {
      waiting.clear()
      await worker.terminate()
    },
  }
}
