/** A program that ends in the way that its configuration asks for. */
import type { ProgramEnv } from '../../../faces.ts'

export async function main(env: ProgramEnv): Promise<number> {
  const fail = (): never => {
    throw new Error('on purpose')
  }
  const forever = new Promise<never>(() => {})
  const how = env.config as string
  switch (how) {
    case 'timer':
      setTimeout(fail, 10)
      return forever
    case 'tick':
      setTimeout(() => process.nextTick(fail), 10)
      return forever
    case 'microtask':
      setTimeout(() => queueMicrotask(fail), 10)
      return forever
    case 'rejection':
      setTimeout(() => void Promise.reject(new Error('on purpose')), 10)
      return forever
    case 'main':
      await new Promise((done) => setTimeout(done, 10))
      return fail()
    case 'exit':
      setTimeout(() => process.exit(7), 10)
      return forever
    case 'term':
      await new Promise<void>((done) => env.term.addEventListener('abort', () => done(), { once: true }))
      return 5
    case 'child': {
      const child = await env.start('child', {
        entry: 'drivers/virtual/cases/programs/busy.ts',
        config: {},
        defects: [],
      })
      env.log({ child: await child.ended })
      return 0
    }
    case 'parent':
      await env.start('child', { entry: 'drivers/virtual/cases/programs/busy.ts', config: {}, defects: [] })
      return forever
    default:
      return 3
  }
}
