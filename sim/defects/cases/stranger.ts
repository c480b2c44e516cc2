/** A program that knows no parts: for launch.test.ts. */
import type { ProgramEnv } from '../../../drivers/faces.ts'

export function main(env: ProgramEnv): Promise<number> {
  const { say } = env.config as { readonly say: string }
  env.log({ said: say, defects: env.defects })
  return Promise.resolve(3)
}
