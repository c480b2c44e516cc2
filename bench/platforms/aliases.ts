/**
 * Topic names of LV-CAP platforms, and the aliases under which scenarios and checks speak of them.
 * Two profiles: `spec` (OpenLV requirements, Appendix C section 4, and LV-CAP API 4.4) and `openlv-2018` (as fielded
 * in the trials: topics read in public make files of that time). The `openlv-2018` names of power factor, real and
 * reactive power and L-L voltage are ours, in the style of the fielded ones.
 * An alias of a measured value is `<role>.<quantity without unit>`.
 */

export type TopicProfile = 'spec' | 'openlv-2018'

/** Which instance of which app stands behind a role. */
export interface RoleApps {
  /** IID of the feeder monitor's sensor app. */
  readonly gridkey: string
  /** IID of the temperature sensor app. */
  readonly thermocouple: string
  /** IID of the app that reads the thermocouple module of another make. */
  readonly adam?: string
  /** Apps of LV automation: their names here by IID. What they publish is `<name>.<rest of the topic, joined by dots>`. */
  readonly automation?: ReadonlyMap<string, string>
}

const phases = ['l1', 'l2', 'l3'] as const
const feeders = [1, 2, 3, 4, 5] as const
const inputs = ['ambient', 'indoor', 'top_oil'] as const

/** Measured channels of the feeder monitor: 6 voltages, and 4 quantities of 15 feeder phases. */
export const gridkeyChannels: readonly string[] = [
  ...['l1n', 'l2n', 'l3n', 'l1l2', 'l2l3', 'l3l1'].map((v) => `gridkey.busbar.${v}.voltage`),
  ...feeders.flatMap((f) =>
    phases.flatMap((p) =>
      ['current', 'power_factor', 'real_power', 'reactive_power'].map((q) => `gridkey.feeder${f}.${p}.${q}`),
    ),
  ),
]

/** What an app may publish beyond them ("other measurement data", Appendix C section 2.4). */
const gridkeyFrequency = 'gridkey.busbar.frequency'

/** Measured channels of the temperature module (I:0049, I:0050, I:0051). */
export const temperatureChannels: readonly string[] = inputs.map((i) => `thermocouple.${i}.temperature`)

/** Those of the module of another make. */
export const adamChannels: readonly string[] = inputs.map((i) => `adam.${i}.temperature`)

/** Values of a breaker: as the requirements name them (M:0029), and as fielded in 2018. */
const alvinQuantities: readonly (readonly [alias: string, spec: string, fielded: string])[] = [
  ['bus_voltage', 'MIR_BUS_VOLTAGE_RMS', 'busbar_voltage'],
  ['cable_voltage', 'MIR_CABLE_VOLTAGE_RMS', 'cable_voltage'],
  ['link_current', 'MIR_LINK_CURRENT_RMS', 'load_current'],
  ['active_power', 'MIR_ACTIVE_POWER', 'active_power'],
  ['reactive_power', 'MIR_REACTIVE_POWER', 'reactive_power'],
  ['open_operations', 'MIR_OPEN_OPERATIONS', 'open_operations'],
  ['close_operations', 'MIR_CLOSE_OPERATIONS', 'close_operations'],
  ['watchdog_faults', 'MIR_WATCHDOG_FAULTS_DETECTED', 'watchdog_count'],
  ['chip_temperature', 'MIR_CHIP_TEMPERATURE', 'cpu_temperature'],
  ['switch_temperature', 'MIR_SWITCH_TEMPERATURE', 'switch_temperature'],
  ['uptime', 'MIR_UPTIME_HIGH', 'uptime'],
  ['fault_status', 'MHR_SHADOW_FAULT_STATUS', 'fault_flags'],
]

/** The twelve values of each of the three breakers. */
export const alvinChannels: readonly string[] = phases.flatMap((p) =>
  alvinQuantities.map(([q]) => `alvin.${p}.${q}`),
)

/** Every alias of a measured value: whatever else a topic might spell is no channel. */
const measured: ReadonlySet<string> = new Set([
  ...gridkeyChannels,
  gridkeyFrequency,
  ...temperatureChannels,
  ...adamChannels,
  ...alvinChannels,
])

/** Hostile clients choose topics: so many names are remembered at most, and none that is longer than any of ours. */
const mostNames = 10_000
const longestTopic = 256

/** Makes the function from a topic to its alias; `unknown` where the table has no name for it. Never throws. */
export function aliasTable(apps: RoleApps): (topic: string) => string {
  const known = new Map<string, string>()
  return (topic) => {
    if (topic.length > longestTopic) return unknown
    let alias = known.get(topic)
    if (alias === undefined) {
      alias = aliasOf(topic, apps)
      if (known.size < mostNames) known.set(topic, alias)
    }
    return alias
  }
}

const unknown = 'unknown'

function aliasOf(topic: string, apps: RoleApps): string {
  const t = topic.split('/')
  const [a, b, c = '', d = ''] = t
  if (a === 'sensor' && b === 'data') return sensorAlias(c, t.slice(3), apps) ?? unknown
  if (topic === 'status/request') return 'status.request'
  const deep = t.length
  if (a === 'status' && b === 'response' && deep === 3 && c !== '') return `status.response.${c}`
  if (a === 'config' && b !== undefined && b !== '' && deep === 3 && c !== '') return `config.${b}.${c}`
  if (a === 'command' && b !== undefined && b !== '' && deep === 2) return `command.${b}`
  // What scripted apps publish as a sign of life.
  if (a === 'algorithm' && b === 'data' && d === 'pulse' && deep === 4) return `pulse.${c}`
  const automation = a === 'algorithm' && b === 'data' ? apps.automation?.get(c) : undefined
  if (automation !== undefined) return automationAlias(automation, t.slice(3)) ?? unknown
  // What an upload app tells Data Storage that it has uploaded.
  const uploads = a === 'storage' && b === 'uploaded' && deep === 3 ? apps.automation?.get(c) : undefined
  if (uploads !== undefined) return `${uploads}.reported`
  // What Data Storage answers when it asks for what was not uploaded yet.
  const asks = a === 'storage' && b === 'response' && c === 'newdata' && deep === 4
  const asking = asks ? apps.automation?.get(d) : undefined
  if (asking !== undefined) return `${asking}.queue`
  if (a === 'storage' && b === 'data' && c === 'error' && deep === 4 && d !== '') return `error.${d}`
  return unknown
}

/** Alias of a measurement or of its metadata, from what follows the instance in its topic. */
function sensorAlias(iid: string, t: readonly string[], apps: RoleApps): string | undefined {
  const last = t.at(-1)
  const about = last === 'metadata' || last === 'meta'
  const names = about ? t.slice(0, -1) : t
  const alias =
    iid === apps.gridkey
      ? gridkeyAlias(names)
      : iid === apps.thermocouple
        ? temperatureAlias(names, 'thermocouple')
        : iid === apps.adam
          ? temperatureAlias(names, 'adam')
          : apps.automation?.get(iid) === 'meshing'
            ? alvinAlias(names)
            : undefined
  if (alias === undefined || !measured.has(alias)) return undefined
  return about ? `metadata.${alias}` : alias
}

/** `Busbar/voltage/60s/L1-N_RMS`, `Feeder1/current/60s/L1_RMS`. */
function gridkeyAlias(t: readonly string[]): string | undefined {
  const [top = '', quantity = '', , name = ''] = t
  if (top === 'gridkey-mcu520') return fieldedGridkey(t.slice(2))
  if (t.length !== 4) return undefined
  if (top === 'Busbar' && quantity === 'frequency') return name === 'Hz' ? gridkeyFrequency : undefined
  if (top === 'Busbar' && quantity === 'voltage') {
    const m = /^(L[123])-(N|L[123])_RMS$/.exec(name)
    return m === null ? undefined : `gridkey.busbar.${m[1]}${m[2]}.voltage`.toLowerCase()
  }
  const feeder = /^Feeder([1-5])$/.exec(top)
  const phase = /^L([123])(?:_RMS)?$/.exec(name)
  if (feeder === null || phase === null) return undefined
  return `gridkey.feeder${feeder[1]}.l${phase[1]}.${quantity}`
}

/** After `gridkey-mcu520/<seconds>/`: `busbar/l1/voltage-mean`, `feeder/1/l1/current-mean`. */
function fieldedGridkey(t: readonly string[]): string | undefined {
  if (t[0] === 'busbar' && t[1] === 'frequency-mean' && t.length === 2) return gridkeyFrequency
  if (t[0] === 'busbar' && t[2] === 'voltage-mean' && t.length === 3) {
    const m = /^(l[123])(?:-(l[123]))?$/.exec(t[1] ?? '')
    return m === null ? undefined : `gridkey.busbar.${m[1]}${m[2] ?? 'n'}.voltage`
  }
  if (t[0] !== 'feeder' || t.length !== 4) return undefined
  const quantity = /^([a-z]+(?:-[a-z]+)*)-mean$/.exec(t[3] ?? '')?.[1]?.replaceAll('-', '_')
  return quantity === undefined ? undefined : `gridkey.feeder${t[1]}.${t[2]}.${quantity}`
}

/** `L1/MIR_BUS_VOLTAGE_RMS`; as fielded `feeder1/l1/busbar_voltage`. */
function alvinAlias(t: readonly string[]): string | undefined {
  const [phase, name, by] =
    t.length === 2 ? [t[0]?.toLowerCase(), t[1], 1] : t[0] === 'feeder1' ? [t[1], t[2], 2] : []
  const quantity = alvinQuantities.find((q) => by !== undefined && q[by] === name)?.[0]
  return quantity === undefined ? undefined : `alvin.${phase}.${quantity}`
}

/** Any sub-topic that names one of the inputs: temperature topics are given by no document. */
function temperatureAlias(t: readonly string[], role: string): string | undefined {
  const name = (t[0] ?? '').toLowerCase().replaceAll(/[-_ ]/g, '')
  const bare = name.replace(/temperature$/, '')
  // The fielded name of the ambient air's temperature is `outside_temperature`.
  const input = bare === 'outside' ? 'ambient' : inputs.find((i) => i.replace('_', '') === bare)
  return input === undefined ? undefined : `${role}.${input}.temperature`
}

/** Levels that an automation app's topic may have after its instance, and how each is spelled. Ours. */
const mostLevels = 6
const level = /^[a-z0-9][a-z0-9_-]*$/

/** `operation/l1/before`, of the meshing app: `meshing.operation.l1.before`. */
function automationAlias(app: string, t: readonly string[]): string | undefined {
  const fits = t.length > 0 && t.length <= mostLevels && t.every((part) => level.test(part))
  return fits ? [app, ...t].join('.') : undefined
}
