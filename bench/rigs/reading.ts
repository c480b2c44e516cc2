/** Makes the world of a meter reader in a rig: meters on their lines, the cloud, a modem, the reader between them, its installer. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Platform, Roles } from '../faces.ts'
import { playCloud, readerName, readingsTopic } from '../platforms/cloud.ts'
import type { PlayedCloud } from '../platforms/cloud.ts'
import { makeInstaller } from '../platforms/installer.ts'
import { drawPassword, hashOf } from '../platforms/laptop.ts'
import { playModem } from '../platforms/modem.ts'
import type { PlayedModem } from '../platforms/modem.ts'
import { referenceReader } from '../platforms/reader.ts'
import { meterAtLine } from './meters.ts'
import type { MeterAtLine } from './meters.ts'
import { meterRoles } from './parts.ts'
import type { MeterRole } from './parts.ts'
import type { Setting } from './setting.ts'
import { deviceEntry } from './substation.ts'

async function startMeters(
  s: Setting,
  wanted: ReadonlySet<keyof Roles>,
  made: Partial<Record<keyof Roles, unknown>>,
): Promise<ReadonlyMap<MeterRole, MeterAtLine>> {
  const meters = new Map<MeterRole, MeterAtLine>()
  for (const role of meterRoles) {
    if (!wanted.has(role)) continue
    const entry = deviceEntry(s, role)
    const m = s.keep(await meterAtLine({ ...s.o, role, entry, address: s.address(entry.at) }))
    meters.set(role, m)
    made[role] = s.faulty(m.role)
  }
  return meters
}

async function startCloud(s: Setting): Promise<PlayedCloud> {
  const { world, pki } = s.o
  // Certificates name addresses: in real time that of this machine alone.
  const address = world.time === 'real' ? '127.0.0.1' : s.address(s.file.roles.cloud?.at ?? 0)
  return s.keep(
    await playCloud({
      address,
      realm: world.realm({ name: 'cloud', address }),
      pki,
      emit: s.o.emitAs('cloud'),
    }),
  )
}

async function startModem(
  s: Setting,
  fitted: NonNullable<Setting['file']['roles']['modem']>,
): Promise<PlayedModem> {
  return s.keep(
    await playModem({
      world: s.o.world,
      realm: s.realm('modem', fitted.at),
      settings: fitted.serial,
      emit: s.o.emitAs('modem'),
    }),
  )
}

/** Returns the reader, where it is asked for. */
export async function startReading(
  s: Setting,
  wanted: ReadonlySet<keyof Roles>,
  made: Partial<Record<keyof Roles, unknown>>,
): Promise<(Platform & AsyncDisposable) | undefined> {
  const { world, pki } = s.o
  const { roles } = s.file
  const meters = await startMeters(s, wanted, made)
  const cloud = wanted.has('cloud') ? await startCloud(s) : undefined
  if (cloud !== undefined) made.cloud = s.faulty(cloud)
  const modem =
    wanted.has('modem') && roles.modem !== undefined ? await startModem(s, roles.modem) : undefined
  if (modem !== undefined) made.modem = s.faulty(modem.role)
  if (!wanted.has('reader')) return undefined
  const visited = wanted.has('installer') ? roles.installer : undefined
  const password = drawPassword(() => world.random('installer/password'))
  const reader = s.keep(
    await referenceReader({
      ...s.o,
      ...(visited === undefined ? {} : { page: { port: visited.port, password: hashOf(password) } }),
      address: s.address(roles.reader?.at ?? 0),
      bench: s.bench,
      cloud,
      modem: () => modem?.line,
      lines: () => [...meters.values()].map((m) => m.line),
      async rewire(change) {
        for (const [role, m] of meters) if (change[role] !== undefined) await m.off()
        for (const [role, m] of meters) if (change[role] !== undefined) await m.on(change[role])
        if (change.modem !== undefined) await modem?.rewire(change.modem)
      },
      emitAs: (src) => s.o.emitAs(src),
    }),
  )
  made.reader = reader
  if (visited !== undefined)
    made.installer = makeInstaller({
      address: reader.hosts[0]?.address ?? '',
      port: visited.port,
      pki,
      realm: s.realm('installer', visited.at),
      emit: s.o.emitAs('installer'),
      password,
      cloud: {
        broker: cloud?.address ?? '127.0.0.1',
        port: String(cloud?.port ?? 1),
        clientId: readerName,
        publishTopic: readingsTopic,
        certificate: readFileSync(join(pki, 'ca.crt'), 'utf8'),
        meterType0: 'kaifa',
      },
    })
  return reader
}
