/**
 * Power is cut at one seam after another, chosen by the seed: whatever a host's code does, it does through a seam, so
 * these are all the points at which a cut can be told apart. See cut.test.ts.
 */
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Host, Json, Program } from '../../faces.ts'
import { stream } from '../../random.ts'
import type { Installed } from '../install.ts'
import { createVirtualWorld } from '../world.ts'

const program = (peers: string[]): Program => ({
  entry: 'drivers/virtual/cases/programs/busy.ts',
  config: { peers },
  defects: [],
})

/** What is on a host's disk: rows of its database, lines of its file. */
function disk(h: Host): string {
  const db = new DatabaseSync(join(h.disk, 'app.db'), { readOnly: true })
  const { rows } = db.prepare('select count(*) rows from t').get() as { rows: number }
  db.close()
  let lines = 0
  try {
    lines = readFileSync(join(h.disk, 'app.log'), 'utf8').split('\n').length
  } catch {
    // It had not come to write it.
  }
  return `${rows} rows, ${lines} lines`
}

/** Seams that the host passes before the test looks away; a cut falls on one of them. */
const seamsTried = 600
/** The peers' own time-out, in ms (programs/busy.ts). */
const peersTimeOut = 5000

async function once({ kernel }: Installed, seed: number): Promise<{ at: string; wrong: string[] }> {
  return kernel.run(
    async () => {
      const wrong: string[] = []
      await using world = await createVirtualWorld()
      const host = await world.host({ name: 'cut', address: '10.0.0.1' })
      const neighbour = await world.host({ name: 'neighbour', address: '10.0.0.2' })
      let logsAfter = 0
      let neighbourLogs = 0
      let cutAt = Number.POSITIVE_INFINITY
      host.onLog(() => void (kernel.now > cutAt && logsAfter++))
      neighbour.onLog(() => neighbourLogs++)
      const target = 40 + Math.floor(stream(seed, 'seam')() * seamsTried)
      let passed = 0
      let place = ''
      let left = ''
      kernel.onSeam = (owner, what) => {
        if (owner.top.name !== 'cut' || ++passed !== target) return
        place = what
        cutAt = kernel.now
        kernel.onSeam = undefined
        host.cut()
        // As the bench, in the midst of the host's own stack.
        left = kernel.root.run(() => disk(host))
      }
      await host.start('app', program(['10.0.0.2']))
      await neighbour.start('app', program(['10.0.0.1']))
      // A peer that stays silent itself until long after.
      await world.pass(20)
      const peer = cutAt === Number.POSITIVE_INFINITY ? connect(700, '10.0.0.1') : undefined
      const heard: { at: number; what: string }[] = []
      for (const what of ['data', 'end', 'error', 'close'])
        peer?.on(what, () => void heard.push({ at: kernel.now, what }))
      const beat = setInterval(() => peer?.write('beat'), 30)
      while (cutAt === Number.POSITIVE_INFINITY) await world.pass(10)
      await world.pass(3000)
      for (const h of heard)
        // What was on the wire at the cut still arrives; an end or an error never does.
        if (h.at >= cutAt && (h.what !== 'data' || h.at > cutAt + 0.3))
          wrong.push(`peer heard ${h.what} ${(h.at - cutAt).toFixed(1)} ms after the cut`)
      clearInterval(beat)
      peer?.destroy()
      const before = neighbourLogs
      await world.pass(2 * peersTimeOut)
      if (neighbourLogs - before < 150)
        wrong.push(`the neighbour did ${neighbourLogs - before} steps in 10 s`)
      if (disk(host) !== left) wrong.push(`the disk went from ${left} to ${disk(host)}`)
      if (logsAfter > 0) wrong.push(`${logsAfter} log entries after the cut`)
      return { at: place, wrong }
    },
    { seed },
  )
}

export async function task(kit: Installed, arg: Json): Promise<Json> {
  const { from, count } = arg as { from: number; count: number }
  const places: Record<string, number> = {}
  const wrong: string[] = []
  for (let seed = from; seed < from + count; seed++) {
    const r = await once(kit, seed)
    places[r.at] = (places[r.at] ?? 0) + 1
    for (const w of r.wrong) wrong.push(`seed ${seed}, cut at ${r.at}: ${w}`)
    if (kit.kernel.escapes.length > 0) wrong.push(`seed ${seed}: ${JSON.stringify(kit.kernel.escapes)}`)
  }
  return { places, wrong }
}
