/** Makes a link by the name of its profile. */
import type { MakeLink } from '../faces.ts'
import { createLink } from './model.ts'
import { readLinkProfile } from './profile.ts'

export const makeLink: MakeLink = (o) =>
  createLink({ profile: readLinkProfile(o.profile), random: (s) => o.random(s), began: o.began })
