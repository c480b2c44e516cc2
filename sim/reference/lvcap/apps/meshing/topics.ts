/** Topics of the meshing application: readings below `sensor/data/<IID>/`, records below `algorithm/data/<IID>/`. */
import { topics } from '../../api.ts'
import { phases, type MeshingConfig, type Phase, type Quantity } from './config.ts'

/** Names of M:0029; and those of the application that was fielded in 2018. */
const names: Readonly<Record<Quantity, readonly [spec: string, fielded: string]>> = {
  bus_voltage: ['MIR_BUS_VOLTAGE_RMS', 'busbar_voltage'],
  cable_voltage: ['MIR_CABLE_VOLTAGE_RMS', 'cable_voltage'],
  link_current: ['MIR_LINK_CURRENT_RMS', 'load_current'],
  active_power: ['MIR_ACTIVE_POWER', 'active_power'],
  reactive_power: ['MIR_REACTIVE_POWER', 'reactive_power'],
  fault_status: ['MHR_SHADOW_FAULT_STATUS', 'fault_flags'],
  open_operations: ['MIR_OPEN_OPERATIONS', 'open_operations'],
  close_operations: ['MIR_CLOSE_OPERATIONS', 'close_operations'],
  watchdog_faults: ['MIR_WATCHDOG_FAULTS_DETECTED', 'watchdog_count'],
  chip_temperature: ['MIR_CHIP_TEMPERATURE', 'cpu_temperature'],
  switch_temperature: ['MIR_SWITCH_TEMPERATURE', 'switch_temperature'],
  // Both halves are read, and seconds published: the upper one alone would step by 18.2 h.
  uptime: ['MIR_UPTIME_HIGH', 'uptime'],
}

/** Of a reading. */
export function topicOf(phase: Phase, quantity: Quantity, c: MeshingConfig): string {
  const [spec, fielded] = names[quantity]
  return c.topics === 'openlv-2018' ? `feeder1/${phase}/${fielded}` : `${phase.toUpperCase()}/${spec}`
}

/** What is recorded of a command: the command itself, its signals to the unit, the states around it, and what came of it. */
export type RecordName = 'command' | 'before' | 'signal' | 'after' | 'result'

export function recordTopic(iid: string, phase: Phase, name: RecordName): string {
  return `${topics.algorithm(iid)}/operation/${phase}/${name}`
}

export function discrepancyTopic(iid: string): string {
  return `${topics.algorithm(iid)}/discrepancy`
}

/** The topics on which commands are heard: LoadSense's alone (M:0035). */
export function commandFilters(c: MeshingConfig): readonly string[] {
  return phases.map((phase) => `${topics.algorithm(c.obeys)}/control/${phase}`)
}

/** The phase that a topic names at its end. */
export function phaseOf(topic: string): Phase | undefined {
  const last = topic.slice(topic.lastIndexOf('/') + 1)
  return phases.find((p) => p === last)
}
