/**
 * Two platforms upload to the data centre at the same time, each with a certificate of its own: rows of the same tables with
 * the same IDs. Each finds its own under its own RTU, once and whole, and nothing of the other's.
 */
import { scenario } from '../../bench/index.ts'
import { bothUpload } from './_sites.ts'

export default scenario({
  title: 'The data centre takes the uploads of several platforms at a time, and tells them apart',
  verifies: ['M:0065/each-device', 'M:0080/separate-rtu'],
  needs: ['platform', 'platform2', 'storage', 'storage2', 'centre'],
  catches: {
    'data-server/keeps-all-in-one-place': 'M:0065/each-device',
    'upload-app/leaves-a-row-out': 'M:0065/each-device',
    'upload-app/one-rtu-for-all': 'M:0080/separate-rtu',
  },
  horizon: '6 min',
  short: '75 s',
  async run({ platform, storage, storage2, centre, time, check }) {
    const verifies = ['M:0065/each-device', 'M:0080/separate-rtu']
    await bothUpload(centre, { platform, storage, storage2 }, 'upload', { time, check }, verifies)
  },
})
