/**
 * Lets one subject write, in a process of its own that then ends as at a loss of power: nothing is closed. Arguments: the
 * subject, its folder, how many items, and the folder where looking for a name sets a mark.
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { subjects } from './index.ts'

const [id, folder = '', n = '0', marks = ''] = process.argv.slice(2)
const subject = subjects.find((s) => s.id === id)
if (subject === undefined) throw new Error(`there is no subject '${id ?? ''}'`)
subject.write(folder, Number(n), (item) => {
  existsSync(join(marks, `promised-${item}`))
})
existsSync(join(marks, 'done'))
process.kill(process.pid, 'SIGKILL')
