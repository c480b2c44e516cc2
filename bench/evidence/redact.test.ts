import { generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Json } from '../../drivers/faces.ts'
import { redactor } from './redact.ts'

describe('redaction', () => {
  it('leaves data without secrets as they are', () => {
    const data = { alias: 'gridkey.x', payload: { Value: 1.5, key: 'busbar', pins: 4 } }
    expect(redactor().clean(data).data).toBe(data)
  })

  it('hides what stands under a telling key, however it is written', () => {
    const data = {
      Password: 'a',
      private_key: { der: 'x' },
      'totp-seed': 'JBSW',
      MPAN: 123,
      empty: { password: '' },
    }
    expect(redactor().clean(data).data).toEqual({
      Password: '[redacted]',
      private_key: '[redacted]',
      'totp-seed': '[redacted]',
      MPAN: '[redacted]',
      empty: { password: '' },
    })
  })

  it('finds each form of a key and of a short secret in any text around it', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    const lines = pem.split('\n').filter((l) => /^[A-Za-z0-9+/=]{16,}$/.test(l))
    const whole = pem
      .split('\n')
      .filter((l) => !l.includes('-'))
      .join('')
    const hex = Buffer.from(whole, 'base64').toString('hex')
    const r = redactor()
    r.add('word', 'geheim"7')
    r.addKey(pem)
    const forms = [
      ...lines,
      whole,
      hex,
      hex.toUpperCase(),
      'geheim"7',
      Buffer.from('geheim"7').toString('hex'),
    ]
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...forms), fc.string(), (before, secret, after) => {
        const text = r.clean({ topic: 'a/b', payload: [`${before}${secret}${after}`] }).text
        expect(text).not.toContain(JSON.stringify(secret).slice(1, -1))
        expect(text).toContain('[redacted')
      }),
    )
  })

  it('hides a registered value in texts, keys, numbers, hex and base64', () => {
    const r = redactor()
    r.add('meter', '2000024512368')
    const hex = Buffer.from('2000024512368').toString('hex')
    const base64 = Buffer.from('2000024512368').toString('base64')
    const { data, text } = r.clean({
      topic: 'meter/2000024512368/kWh',
      '2000024512368': 1,
      n: 2000024512368,
      frame: `7e${hex}7e`,
      b: [base64],
    })
    expect(data).toEqual({
      topic: 'meter/[redacted meter]/kWh',
      '[redacted meter]': 1,
      n: '[redacted meter]',
      frame: '7e[redacted meter]7e',
      b: ['[redacted meter]'],
    })
    expect(JSON.parse(text)).toEqual(data)
  })

  it('hides private keys in PEM, also cut ones', () => {
    const pem = '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----\n'
    expect(redactor().clean({ a: `x ${pem}y`, b: pem.slice(0, 40) }).data).toEqual({
      a: 'x [redacted key]\ny',
      b: '[redacted key]',
    })
  })

  it('refuses a secret that is too short to be told from anything else', () => {
    expect(() => redactor().add('pin', '123')).toThrow(/needs 4/)
  })

  it('lets no registered value through, wherever it stands', () => {
    const secret = fc
      .string({ minLength: 6, maxLength: 20, unit: 'binary' })
      .filter((s) => !'[redacted s]'.includes(s))
    fc.assert(
      fc.property(secret, fc.jsonValue({ maxDepth: 3 }), fc.string(), (s, around, pad) => {
        const r = redactor()
        r.add('s', s)
        const { data } = r.clean({ around, inside: [pad + s + pad, { [s]: s }] } as Json)
        const texts: string[] = []
        JSON.stringify(data, (k: string, v: unknown) => {
          texts.push(k)
          if (typeof v === 'string') texts.push(v)
          return v
        })
        expect(texts.filter((t) => t.includes(s))).toEqual([])
      }),
    )
  })
})

it('a private key is known without its PEM head: by a line, in one line, and by its bytes in hex', () => {
  for (const pem of [
    generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    generateKeyPairSync('rsa', { modulusLength: 1024 })
      .privateKey.export({ type: 'pkcs1', format: 'pem' })
      .toString(),
  ]) {
    const r = redactor()
    r.addKey(pem)
    r.addKey('no key at all')
    const lines = pem.split('\n').filter((l) => l.length >= 16 && !l.startsWith('-'))
    const hex = Buffer.from(lines.join(''), 'base64').toString('hex')
    for (const text of [...lines, lines.join(''), hex, hex.toUpperCase()]) {
      const { text: clean } = r.clean({ seen: `before ${text} after`, list: [text] })
      expect(clean).not.toContain(text)
      expect(clean).toContain('before [redacted key]')
    }
  }
})

it('hides what stands under a telling key in JSON that is the value of a text, quoted once or again', () => {
  const inner = {
    mpan: '2000055555555',
    n: { Password: 'a "quoted" \\\\ one', 'totp-seed': ['JBSW'], pin: 4711 },
    kept: 'yes',
  }
  const once = JSON.stringify(inner)
  const twice = JSON.stringify(once)
  const flat = JSON.stringify({ MPAN: '2000055555555', password: 'a "quoted" one', pin: 4711, kept: 'yes' })
  for (const text of [
    once,
    twice,
    JSON.stringify([once, { twice }]),
    `the app said ${flat} and left`,
    `the app said ${JSON.stringify(flat)} and left`,
    `cut off ${flat.slice(0, 40)}`,
  ]) {
    const clean = redactor().clean({ payload: { notJson: text } }).text
    for (const secret of ['2000055555555', 'quoted', 'JBSW', '4711'])
      expect(clean, text).not.toContain(secret)
    if (!text.startsWith('cut')) expect(clean).toContain('yes')
  }
})
