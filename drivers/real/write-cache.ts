/**
 * The write cache of a disk, as a model: what is written stays in it until it is flushed, and when power goes any of its sectors
 * may have reached the medium and others not. Which ones follows from a seed, the order in which they were first written
 * since the last flush, and how many times each was: ext4 writes in one order each time, and takes other places for it.
 * Pure but for the medium.
 */
import type { CacheFigures } from '../faces.ts'
import { stream } from '../random.ts'
import { sectorBytes } from './write-log.ts'

/** What keeps its content without power. Both take whole sectors, at multiples of their size. */
export interface Medium {
  read(at: number, length: number): Uint8Array
  write(at: number, bytes: Uint8Array): void
}

export interface WriteCacheOptions {
  readonly medium: Medium
  readonly seed: number
  /**
   * Sectors that it holds, each version of them counted; beyond that those that have waited longest go to the medium. 32,768
   * (16 MiB) unless given; ours.
   */
  readonly sectors?: number
}

export interface WriteCache {
  read(at: number, length: number): Uint8Array
  write(at: number, bytes: Uint8Array): void
  flush(): void
  /** Power goes. Whoever is still at work sees its own writes as before; none of them counts any more. */
  lose(): void
  /** Power goes as it is told to flush for the `nth` time from now on, before it does. 0: no longer. */
  loseAtFlush(nth: number): void
  /** Power is back: what it holds is what the loss left. */
  restore(): void
  readonly powered: boolean
  readonly figures: CacheFigures
}

/** Shares of what is in the cache that make it: none, few, half, most, all. Ours, as in write-log.ts. */
const shares = [0, 0.1, 0.5, 0.9, 1] as const
const usualSectors = 32_768

export function writeCache(o: WriteCacheOptions): WriteCache {
  const { medium, seed, sectors: room = usualSectors } = o
  /** By place: what was written there since the last flush, in order. The sector that has waited longest comes first. */
  const waiting = new Map<number, Uint8Array[]>()
  /** Beside them, without power: what reaches the medium once nobody sees the old content any more. */
  let left: Map<number, Uint8Array> | undefined
  const figures = { flushes: 0, kept: 0, lost: 0 }
  let held = 0
  let losses = 0
  let fatal = 0

  const latest = (at: number): Uint8Array => waiting.get(at)?.at(-1) ?? medium.read(at, sectorBytes)
  /** Writes sectors, those beside each other at once. */
  const toMedium = (all: Iterable<readonly [at: number, bytes: Uint8Array]>): void => {
    let from = 0
    let run: Uint8Array[] = []
    const end = (): void => {
      if (run.length > 0) medium.write(from, Buffer.concat(run))
      run = []
    }
    for (const [at, bytes] of [...all].toSorted(([a], [b]) => a - b)) {
      if (at !== from + run.length * sectorBytes) end()
      if (run.length === 0) from = at
      run.push(bytes)
    }
    end()
  }
  const lose = (): void => {
    if (left !== undefined) return
    const n = ++losses
    left = new Map()
    const share = shares[Math.floor(stream(seed, `loss ${n}`)() * shares.length)] ?? 0.5
    for (const [i, [at, versions]] of [...waiting].entries()) {
      const chance = stream(seed, `loss ${n} sector ${i}`)
      for (const bytes of versions) if (chance() < share) left.set(at, bytes)
      if (left.has(at)) figures.kept++
      else figures.lost++
    }
  }
  return {
    read(at, length) {
      const from = at - (at % sectorBytes)
      const end = Math.ceil((at + length) / sectorBytes) * sectorBytes
      const out = Buffer.from(medium.read(from, end - from))
      if (waiting.size > 0)
        for (let a = from; a < end; a += sectorBytes) {
          const bytes = waiting.get(a)?.at(-1)
          if (bytes !== undefined) out.set(bytes, a - from)
        }
      return out.subarray(at - from, at - from + length)
    },
    write(at, bytes) {
      for (let i = 0; i < bytes.length;) {
        const within = (at + i) % sectorBytes
        const place = at + i - within
        const n = Math.min(sectorBytes - within, bytes.length - i)
        const sector = n === sectorBytes ? new Uint8Array(n) : Uint8Array.from(latest(place))
        sector.set(bytes.subarray(i, i + n), within)
        const versions = waiting.get(place)
        if (versions === undefined) waiting.set(place, [sector])
        else versions.push(sector)
        held++
        i += n
      }
      if (left !== undefined) return
      for (const [place, versions] of waiting) {
        if (held <= room) break
        medium.write(place, versions.at(-1) ?? new Uint8Array(0))
        held -= versions.length
        waiting.delete(place)
      }
    },
    flush() {
      if (left !== undefined) return
      figures.flushes++
      if (fatal > 0 && --fatal === 0) {
        lose()
        return
      }
      toMedium([...waiting].map(([at, versions]) => [at, versions.at(-1) ?? new Uint8Array(0)] as const))
      waiting.clear()
      held = 0
    },
    lose,
    loseAtFlush(nth) {
      fatal = nth
    },
    restore() {
      if (left === undefined) return
      toMedium(left)
      left = undefined
      fatal = 0
      waiting.clear()
      held = 0
    },
    get powered() {
      return left === undefined
    },
    get figures() {
      return { ...figures }
    },
  }
}
