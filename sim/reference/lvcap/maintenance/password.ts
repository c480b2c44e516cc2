/** Passwords as scrypt hashes (RFC 7914), so that a stolen configuration does not tell them. */
import { randomBytes, scrypt, scryptSync, timingSafeEqual } from 'node:crypto'

/** None of its parameters is 0, which Node takes for its own default. */
export const passwordPattern =
  /^scrypt:[1-9]\d{3,6}:[1-9]\d{0,2}:[1-9]\d{0,2}:[A-Za-z0-9+/]{16,}={0,2}:[A-Za-z0-9+/]{32,}={0,2}$/

export interface Cost {
  /** CPU and memory cost, a power of two. */
  readonly n: number
  readonly r: number
  readonly p: number
}

/** RFC 7914's parameters for interactive log-in, doubled until it takes some 100 ms on a small PC. */
export const usualCost: Cost = { n: 32_768, r: 8, p: 1 }

const bytes = 32

/** `scrypt:<N>:<r>:<p>:<salt>:<hash>`, the last two in base64. */
export function hashPassword(password: string, cost: Cost = usualCost): string {
  const salt = randomBytes(16)
  const { n: N, r, p } = cost
  const hash = scryptSync(password.normalize('NFC'), salt, bytes, { N, r, p, maxmem: memory(cost) })
  return `scrypt:${N}:${r}:${p}:${salt.toString('base64')}:${hash.toString('base64')}`
}

/** Whether a password is the one of a hash. Takes the same time whichever it is. False for what is no hash. */
export async function verifyPassword(password: string, stored: string): Promise<boolean> {
  if (!passwordPattern.test(stored)) return false
  const [, n, r, p, salt = '', hash = ''] = stored.split(':')
  const cost = { n: Number(n), r: Number(r), p: Number(p) }
  const wanted = Buffer.from(hash, 'base64')
  const options = { N: cost.n, r: cost.r, p: cost.p, maxmem: memory(cost) }
  const got = await new Promise<Buffer | undefined>((resolve) => {
    try {
      scrypt(password.normalize('NFC'), Buffer.from(salt, 'base64'), wanted.length, options, (error, key) =>
        resolve(error === null ? key : undefined),
      )
    } catch {
      // Parameters that scrypt does not take: nobody is let in by them.
      resolve(undefined)
    }
  })
  return got !== undefined && got.length === wanted.length && timingSafeEqual(got, wanted)
}

/** Twice what scrypt needs (128 N r bytes). */
function memory({ n, r }: Cost): number {
  return 256 * n * r
}
