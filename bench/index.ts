/** What scenarios import. */
export { scenario } from './scenario/define.ts'
export {
  always,
  arrivesEvery,
  equalsTruth,
  eventually,
  flowsWhateverHappens,
  logged,
  never,
  noGrowth,
  noNewNames,
  onlyFrom,
  refused,
  scalarFormat,
  stampedByPlatformClock,
  within,
} from './checks/index.ts'
export { gridkeyChannels, temperatureChannels } from './platforms/aliases.ts'
