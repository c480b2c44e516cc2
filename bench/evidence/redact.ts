/**
 * Keeps secrets out of the evidence: keys, passwords, one-time-password seeds, meter numbers. Two ways: values that
 * were registered are taken out wherever they stand (also inside longer texts, as keys of objects, as numbers, and
 * in hex or base64 as wire bytes are written); values under a telling key name are taken out whatever they are.
 */
import { GridproofError } from '../../drivers/errors.ts'
import type { Json } from '../../drivers/faces.ts'

/** Key names whose values never reach the log; compared without case, `-` and `_`. Ours. */
const tellingKeys = [
  'password',
  'passwd',
  'passphrase',
  'secret',
  'clientsecret',
  'privatekey',
  'secretkey',
  'encryptionkey',
  'authenticationkey',
  'apikey',
  'accesstoken',
  'refreshtoken',
  'totp',
  'totpseed',
  'pin',
  'puk',
  'mpan',
  'mprn',
  'meternumber',
  'meterid',
]

const privateKeyBlock =
  /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z0-9 ]*PRIVATE KEY-----|$)/g

/**
 * Whether a text of somebody's holds what must not stand in evidence: a private key in PEM. For files that are kept as
 * they are (attachments), which nothing can be taken out of.
 */
export function holdsSecret(text: string): boolean {
  return /-----BEGIN [A-Z0-9 ]*PRIVATE KEY( BLOCK)?-----/.test(text)
}

const pemBody = /-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----([\s\S]*?)-----END [A-Z0-9 ]*PRIVATE KEY-----/g
/** What keys are written in. Long runs of it are rare: an event without one is searched for no key. */
const keyCharacters = 'A-Za-z0-9+/='
const isKeyLike = new RegExp(`^[${keyCharacters}]+$`)
/** Characters of base64 that a line of a key has at least to be known by itself. Ours. */
const shortestKeyLine = 16

const isKeyCharacter = Uint8Array.from({ length: 128 }, (_, c) =>
  isKeyLike.test(String.fromCharCode(c)) ? 1 : 0,
)

/** Length of the longest run of characters in which keys are written. Every event is looked at so: a loop is the fastest. */
function longestRun(text: string): number {
  let longest = 0
  let run = 0
  for (let i = 0; i < text.length; i++) {
    if (isKeyCharacter[text.charCodeAt(i)] === 1) run++
    else {
      if (run > longest) longest = run
      run = 0
    }
  }
  return Math.max(longest, run)
}

export interface Redactor {
  /**
   * Registers a secret. Its place in the log reads `[redacted <name>]`. Throws `bad-value` for a value of fewer
   * than 4 characters: it would blacken half the log and protect nothing.
   */
  add(name: string, value: string): void
  /** Registers a private key by its text in PEM: its lines, all of it in one line, and its bytes in hex. Others do nothing. */
  addKey(pem: string): void
  /** The same data without secrets, and its JSON text. Data without any is returned as it is. */
  clean(data: Json): { readonly data: Json; readonly text: string }
}

/** A redactor that knows the telling key names and nothing registered yet. */
export function redactor(): Redactor {
  const secrets: { readonly form: string; readonly inJson: string; readonly label: string }[] = []
  /** Those that only stand where a run of key characters is as long as they are, and the others, which may stand anywhere. */
  let keyLike: typeof secrets = []
  let others: typeof secrets = []
  let least: number | undefined
  const sort = (): void => {
    // The longest first, so that a secret inside another one does not spoil it.
    secrets.sort((a, b) => b.form.length - a.form.length)
    keyLike = secrets.filter((s) => s.form.length >= shortestKeyLine && isKeyLike.test(s.form))
    others = secrets.filter((s) => !keyLike.includes(s))
    const shortest = keyLike.at(-1)?.form.length
    least = shortest
  }
  const holdsOne = (text: string): boolean => {
    if (others.some((s) => text.includes(s.inJson))) return true
    if (least === undefined) return false
    const longest = longestRun(text)
    if (longest < least) return false
    return keyLike.some((s) => s.form.length <= longest && text.includes(s.inJson))
  }
  const register = (forms: readonly string[], label: string): void => {
    for (const form of new Set(forms))
      if (!secrets.some((s) => s.form === form))
        secrets.push({ form, inJson: JSON.stringify(form).slice(1, -1), label })
    sort()
  }
  const telling = new Set(tellingKeys)
  const names = tellingKeys.map((k) => k.split('').join('[-_]?')).join('|')
  // One look at the text decides for nearly every event; only a hit is walked through.
  const hint = new RegExp(`"(?:${names})\\\\*"\\s*:|PRIVATE KEY-----`, 'i')
  // Inside a text: a telling name and its value, as JSON that is quoted once, or again and again.
  const quoted = new RegExp(
    `((?<!\\\\)(\\\\*)"(?:${names})\\2"\\s*:\\s*)(?:\\2"(?!\\2").*?(?:(?<!\\\\)\\2"|$)|-?\\d[\\d.eE+-]*|\\[[^\\]]*\\]?|\\{[^}]*\\}?)`,
    'gis',
  )

  function cleanText(text: string): string {
    const whole = insideJson(text)
    if (whole !== undefined) return whole
    let out = text.includes('PRIVATE KEY-----') ? text.replace(privateKeyBlock, '[redacted key]') : text
    if (hint.test(out))
      out = out.replace(quoted, (_, name: string, q: string) => `${name}${q}"[redacted]${q}"`)
    for (const s of secrets) if (out.includes(s.form)) out = out.replaceAll(s.form, s.label)
    return out
  }

  /** A text that is JSON as a whole, and names something telling: the same without. Nothing for any other. */
  function insideJson(text: string): string | undefined {
    if (!/^\s*[{["]/.test(text) || !hint.test(text)) return undefined
    try {
      return JSON.stringify(walk(JSON.parse(text) as Json))
    } catch {
      return undefined
    }
  }

  function walk(data: Json): Json {
    if (typeof data === 'string') return cleanText(data)
    if (typeof data === 'number') {
      const text = String(data)
      return secrets.find((s) => s.form === text)?.label ?? data
    }
    if (data === null || typeof data === 'boolean') return data
    if (Array.isArray(data)) return data.map((d) => walk(d as Json))
    const out: Record<string, Json> = {}
    for (const [k, v] of Object.entries(data as { readonly [k: string]: Json })) {
      const hidden = telling.has(k.toLowerCase().replace(/[-_]/g, '')) && v !== null && v !== ''
      // An own property even where the key is `__proto__`.
      Object.defineProperty(out, cleanText(k), {
        value: hidden ? '[redacted]' : walk(v),
        enumerable: true,
        configurable: true,
        writable: true,
      })
    }
    return out
  }

  return {
    add(name, value) {
      if (value.length < 4)
        throw new GridproofError(
          'bad-value',
          `the secret '${name}' has ${value.length} characters; it needs 4`,
        )
      const label = `[redacted ${name}]`
      const bytes = Buffer.from(value, 'utf8')
      register(
        [value, bytes.toString('hex'), bytes.toString('hex').toUpperCase(), bytes.toString('base64')],
        label,
      )
    },
    addKey(pem) {
      for (const [, body = ''] of pem.matchAll(pemBody)) {
        const lines = body.split(/\s+/).filter((l) => isKeyLike.test(l))
        const whole = lines.join('')
        // A short last line is no secret, and stands in other texts too.
        const long = lines.filter((l) => l.length >= shortestKeyLine)
        const hex = Buffer.from(whole, 'base64').toString('hex')
        if (whole.length >= shortestKeyLine)
          register([whole, ...long, hex, hex.toUpperCase()], '[redacted key]')
      }
    },
    clean(data) {
      const text = JSON.stringify(data)
      const hit = hint.test(text) || holdsOne(text)
      if (!hit) return { data, text }
      const cleaned = walk(data)
      return { data: cleaned, text: JSON.stringify(cleaned) }
    },
  }
}
