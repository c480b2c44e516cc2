/** Everything that the explorer of crash states can try. */
import { ours } from './ours.ts'
import type { Subject } from './subject.ts'
import { textbook } from './textbook.ts'

export type { Kept, Subject } from './subject.ts'

export const subjects: readonly Subject[] = [...ours, ...textbook]
