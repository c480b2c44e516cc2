import type { IncomingMessage } from 'node:http'

/** The body of a request; undefined, and no more of it is read, where it is longer than `longest` bytes. */
export function bodyOf(request: IncomingMessage, longest: number): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > longest) {
        resolve(undefined)
        request.pause()
      } else chunks.push(chunk)
    })
    request.on('end', () => resolve(Buffer.concat(chunks)))
    request.on('error', reject)
  })
}
