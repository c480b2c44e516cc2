/**
 * Runs a program of the reference platform with defects. Its configuration is `{ app, config }`: the module as shipped, and
 * what that is given. Programs started by the program come through here too, so that a defect reaches any of them; without
 * defects everything is as shipped.
 *
 * The log says `{ event: 'defect', phase: 'applied' | 'reached', defect }`, each once for each start of a program; of a
 * mutation also `change`, what it changed.
 */
import { GridproofError } from '../../drivers/errors.ts'
import type { Json, ProgramEnv, ProgramModule } from '../../drivers/faces.ts'
import { others, wrappables } from './apps.ts'
import { defectOf } from './index.ts'

export const launcher = 'sim/defects/launch.ts'

/** @throws GridproofError `no-such` for an unknown defect, `bad-value` for a configuration without app. */
export async function main(env: ProgramEnv): Promise<number | void> {
  const { app: entry, config } = readConfig(env.config)
  const asked = env.defects.map((id) => defectOf(id))
  const inner: ProgramEnv = {
    name: env.name,
    address: env.address,
    disk: env.disk,
    config,
    defects: [],
    term: env.term,
    log: (line) => env.log(line),
    start: (name, program) =>
      env.start(name, {
        entry: launcher,
        config: { app: program.entry, config: program.config },
        defects: env.defects,
      }),
  }
  const app = wrappables.get(entry)
  if (app === undefined) {
    // Somebody else's program, without parts that we know: it runs as it is.
    const module =
      others.get(entry) ?? ((await import(new URL(`../../${entry}`, import.meta.url).href)) as ProgramModule)
    return module.main(inner)
  }
  const mine = asked.filter((d) => d.app === app.id).map((d) => d.id)
  const reached = new Set<string>()
  for (const defect of mine) env.log({ event: 'defect', phase: 'applied', defect })
  return app.run(inner, mine, (defect, change) => {
    if (reached.has(defect)) return
    reached.add(defect)
    env.log({ event: 'defect', phase: 'reached', defect, ...(change === undefined ? {} : { change }) })
  })
}

function readConfig(given: Json): { readonly app: string; readonly config: Json } {
  if (typeof given === 'object' && given !== null && 'app' in given && 'config' in given) {
    if (typeof given.app === 'string' && given.config !== undefined) {
      return { app: given.app, config: given.config }
    }
  }
  throw new GridproofError(
    'bad-value',
    'the launcher is given { app, config }: a module path and its configuration',
  )
}
