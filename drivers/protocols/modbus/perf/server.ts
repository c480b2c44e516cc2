/** Our server in a process of its own, for the measurement: `node server.ts PORT`. Prints "ready". */
import { listenTcp } from '../../../wires/tcp.ts'
import { memoryModel } from '../model.ts'
import { serveModbusTcp } from '../serve.ts'

const units = new Map([
  [1, memoryModel({ 'holding-registers': Uint16Array.from({ length: 1000 }, (_, i) => i) })],
])
const { wire } = await listenTcp({ name: 'perf', host: '127.0.0.1', port: Number(process.argv[2]) })
await wire.open((conn) => serveModbusTcp(conn, units))
process.stdout.write('ready\n')
