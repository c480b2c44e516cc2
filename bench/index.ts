/** What scenarios import. */
export { scenario } from './scenario/define.ts'
export {
  always,
  arrivesEvery,
  equalsTruth,
  eventually,
  flowsWhateverHappens,
  invalidDuring,
  logged,
  never,
  noGrowth,
  noNewNames,
  onlyFrom,
  refused,
  scalarFormat,
  stampedByHostClock,
  stampedByPlatformClock,
  within,
} from './checks/index.ts'
export { gridkeyChannels, temperatureChannels } from './platforms/aliases.ts'
