/** Ways in which a server that takes uploads, as the bench plays it, can leave its door open (OpenLV M:0057, M:0068, M:0069). */
import type { TlsOptions } from 'node:tls'
import type { CentreOptions } from '../faces.ts'
import { listOf, type Defect } from './defect.ts'

/** Its door in parts. */
export interface DataServerParts {
  /** What TLS asks of whoever comes. */
  door(sound: TlsOptions): TlsOptions
  /** Whether somebody of this name may upload for this RTU; `sound`: as it should be. */
  mayUpload(name: string, rtu: string, sound: boolean): boolean
  /** Under which RTU a batch is kept that came for one. */
  keptFor(rtu: string): string
}

export const soundServer: DataServerParts = {
  door: (sound) => sound,
  mayUpload: (_name, _rtu, sound) => sound,
  keptFor: (rtu) => rtu,
}

export const dataServerDefects: readonly Defect<DataServerParts>[] = listOf<DataServerParts>(
  'data-server',
  'defect',
  {
    'lets-anybody-in': [
      'Asks for a certificate, and takes whatever name stands on it.',
      (p, reached) => ({
        ...p,
        door(sound) {
          reached()
          return { ...p.door(sound), rejectUnauthorized: false }
        },
      }),
    ],
    'knows-no-revocations': [
      'Lets somebody in whose certificate has been revoked.',
      (p, reached) => ({
        ...p,
        door(sound) {
          reached()
          const { crl: _crl, ...rest } = p.door(sound)
          return rest
        },
      }),
    ],
    'takes-from-anyone': [
      'Takes uploads for a platform from everybody who has a certificate of the authority.',
      (p, reached) => ({
        ...p,
        mayUpload(_name, _rtu, sound) {
          if (!sound) reached()
          return true
        },
      }),
    ],
    'takes-for-any-platform': [
      'Takes uploads of an app for a platform that is not its own.',
      (p, reached) => {
        const known = new Set<string>()
        return {
          ...p,
          mayUpload(name, _rtu, sound) {
            if (sound) known.add(name)
            if (sound || !known.has(name)) return sound
            reached()
            return true
          },
        }
      },
    ],
    'keeps-all-in-one-place': [
      'Keeps what comes from every platform under the RTU of the first.',
      (p, reached) => {
        let first: string | undefined
        return {
          ...p,
          keptFor(rtu) {
            first ??= p.keptFor(rtu)
            if (p.keptFor(rtu) !== first) reached()
            return first
          },
        }
      },
    ],
    'agrees-to-old-tls': [
      'Agrees to TLS 1.0 and 1.1 with whoever wants it.',
      (p, reached) => ({
        ...p,
        door(sound) {
          reached()
          return { ...p.door(sound), minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0' }
        },
      }),
    ],
  },
)

/** A server's options with those of these defects that are of such a server. `note` hears of each, once, that it is applied, and that it is reached. */
export function breakServer<O extends Omit<CentreOptions, 'tell'>>(
  o: O,
  ids: readonly string[],
  note: (phase: 'applied' | 'reached', defect: string) => void,
): O {
  const mine = dataServerDefects.filter((d) => ids.includes(d.id))
  if (mine.length === 0) return o
  const told = new Set<string>()
  const parts = mine.reduce((p, d) => {
    note('applied', d.id)
    return d.wrap(p, () => {
      if (told.has(d.id)) return
      told.add(d.id)
      note('reached', d.id)
    })
  }, soundServer)
  return {
    ...o,
    mayUpload: (name, rtu) => parts.mayUpload(name, rtu, o.mayUpload(name, rtu)),
    seams: { ...o.seams, door: (sound) => parts.door(sound), keptFor: (rtu) => parts.keptFor(rtu) },
  }
}
