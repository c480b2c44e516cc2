/**
 * The evidence log's writer: JSON lines, appended as it happens. Line n holds the event with sequence number n.
 * Every event reaches the operating system before `append` returns (unless `buffer` says otherwise), so that a killed
 * process leaves a readable log whose last line is torn at most.
 */
import { closeSync, constants, fdatasyncSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { GridproofError, messageOf } from '../../drivers/errors.ts'
import type { Instant, Json } from '../../drivers/faces.ts'
import type { Kind } from '../faces.ts'
import type { Redactor } from './redact.ts'

/** What a log needs of a file system. The virtual-time kernel patches `fs`: these are taken before it does. */
export interface LogIo {
  /** Opens a new file for writing; must fail if there is one already. */
  open(file: string): number
  /** Opens a file that is there, to write behind what stands in it. */
  reopen(file: string): number
  /** Returns how many of the bytes were taken. */
  write(fd: number, bytes: Uint8Array, offset: number, length: number): number
  truncate(fd: number, length: number): void
  /** Bytes to the disk itself. */
  sync(fd: number): void
  close(fd: number): void
}

/** Node's own calls, as they are while this is called. */
export function nodeLogIo(): LogIo {
  const [open, write, truncate, sync, close] = [openSync, writeSync, ftruncateSync, fdatasyncSync, closeSync]
  return {
    open: (file) => open(file, 'wx', 0o644),
    reopen: (file) => open(file, constants.O_WRONLY | constants.O_APPEND),
    write: (fd, bytes, offset, length) => write(fd, bytes, offset, length, null),
    truncate: (fd, length) => truncate(fd, length),
    sync: (fd) => sync(fd),
    close: (fd) => close(fd),
  }
}

/** Where a log goes on: behind its event `seq`, whose line ends at `bytes`. */
export interface LogEnd {
  readonly seq: number
  readonly bytes: number
  /** That line is whole, but for the line feed at its end. */
  readonly unended?: true
}

export interface LogOptions {
  readonly io?: LogIo
  /** Takes secrets out of each event's data. */
  readonly redactor?: Redactor
  /**
   * Bytes that may wait in memory, 0 to 65536; 0 (the default): none. What waits is lost when the process is killed;
   * a run in virtual time can afford that, since its seed brings it back. Events other than `said`, `seen`, `sent`
   * and `wire` never wait.
   */
  readonly buffer?: number
  /** Goes on with a log that is there; what follows this end of it is cut off. */
  readonly after?: LogEnd
  /** Told once when the log cannot be written any more (a full disk). Without it only `trouble` and `close` tell. */
  onTrouble?(e: GridproofError): void
}

/** What is written: an event before it has its sequence number. */
export interface Entry {
  readonly at: Instant
  readonly src: string
  readonly kind: Kind
  readonly stamp?: Instant
  readonly cause?: number
  readonly data: Json
}

export interface LogWriter extends Disposable {
  readonly file: string
  /** Sequence number of the last event; 0 before the first. */
  readonly seq: number
  /** Why nothing is written any more; from then on events are numbered and dropped. */
  readonly trouble: GridproofError | undefined
  /**
   * Appends one event and returns its sequence number. Throws `internal` for what is no event (a time that is no
   * number); never throws for the disk's sake, because those who speak here are devices and observers.
   */
  append(e: Entry): number
  /** Hands over what waits in memory. */
  flush(): void
  /** Flushes to the disk itself and closes. Throws `rig-broke` if any event was lost. Idempotent. */
  close(): void
}

const mayWait: ReadonlySet<Kind> = new Set<Kind>(['said', 'seen', 'sent', 'wire'])
const largestBuffer = 65_536

/** Starts a log in a new file, or goes on with one (`after`). Throws `rig-broke` if it cannot be opened. */
export function logWriter(file: string, options: LogOptions = {}): LogWriter {
  const io = options.io ?? nodeLogIo()
  const limit = Math.min(Math.max(options.buffer ?? 0, 0), largestBuffer)
  const redactor = options.redactor
  const names = new Map<string, string>()
  let fd: number
  try {
    fd = options.after === undefined ? io.open(file) : io.reopen(file)
    if (options.after !== undefined) io.truncate(fd, options.after.bytes)
  } catch (e) {
    throw new GridproofError(
      'rig-broke',
      `cannot ${options.after === undefined ? 'create' : 'go on with'} the evidence log: ${messageOf(e)}`,
      {
        cause: e,
        place: { file },
      },
    )
  }

  const waiting = Buffer.allocUnsafe(limit)
  let waits = 0
  /** Length of the file up to the end of the last whole write. */
  let whole = options.after?.bytes ?? 0
  let seq = options.after?.seq ?? 0
  let open = true
  let trouble: GridproofError | undefined

  function fail(e: unknown): void {
    trouble = new GridproofError(
      'rig-broke',
      `the evidence log cannot be written: ${messageOf(e)}; make room on its disk and run again`,
      { cause: e, place: { file, line: seq } },
    )
    try {
      // Shrinking works on a full disk: the log ends with a whole line.
      io.truncate(fd, whole)
    } catch {
      // Then its last line is torn, which readers tolerate.
    }
    options.onTrouble?.(trouble)
  }

  function out(bytes: Uint8Array, length: number): void {
    let offset = 0
    try {
      while (offset < length) {
        const n = io.write(fd, bytes, offset, length - offset)
        if (n <= 0) throw new Error('nothing was written')
        offset += n
      }
      whole += length
    } catch (e) {
      fail(e)
    }
  }

  if (options.after?.unended === true) out(Buffer.from('\n'), 1)

  function flush(): void {
    if (waits === 0) return
    const length = waits
    waits = 0
    if (trouble === undefined) out(waiting, length)
  }

  function nameText(name: string): string {
    let text = names.get(name)
    if (text === undefined) {
      if (names.size > 4096) names.clear()
      text = JSON.stringify(name)
      names.set(name, text)
    }
    return text
  }

  return {
    file,
    get seq() {
      return seq
    },
    get trouble() {
      return trouble
    },
    append(e) {
      if (!Number.isFinite(e.at)) throw new GridproofError('internal', `an event at '${e.at}' has no time`)
      if (!open) throw new GridproofError('internal', `an event for a closed log, from '${e.src}'`)
      const data = redactor === undefined ? JSON.stringify(e.data) : redactor.clean(e.data).text
      if (data === undefined)
        throw new GridproofError('internal', `an event without data, from '${e.src}', kind '${e.kind}'`)
      seq++
      if (trouble !== undefined) return seq
      let text = `{"seq":${seq},"at":${e.at},"src":${nameText(e.src)},"kind":"${e.kind}"`
      if (e.stamp !== undefined && Number.isFinite(e.stamp)) text += `,"stamp":${e.stamp}`
      if (e.cause !== undefined) text += `,"cause":${e.cause}`
      text += `,"data":${data}}\n`

      // Three bytes hold any UTF-16 unit: what is sure to fit is encoded in place.
      if (text.length * 3 > limit - waits) flush()
      if (text.length * 3 <= limit) {
        waits += waiting.write(text, waits, 'utf8')
        if (!mayWait.has(e.kind)) flush()
      } else {
        const bytes = Buffer.from(text, 'utf8')
        if (trouble === undefined) out(bytes, bytes.length)
      }
      return seq
    },
    flush,
    close() {
      if (!open) return
      flush()
      open = false
      try {
        io.sync(fd)
      } catch (e) {
        // Not every file system can; a full one tells here what it could not keep.
        if (trouble === undefined && isFull(e)) fail(e)
      }
      io.close(fd)
      if (trouble !== undefined) throw trouble
    },
    [Symbol.dispose]() {
      try {
        this.close()
      } catch {
        // `onTrouble` has told.
      }
    },
  }
}

function isFull(e: unknown): boolean {
  const code = e instanceof Error ? (e as NodeJS.ErrnoException).code : undefined
  return code === 'ENOSPC' || code === 'EDQUOT' || code === 'EIO'
}
