/** What scenarios import. */
export { scenario } from './scenario/define.ts'
export {
  always,
  arrivesEvery,
  attributable,
  equalsTruth,
  eventually,
  flowsWhateverHappens,
  followsSetting,
  intervalSet,
  invalidDuring,
  logged,
  never,
  noGrowth,
  noNewNames,
  onlyFrom,
  recordsAll,
  recordsAtRate,
  recordsTimes,
  recordsTruly,
  refused,
  sampledTogether,
  scalarFormat,
  stampedByHostClock,
  stampedByPlatformClock,
  within,
} from './checks/index.ts'
export { gridkeyChannels, temperatureChannels } from './platforms/aliases.ts'
