/** What a rig names, looked at before a run does. */
import { accessSync, constants } from 'node:fs'
import { networkInterfaces } from 'node:os'
import { createServer } from 'node:net'
import { messageOf } from '../../../drivers/errors.ts'
import { isLab } from '../../rigs/schema.ts'
import type { RigFile } from '../../rigs/schema.ts'
import type { LabRig } from '../../rigs/lab.ts'
import { broker } from './broker.ts'
import { missing, ok } from './finding.ts'
import type { Finding } from './finding.ts'
import { port as serialPort } from './serial.ts'
import type { Trees } from './serial.ts'

/** Throws nothing: all that is wrong is a finding. */
export async function rig(file: RigFile, o: Trees = {}): Promise<readonly Finding[]> {
  const head = ok('rig', `${file.name}: ${file.describes}`)
  return isLab(file) ? [head, ...(await lab(file, o))] : [head]
}

async function lab(file: LabRig, o: Trees): Promise<readonly Finding[]> {
  const found: Finding[] = []
  for (const [name, door] of [
    ['the marketplace', file.points.marketplace],
    ['the server side', file.points.server],
  ] as const)
    if (door !== undefined) found.push(...(await broker(name, door)))
  const csv = file.points.csv
  if (csv !== undefined)
    try {
      accessSync(csv.folder, constants.R_OK | constants.X_OK)
      found.push(ok('csv', `${csv.folder} can be read`))
    } catch (e) {
      found.push(
        missing(
          'csv',
          `the recorder's files cannot be read: ${messageOf(e)}`,
          'mount them where the rig names their folder',
        ),
      )
    }
  for (const [role, entry] of Object.entries(file.roles)) {
    if (entry === undefined) continue
    if (entry.path !== undefined) found.push(...serialPort(entry.path, o))
    if (entry.address !== undefined) found.push(await listens(role, entry.address, entry.port ?? 0))
  }
  return found
}

/** Whether a device can be played at an address and port of this machine. */
async function listens(role: string, address: string, port: number): Promise<Finding> {
  const place = `${address}:${port}`
  const mine = Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map((i) => i.address))
  if (!mine.includes(address) && !address.startsWith('127.'))
    return missing(
      'device-address',
      `${role} is to be at ${place}, and this machine has no such address (it has ${mine.join(', ')})`,
      `sudo ip address add ${address}/24 dev <interface to the platform>`,
    )
  return await new Promise((done) => {
    const server = createServer()
    server.once('error', (e: NodeJS.ErrnoException) =>
      done(
        missing(
          'device-address',
          `${role} cannot listen at ${place}: ${messageOf(e)}`,
          e.code === 'EACCES'
            ? 'ports below 1024: sudo setcap cap_net_bind_service=+ep $(readlink -f $(which node)), or let the platform ask at a higher port'
            : 'end the other program that has the port',
        ),
      ),
    )
    server.listen({ host: address, port }, () =>
      server.close(() => done(ok('device-address', `${role} can listen at ${place}`))),
    )
  })
}
