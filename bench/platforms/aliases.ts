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

/** Measured channels of the temperature module (I:0049, I:0050, I:0051). */
export const temperatureChannels: readonly string[] = inputs.map((i) => `thermocouple.${i}.temperature`)

const specQuantity: Readonly<Record<string, string>> = {
  current: 'current',
  power_factor: 'power_factor',
  real_power: 'real_power',
  reactive_power: 'reactive_power',
}

const fieldedQuantity: Readonly<Record<string, string>> = {
  'current-mean': 'current',
  'power-factor-mean': 'power_factor',
  'real-power-mean': 'real_power',
  'reactive-power-mean': 'reactive_power',
}

/** Makes the function from a topic to its alias; `unknown` where the table has no name for it. */
export function aliasTable(apps: RoleApps): (topic: string) => string {
  const known = new Map<string, string>()
  return (topic) => {
    let alias = known.get(topic)
    if (alias === undefined) {
      alias = aliasOf(topic, apps)
      // Hostile clients choose topics: the memory of names is bounded.
      if (known.size < 10_000) known.set(topic, alias)
    }
    return alias
  }
}

function aliasOf(topic: string, apps: RoleApps): string {
  const t = topic.split('/')
  const [a, b, iid] = t
  if (a === 'sensor' && b === 'data' && iid === apps.gridkey) return gridkeyAlias(t.slice(3)) ?? 'unknown'
  if (a === 'sensor' && b === 'data' && iid === apps.thermocouple)
    return temperatureAlias(t.slice(3)) ?? 'unknown'
  if (topic === 'status/request') return 'status.request'
  if (a === 'status' && b === 'response' && iid !== undefined) return `status.response.${iid}`
  if (a === 'config' && b !== undefined && iid !== undefined) return `config.${b}.${iid}`
  if (a === 'command' && b !== undefined) return `command.${b}`
  if (a === 'storage' && b === 'data' && iid === 'error') return `error.${t[3] ?? ''}`
  return 'unknown'
}

function gridkeyAlias(t: readonly string[]): string | undefined {
  const last = t.at(-1)
  if (last === 'metadata' || last === 'meta') {
    const inner = gridkeyAlias(t.slice(0, -1))
    return inner === undefined ? undefined : `metadata.${inner}`
  }
  if (t[0] === 'gridkey-mcu520') return fieldedGridkey(t.slice(2))
  if (t[0] === 'Busbar' && t[1] === 'voltage' && t.length === 4) {
    const m = /^L([123])-(N|L[123])_RMS$/.exec(t[3] ?? '')
    return m === null ? undefined : `gridkey.busbar.l${m[1]}${(m[2] ?? '').toLowerCase()}.voltage`
  }
  const feeder = /^Feeder([1-5])$/.exec(t[0] ?? '')
  const quantity = specQuantity[t[1] ?? '']
  const phase = /^L([123])(?:_RMS)?$/.exec(t[3] ?? '')
  if (feeder === null || quantity === undefined || phase === null || t.length !== 4) return undefined
  return `gridkey.feeder${feeder[1]}.l${phase[1]}.${quantity}`
}

/** After `gridkey-mcu520/<seconds>/`: `busbar/l1/voltage-mean`, `feeder/1/l1/current-mean`. */
function fieldedGridkey(t: readonly string[]): string | undefined {
  if (t[0] === 'busbar' && t[2] === 'voltage-mean' && t.length === 3) {
    const single = /^l([123])$/.exec(t[1] ?? '')
    if (single !== null) return `gridkey.busbar.l${single[1]}n.voltage`
    const pair = /^l([123])-l([123])$/.exec(t[1] ?? '')
    return pair === null ? undefined : `gridkey.busbar.l${pair[1]}l${pair[2]}.voltage`
  }
  const quantity = fieldedQuantity[t[3] ?? '']
  if (t[0] !== 'feeder' || quantity === undefined || t.length !== 4) return undefined
  if (!/^[1-5]$/.test(t[1] ?? '') || !/^l[123]$/.test(t[2] ?? '')) return undefined
  return `gridkey.feeder${t[1]}.${t[2]}.${quantity}`
}

/** Any sub-topic that names one of the inputs: temperature topics are given by no document. */
function temperatureAlias(t: readonly string[]): string | undefined {
  const last = t.at(-1)
  if (last === 'metadata' || last === 'meta') {
    const inner = temperatureAlias(t.slice(0, -1))
    return inner === undefined ? undefined : `metadata.${inner}`
  }
  const name = (t[0] ?? '').toLowerCase().replaceAll(/[-_ ]/g, '')
  const bare = name.replace(/temperature$/, '')
  // The fielded name of the ambient air's temperature is `outside_temperature`.
  const input = bare === 'outside' ? 'ambient' : inputs.find((i) => i.replace('_', '') === bare)
  return input === undefined ? undefined : `thermocouple.${input}.temperature`
}
