/** A program that uses the real Math.random; see escapes.test.ts. */
import { connect, createServer } from 'node:net'
import type { Json } from '../../faces.ts'
import type { Installed } from '../install.ts'
import { saved } from './preload.ts'

export async function task({ kernel }: Installed, arg: Json): Promise<Json> {
  const { into, random } = arg as { into: 'delay' | 'bytes'; random: 'real' | 'virtual' }
  const chance = random === 'real' ? saved.random : Math.random
  await kernel.run(async () => {
    createServer((s) => s.pipe(s)).listen(7)
    const socket = connect(7)
    socket.resume()
    for (let i = 0; i < 2000; i++) {
      await new Promise((done) => setTimeout(done, 10))
      const n = i < 1500 ? 0.5 : chance()
      if (into === 'delay') await new Promise((done) => setTimeout(done, 1 + n * 1000)) // diverges by delay
      if (into === 'bytes') socket.write(`value ${n.toFixed(6)}`) // diverges by bytes
      else socket.write('value')
    }
  })
  return kernel.summary() as never
}
