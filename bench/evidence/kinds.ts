/** Every kind of event, as a list: for whoever must tell a log's own words from garbage. */
import type { Kind } from '../faces.ts'

export const eventKinds = [
  'run',
  'said',
  'seen',
  'sent',
  'wire',
  'fault',
  'host',
  'link',
  'step',
  'check',
  'note',
  'end',
] as const satisfies readonly Kind[]
