/** Somebody's server of resumable uploads, as a lab's rig file names it: role `uploads`. */
import { isAbsolute, join } from 'node:path'
import { z } from 'zod'

const text = z.string().min(1)
const command = z.array(text).min(1)

export const labUploads = z
  .strictObject({
    /** Where a new upload is made by POST. */
    url: z.url({ protocol: /^https?$/, error: 'expected an address such as https://192.0.2.7:8443/files' }),
    /** PEM files, from the rig file's folder. Without `ca`: the authorities that Node knows. */
    tls: z
      .strictObject({
        ca: text.optional(),
        cert: text.optional(),
        key: text.optional(),
        /** Name in the server's certificate, where it is not that of the address. */
        serverName: text.optional(),
      })
      .refine((t) => (t.cert === undefined) === (t.key === undefined), {
        message: 'expected cert and key together, or neither',
      })
      .optional(),
    /** A file with a header a line (`Authorization: ...`), sent with every request. */
    headersFile: text.optional(),
    /** Upload-Metadata of every upload. */
    metadata: z.record(z.string().regex(/^[\x21-\x2b\x2d-\x7e]+$/), z.string()).default({}),
    /** How a complete upload is read back: by GET at its own address, or not at all. */
    reads: z.enum(['get', 'none']).default('none'),
    /** Prints a line for each object that the server has made, with the last part of its upload's address in it. */
    lists: command.optional(),
    /** Commands that take the server's power and give it back; with `--arm` alone. */
    power: z
      .strictObject({
        cut: command,
        restore: command,
        upWithinSeconds: z.int().min(1).max(600).default(120),
      })
      .optional(),
  })
  .refine((u) => u.tls === undefined || u.url.startsWith('https:'), {
    path: ['tls'],
    message: 'expected an address of https: beside tls',
  })

export type LabUploads = z.infer<typeof labUploads>

/** The same with paths from a folder made absolute. */
export function uploadsFrom(u: LabUploads, folder: string): LabUploads {
  const from = (path: string): string => (isAbsolute(path) ? path : join(folder, path))
  const { tls } = u
  return {
    ...u,
    ...(u.headersFile === undefined ? {} : { headersFile: from(u.headersFile) }),
    ...(tls === undefined
      ? {}
      : {
          tls: {
            ...tls,
            ...(tls.ca === undefined ? {} : { ca: from(tls.ca) }),
            ...(tls.cert === undefined ? {} : { cert: from(tls.cert) }),
            ...(tls.key === undefined ? {} : { key: from(tls.key) }),
          },
        }),
  }
}
