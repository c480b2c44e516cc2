/** The work of `gridproof sim replay`. */
import { GridproofError } from '../../drivers/errors.ts'
import { duration } from '../../drivers/units.ts'
import { openDoor } from '../main/alone/play.ts'
import { readCapture } from '../main/listen/capture.ts'
import { replayCapture } from '../main/listen/replay.ts'
import { exitCodes } from '../verdicts/exit-code.ts'
import { doorGiven } from './door.ts'
import { lineOf } from './listen-command.ts'
import { onStop } from './on-stop.ts'
import type { ReplayCommandOptions } from './sim-replay.ts'

/** Performs the command and returns its exit code. */
export async function performReplay(file: string, o: ReplayCommandOptions): Promise<number> {
  const door = doorGiven(o, () => true, 'a capture is played by --tcp host:port, --port /dev/... or --pty')
  if (door.kind === 'port' && o.speed > 1)
    throw new GridproofError(
      'usage',
      '--speed above 1 needs --tcp or --pty: a real line has a speed of its own',
    )
  const forMs = o.for === undefined ? undefined : duration(o.for)
  if (forMs !== undefined && forMs > 2 ** 31 - 1)
    throw new GridproofError('usage', '--for takes at most 24 d')
  const capture = readCapture(file)
  if (capture.chunks.length === 0)
    throw new GridproofError('bad-file', `${file}: nothing came while it was recorded`)
  const line = o.line === undefined ? capture.line : lineOf(o.line)
  if (line === undefined && door.kind !== 'tcp')
    throw new GridproofError('usage', `${file} was recorded over TCP: say by --line what line it is of`)
  // A pseudo terminal knows no speed but the one we keep: it keeps up with the play.
  const settings =
    line === undefined || door.kind !== 'pty'
      ? line
      : { ...line, baudRate: line.baudRate * Math.max(1, o.speed) }

  const put = (text: string): void => void process.stdout.write(`${text}\n`)
  const { promise: stopped, resolve: stop } = Promise.withResolvers<number>()
  const forget = onStop(() => stop(exitCodes.aborted))
  const stack = new AsyncDisposableStack()
  let timer: NodeJS.Timeout | undefined
  try {
    const { wire, place } = await openDoor(
      { name: 'replay', door, settings, onTrouble: (text) => void process.stderr.write(`${text}\n`) },
      stack,
    )
    const bytes = capture.chunks.reduce((n, c) => n + c.bytes.length, 0)
    const lasts = ((capture.chunks.at(-1)?.at ?? 0) - (capture.chunks[0]?.at ?? 0)) / o.speed / 1000
    put(`${bytes} bytes of ${file} are played at ${place}, in ${lasts.toFixed(1)} s; Ctrl-C ends it`)
    let chunks = 0
    const playing = await replayCapture({
      wire,
      chunks: capture.chunks,
      speed: o.speed,
      settings: door.kind === 'tcp' ? undefined : settings,
      waits: door.kind === 'tcp',
      onBegin: () => undefined,
      onChunk(c, at) {
        chunks++
        if (o.quiet === true) return
        const hex = Buffer.from(c.bytes.subarray(0, 24)).toString('hex')
        put(
          `${new Date(at).toISOString().slice(11, 23)}   ${String(c.bytes.length).padStart(4)} B  ${hex}${c.bytes.length > 24 ? ' ...' : ''}`,
        )
      },
    })
    stack.use(playing)
    if (forMs !== undefined) timer = setTimeout(() => stop(exitCodes.ok), forMs)
    const code = await Promise.race([stopped, playing.through.then(() => exitCodes.ok)])
    put(`${chunks} of ${capture.chunks.length} chunks were played`)
    return code
  } finally {
    clearTimeout(timer)
    await stack.disposeAsync()
    forget()
  }
}
