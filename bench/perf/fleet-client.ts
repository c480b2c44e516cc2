/** Connects to a fleet many times, and takes what comes: the load of `fleet.ts`, in a process of its own. */
import { connect } from 'node:net'

const [port = '0', count = '0'] = process.argv.slice(2)
let open = 0
let bytes = 0
/** Connections at a time: more would only wait in the queue of the port. */
const together = 200

const one = (): Promise<void> =>
  new Promise((resolve, reject) => {
    const s = connect({ host: '127.0.0.1', port: Number(port) }, () => {
      open++
      resolve()
    })
    s.once('error', reject)
    s.on('data', (b: Buffer) => {
      bytes += b.length
    })
  })

for (let i = 0; i < Number(count); i += together)
  await Promise.all(Array.from({ length: Math.min(together, Number(count) - i) }, one))
process.on('message', () => process.send?.({ open, bytes }))
process.on('disconnect', () => process.exit(0))
process.send?.({ open, bytes })
