/** How exactly a pseudo terminal keeps the pace of a serial line: when frames end at 2400 8E1, and when bytes are written. */
import { closeSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { SerialPort } from 'serialport'
import type { Conn, SerialSettings } from '../../drivers/faces.ts'
import { benchNow, threadClock } from '../../drivers/real/clock.ts'
import { loadLibc } from '../../drivers/real/libc.ts'
import { characterMs } from '../../drivers/real/pace.ts'
import type { ByteDone, ByteOrder } from '../../drivers/real/pty-bytes.ts'
import { openPty, ptyProvider } from '../../drivers/real/pty.ts'
import { percentile, watchCalm } from './calm.ts'

/** Goals on an idle core, ms. */
export const frameEndGoalMs = 1.5
export const byteGoalMs = 0.5

export interface Pacing {
  readonly count: number
  readonly p50: number
  readonly p99: number
  readonly most: number
}

export interface PacingRun {
  readonly all: Pacing
  /** Of what fell into windows in which this process had a core whenever it wanted one. */
  readonly calm: Pacing
}

const line: SerialSettings = { baudRate: 2400, dataBits: 8, parity: 'even', stopBits: 1 }
/** A List 1 of a Kaifa. */
const frameBytes = 41
const lines = 4
/** A writer of bytes wakes up for each: some 50 times in a window. Ours. */
const byteCalm = 0.02

function pacing(values: readonly number[]): Pacing {
  return {
    count: values.length,
    p50: percentile(values, 0.5),
    p99: percentile(values, 0.99),
    most: values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  }
}

function runOf(
  samples: readonly { readonly at: number; readonly late: number }[],
  calm: ReturnType<typeof watchCalm>,
): PacingRun {
  return {
    all: pacing(samples.map((s) => s.late)),
    calm: pacing(samples.flatMap((s) => (calm.was(s.at) ? [s.late] : []))),
  }
}

/** Frames on some lines side by side, as a reader's SerialPort gets them: arrival of the last byte after its end. */
export async function measureFrameEnds(ms: number): Promise<PacingRun | { lacks: string }> {
  const found = ptyProvider('koffi')
  if ('lacks' in found) return found
  const samples: { at: number; late: number }[] = []
  const calm = watchCalm()
  const end = benchNow() + ms
  await Promise.all(
    Array.from({ length: lines }, async () => {
      await using pty = await openPty({ name: 'perf', settings: line, provider: 'koffi' })
      const device = await new Promise<Conn>((resolve, reject) => {
        pty.wire.open(resolve).catch(reject)
      })
      const port = new SerialPort({
        path: pty.path,
        baudRate: line.baudRate,
        parity: 'even',
        autoOpen: false,
      })
      await new Promise<void>((resolve, reject) => {
        port.open((e) => (e === null ? resolve() : reject(e)))
      })
      let arrived = Promise.withResolvers<number>()
      let got = 0
      port.on('data', (b: Buffer) => {
        got += b.length
        if (got >= frameBytes) arrived.resolve(benchNow())
      })
      while (benchNow() < end) {
        got = 0
        arrived = Promise.withResolvers<number>()
        const began = device.send(new Uint8Array(frameBytes).fill(0x55))
        const at = await arrived.promise
        samples.push({ at, late: at - ((await began) + frameBytes * characterMs(line)) })
      }
      await new Promise<void>((done) => port.close(() => done()))
    }),
  )
  calm.stop()
  return runOf(samples, calm)
}

/** Bytes one by one: how long after its due instant each was written. */
export async function measureBytes(ms: number): Promise<PacingRun | { lacks: string }> {
  const libc = loadLibc()
  if ('lacks' in libc) return libc
  const pair = libc.openPair()
  const worker = new Worker(new URL('../../drivers/real/pty-bytes.ts', import.meta.url), {
    workerData: { fd: pair.master },
    execArgv: [],
  })
  const samples: { at: number; late: number }[] = []
  const calm = watchCalm(byteCalm)
  const end = benchNow() + ms
  const character = characterMs(line)
  // Fetched, so that the line never fills.
  const port = new SerialPort({ path: pair.path, baudRate: line.baudRate, parity: 'even', autoOpen: false })
  await new Promise<void>((resolve, reject) => {
    port.open((e) => (e === null ? resolve() : reject(e)))
  })
  port.resume()
  for (let id = 1; benchNow() < end; id++) {
    const bytes = new Uint8Array(frameBytes).fill(0x55)
    const start = benchNow() + 5
    const done = new Promise<ByteDone>((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    const order: ByteOrder = {
      id,
      bytes,
      start: start - benchNow() + threadClock(),
      msPerCharacter: character,
    }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
    worker.postMessage(order)
    const { late } = await done
    // The first frames load the worker.
    if (id > 2)
      for (const [i, l] of late.entries()) samples.push({ at: start + (i + 1) * character, late: l })
    worker.removeAllListeners('error')
  }
  calm.stop()
  await new Promise<void>((close) => port.close(() => close()))
  await worker.terminate()
  closeSync(pair.slave)
  closeSync(pair.master)
  return runOf(samples, calm)
}
