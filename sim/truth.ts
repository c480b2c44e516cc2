/**
 * Truths as pure functions, for what the bench expects of a platform: nothing in here is played, started or kept. The one
 * file of sim/ beside its faces that checks and roles may import.
 */
export { profile } from './devices/profile.ts'
export type { LoadProfile } from './devices/profile.ts'
export { readTransformer } from './devices/transformer/personality.ts'
export type { TransformerParameters } from './devices/transformer/personality.ts'
export { hotSpot, settled, step } from './devices/transformer/thermal.ts'
export type { ThermalInput, ThermalState } from './devices/transformer/thermal.ts'
