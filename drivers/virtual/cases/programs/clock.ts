/** A program that logs its clock each second. */
import type { ProgramEnv } from '../../../faces.ts'

export async function main(env: ProgramEnv): Promise<void> {
  for (;;) {
    await new Promise((done) => setTimeout(done, 1000))
    env.log({ date: Date.now() })
  }
}
