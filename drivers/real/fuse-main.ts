/**
 * A disk that remembers what it is told. Arguments: where to mount, the image that it begins with, where to write the log when
 * it is unmounted. Looking for any other name than `disk` sets a mark of that name.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { serveFile } from './fuse-file.ts'
import { encodeEntry } from './write-log.ts'

function main(): void {
  const [at = '', image = '', logFile = ''] = process.argv.slice(2)
  const disk = readFileSync(image)
  const log: Buffer[] = []
  serveFile(
    at,
    {
      size: disk.length,
      read: (from, length) => disk.subarray(from, from + length),
      write(to, bytes) {
        disk.set(bytes, to)
        log.push(encodeEntry({ kind: 'write', at: to, bytes }))
      },
      flush: () => void log.push(encodeEntry({ kind: 'flush' })),
      named: (name) => void log.push(encodeEntry({ kind: 'mark', name })),
    },
    () => process.stdout.write('ready\n'),
  )
  writeFileSync(logFile, Buffer.concat(log))
}

main()
