/** The Data Upload application (OpenLV 3.12.4): what Data Storage holds, to the data centre. */
import { join } from 'node:path'
import { parseConfig } from '../../config.ts'
import type { Json, ProgramEnv } from '../../env.ts'
import { runApp } from '../../sdk/app.ts'
import { uploadSchema } from '../../upload/config.ts'
import { operateUpload, uploadParts, type UploadParts } from '../../upload/engine.ts'

export function parts(_config: Json): UploadParts {
  return uploadParts()
}

export async function run(p: UploadParts, env: ProgramEnv): Promise<number> {
  return runApp(p, env, (containerConfig, context) =>
    operateUpload(
      p,
      parseConfig(uploadSchema, containerConfig, 'the configuration of the Data Upload application'),
      context,
      join(env.disk, 'upload'),
    ),
  )
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}
