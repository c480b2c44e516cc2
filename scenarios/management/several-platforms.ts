/**
 * Two platforms upload to the management server at the same time, each with a certificate of its own: rows of the same
 * tables with the same IDs. Each finds its own under its own RTU, once and whole, and nothing of the other's.
 */
import { scenario } from '../../bench/index.ts'
import { bothUpload } from '../upload/_sites.ts'

export default scenario({
  title: 'The management server takes the uploads of several platforms at a time, and tells them apart',
  verifies: ['M:0060/each-platform', 'M:0072/separate-rtu'],
  needs: ['platform', 'platform2', 'storage', 'storage2', 'management'],
  catches: {
    'data-server/keeps-all-in-one-place': 'M:0060/each-platform',
    'comms-app/leaves-a-row-out': 'M:0060/each-platform',
    'comms-app/one-rtu-for-all': 'M:0072/separate-rtu',
  },
  horizon: '6 min',
  short: '75 s',
  async run({ platform, storage, storage2, management, time, check }) {
    const verifies = ['M:0060/each-platform', 'M:0072/separate-rtu']
    await bothUpload(management, { platform, storage, storage2 }, 'comms', { time, check }, verifies)
  },
})
