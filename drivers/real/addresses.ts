/** Loopback addresses for hosts and devices of one bench: each has its own, and two benches do not meet. */
import { createServer, isIPv4 } from 'node:net'
import { GridproofError, messageOf } from '../errors.ts'

/**
 * Gives addresses of this machine for those that a rig names. A loopback address is taken as it stands; any other
 * (such as a scenario in virtual time may use) gets one of 127.0.0.0/8 instead, always the same within one bench.
 * The middle octets follow from `bench` (a process number), so that benches side by side can use the same ports.
 */
export function createAddresses(bench: number): (asked: string) => string {
  const given = new Map<string, string>()
  // 127.0.x.x stays free for what else runs here; so do the last octets 0 and 255.
  const second = 1 + (Math.floor(bench / 256) % 255)
  const third = bench % 256
  return (asked) => {
    if (isIPv4(asked) && asked.startsWith('127.')) return asked
    const known = given.get(asked)
    if (known !== undefined) return known
    if (given.size >= 253)
      throw new GridproofError('rig-lacks', `no address left for ${asked}: 253 are in use`)
    const address = `127.${second}.${third}.${given.size + 2}`
    given.set(asked, address)
    return address
  }
}

/** Throws `rig-lacks` where this machine cannot listen on an address. */
export function probeAddress(address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const s = createServer()
    s.once('error', (e) =>
      reject(
        new GridproofError(
          'rig-lacks',
          `this machine cannot use the address ${address} (${messageOf(e)}): add it to the loopback interface (on macOS: ifconfig lo0 alias ${address})`,
          { cause: e },
        ),
      ),
    )
    s.listen({ host: address, port: 0 }, () => s.close(() => resolve()))
  })
}
