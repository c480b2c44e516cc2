/**
 * LV Network Meshing (M:0028 to M:0037): reads the three circuit breakers of a substation over one RS-485 line, and opens
 * and closes them at LoadSense's word.
 */
import { scalar, unixSeconds, type Message } from '../../api.ts'
import type { Json, ProgramEnv } from '../../env.ts'
import { runApp, sdkParts, type SdkParts } from '../../sdk/app.ts'
import { serialBus, type RegisterBlock, type RegisterBus } from '../../sdk/modbus.ts'
import { breakerAt, carryOut, type Breaker, type Tell } from './breaker.ts'
import type { MeshingConfig, Phase, Quantity } from './config.ts'
import { decode, disagree, trust, type Sample } from './decode.ts'
import { journalIn, type Journal } from './journal.ts'
import { judge, type Obeyed } from './obey.ts'
import { operateMeshing, recordOf, type Fact } from './operate.ts'
import { commandFilters, recordTopic, topicOf, type RecordName } from './topics.ts'

export interface MeshingParts extends SdkParts {
  bus(config: MeshingConfig): RegisterBus
  /** Address on the line of a phase's breaker. */
  unitOf(phase: Phase, purpose: 'reading' | 'command', config: MeshingConfig): number
  /** One block of registers, within `ms` milliseconds. */
  read(bus: RegisterBus, unit: number, block: RegisterBlock, ms: number): Promise<readonly number[]>
  readonly decode: typeof decode
  readonly trust: typeof trust
  /** Milliseconds from the start to the k-th output, k from 1; `interval` in ms. */
  due(k: number, interval: number): number
  /** Time stamp in Unix seconds, for what is published at `now` (ms since 1970). */
  stamp(now: number): number
  /** Topic below `sensor/data/<IID>/`. */
  topic(phase: Phase, quantity: Quantity, config: MeshingConfig): string
  compose(topic: string, sample: Sample, stamp: number, config: MeshingConfig): Message
  /** The messages of output k, in the order of their sending. */
  arrange(messages: readonly Message[], k: number): readonly Message[]
  /** The topics on which commands are heard. */
  filters(config: MeshingConfig): readonly string[]
  readonly judge: typeof judge
  recall(journal: Journal): readonly Obeyed[]
  remember(journal: Journal, obeyed: readonly Obeyed[]): void
  /** What is to be carried out at the start, of what was obeyed before: nothing. */
  resume(obeyed: readonly Obeyed[]): readonly Obeyed[]
  breaker(bus: RegisterBus, unit: number, config: MeshingConfig, tell: Tell): Breaker
  readonly carryOut: typeof carryOut
  /** A record of a command, or null: none. */
  record(iid: string, phase: Phase, name: RecordName, fact: Fact, stamp: number): Message | null
  readonly disagree: typeof disagree
}

export function parts(_config: Json): MeshingParts {
  return {
    ...sdkParts(),
    bus: (c) => serialBus(c.serial),
    unitOf: (phase, _purpose, c) => c.units[phase],
    read: (bus, unit, block, ms) => bus.read(unit, block, ms),
    decode,
    trust,
    due: (k, interval) => k * interval,
    stamp: unixSeconds,
    topic: topicOf,
    compose: (topic, { value, valid }, stamp, c) => ({
      topic,
      payload: scalar(stamp, value, valid, c.toStore),
      qos: 1,
      retain: false,
    }),
    arrange: (messages) => messages,
    filters: commandFilters,
    judge,
    recall: (journal) => journal.recall(),
    remember: (journal, obeyed) => journal.remember(obeyed),
    resume: () => [],
    breaker: breakerAt,
    carryOut,
    record: (iid, phase, name, fact, stamp) =>
      recordOf(recordTopic(iid, phase, name), fact.value, fact.valid, stamp, {
        ...(fact.errno === undefined ? {} : { Errno: fact.errno }),
        ...fact.more,
      }),
    disagree,
  }
}

export async function run(p: MeshingParts, env: ProgramEnv): Promise<number> {
  return runApp(p, env, operateMeshing(p, journalIn(env.disk)))
}

export async function main(env: ProgramEnv): Promise<number> {
  return run(parts(env.config), env)
}
