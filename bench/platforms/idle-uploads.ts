/** The role `uploads` on paper: it answers questions about itself and does nothing. */
import type { UploadInHand, Uploads } from '../faces.ts'
import { piece, version } from './upload-requests.ts'

/** Nothing happens; for rehearsals. */
export function idleUploads(step: () => Promise<null>): Uploads {
  const nothing = async (): Promise<void> => void (await step())
  const hand = (length: number): UploadInHand => ({
    length,
    offset: 0,
    append: nothing,
    ask: nothing,
    end: nothing,
    wakeGhost: nothing,
    finish: nothing,
    collect: nothing,
  })
  return {
    piece,
    series: (name, asked = '*') => ({ src: 'uploads', kind: 'seen', select: `uploads.${name}.${asked}` }),
    async look() {
      await step()
      return {
        status: 204,
        versions: [version],
        extensions: ['creation', 'checksum', 'expiration', 'termination'],
        'most [B]': 1_000_000,
        algorithms: ['sha1'],
      }
    },
    async begin(_, { length }) {
      await step()
      return hand(length)
    },
    unknown: () => hand(1000),
    async cut() {
      await step()
      return true
    },
    async outlast() {
      await step()
      return true
    },
  }
}
