/** The server of the link's measurement, in a process of its own: port one echoes, port two swallows and then says how much. */
import { createServer, type AddressInfo } from 'node:net'

const echo = createServer({ noDelay: true }, (s) => {
  s.on('data', (b) => s.write(b))
  s.on('error', () => undefined)
})
const sink = createServer({ allowHalfOpen: true }, (s) => {
  let n = 0
  s.on('data', (b) => (n += b.length))
  s.on('end', () => s.end(String(n)))
  s.on('error', () => undefined)
})
echo.listen(0, '127.0.0.1', () =>
  sink.listen(0, '127.0.0.1', () => {
    const port = (x: typeof echo): number => (x.address() as AddressInfo).port
    process.stdout.write(`${port(echo)} ${port(sink)}\n`)
  }),
)
// It ends with whoever started it.
process.stdin.resume().on('end', () => process.exit())
