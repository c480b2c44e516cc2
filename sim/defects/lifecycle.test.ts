/** Each defect of the Container Manager's decisions makes a difference, and says when. */
import { expect, test } from 'vitest'
import { initial, type Input, type State } from '../reference/lvcap/manager/machine.ts'
import type { ManagerParts } from '../reference/lvcap/manager/main.ts'
import * as platform from '../reference/lvcap/platform.ts'
import { lifecycleDefects } from './lifecycle.ts'

const iid = 'a_a_01'
const guid = '0ca2eadb-b128-4dff-9bd7-cbb15e21b8b1'
const apps = [
  { iid, config: { name: 'a' } },
  { iid: 'b_b_01', config: { name: 'b' } },
  { iid: guid, config: null },
]

/** What is heard, decided or waited for. */
type Act = Input | { readonly topic: string; readonly payload: string }

const ok: Act[] = [
  { kind: 'begin' },
  ...apps.map((a): Input => ({ kind: 'config-request', iid: a.iid })),
  ...apps.map((a): Input => ({ kind: 'status', iid: a.iid, code: 1 })),
]
const says = (code: number, text?: string): Act => ({
  kind: 'status',
  iid,
  code,
  ...(text === undefined ? {} : { text }),
})
const poll: Act = { kind: 'poll' }
const gone: Act = { kind: 'exited', iid, how: 0 }
const asks = (what: 'restart' | 'shutdown' | 'configure'): Act => ({
  kind: 'operator',
  request: { id: '1', do: what, iid, config: { name: 'a', interval: 10 } },
})
const hears = (topic: string, payload: unknown): Act => ({
  topic,
  payload: typeof payload === 'string' ? payload : JSON.stringify(payload),
})

const stories: Readonly<Record<string, readonly Act[]>> = {
  'restarts-after-four-silences': [poll, poll, poll, poll],
  'never-stops-for-good': [poll, poll, poll, poll, gone, poll, poll, poll],
  'forgets-silences-at-restart': [poll, poll, poll, poll, gone, poll, poll, poll],
  'never-clears-silences': [poll, poll, poll, says(1), poll, poll],
  'skips-status-requests': [poll, poll, poll],
  'takes-one-answer-for-all': [poll, { kind: 'status', iid: 'b_b_01', code: 1 }, poll],
  'stops-without-a-word': [poll, poll, poll, poll, gone, poll, poll, poll],
  'ignores-failures': [says(3)],
  'ignores-last-wills': [hears(`status/response/${iid}`, { Status: 2 })],
  'keeps-failure-messages': [says(3, 'the pump is dry')],
  'restarts-waiting-apps': [says(5)],
  'keeps-configuration-from-waiting-apps': [says(5)],
  'kills-at-once': [asks('shutdown')],
  'gives-ten-seconds': [asks('shutdown')],
  'stops-without-command': [asks('shutdown')],
  'waits-for-ever': [asks('shutdown')],
  'never-forces': [asks('shutdown')],
  'leaves-apps-that-are-ready': [asks('shutdown'), says(4)],
  'forgets-the-stopped-list': [says(4), gone],
  'ignores-restart-wishes': [says(6)],
  'restart-means-stop': [asks('restart'), says(4), gone],
  'starts-before-it-has-stopped': [asks('restart')],
  'leaves-the-last-app-out': [],
  'answers-with-anothers-configuration': [{ kind: 'config-request', iid }],
  'configuration-as-text': [asks('configure')],
  'deaf-to-requests': [{ kind: 'config-request', iid }],
  'silent-where-none-is-known': [],
  'configuration-at-qos-0': [],
  'heartbeat-at-qos-1': [poll],
  'commands-at-qos-0': [asks('shutdown')],
  'commands-by-name': [asks('shutdown')],
  'commands-everybody': [asks('shutdown')],
  'errors-without-number': [says(3)],
  'errors-without-words': [says(3)],
  'says-nothing-of-bad-json': [hears(`status/response/${iid}`, '{"Status": 1,')],
  'ends-on-bad-json': [hears(`status/response/${iid}`, '{"Status": 1,')],
  'insists-on-signatures': [poll, hears(`status/response/${iid}`, { Status: 1 }), poll],
  'chokes-on-signatures': [hears(`status/response/${iid}`, { Status: 3, Signature: {} })],
  'deaf-to-guids': [hears(`status/response/${guid}`, { Status: 3 })],
  'sends-the-whole-file': [],
  'stops-politely-after-eighty-seconds': [asks('shutdown')],
  'without-time-stamps': [],
}

/** Those that change another part than decisions and hearing. */
const elsewhere = ['starts-apps-before-the-marketplace', 'starts-apps-in-another-order']

function play(
  name: string | undefined,
  acts: readonly Act[],
): { readonly done: string; readonly reached: number } {
  let reached = 0
  const found = lifecycleDefects.find((d) => d.id === `container-manager/${name}`)
  const shipped = platform.parts({})
  const p: ManagerParts = found === undefined ? shipped : found.wrap(shipped, () => reached++)
  let state: State = initial(apps)
  const done: unknown[] = []
  for (const act of [...ok, ...acts]) {
    const input = 'topic' in act && 'payload' in act ? p.interpret(act.topic, Buffer.from(act.payload)) : act
    if (input === undefined) continue
    try {
      const [next, effects] = p.decide(state, input, 0, p.policy(), 'm_m_00')
      state = next
      done.push(effects)
    } catch (e) {
      done.push(e instanceof Error ? e.name : e)
    }
  }
  return { done: JSON.stringify(done), reached }
}

test.each(Object.keys(stories))('%s comes to bear, and shows', (name) => {
  const broken = play(name, stories[name] ?? [])
  expect(broken.reached).toBeGreaterThan(0)
  expect(broken.done).not.toBe(play(undefined, stories[name] ?? []).done)
})

test('starts-apps-in-another-order begins with the last', () => {
  const d = lifecycleDefects.find((x) => x.id.endsWith('in-another-order'))
  const list = ['a_a_01', 'b_b_01'].map((i) => ({ apid: i, iid: i, entry: 'x', config: null }))
  const shipped = platform.parts({})
  expect(d?.wrap(shipped, () => {}).order(list)).toEqual(list.toReversed())
  expect(shipped.order(list)).toEqual(list)
})

test('starts-apps-before-the-marketplace begins before the core has started', async () => {
  const d = lifecycleDefects.find((x) => x.id.endsWith('before-the-marketplace'))
  const order: string[] = []
  const shipped = platform.parts({})
  await shipped.startCore(
    async () => void order.push('core'),
    () => order.push('begin'),
  )
  expect(order).toEqual(['core'])
  let reached = 0
  void d
    ?.wrap(shipped, () => reached++)
    .startCore(
      async () => undefined,
      () => order.push('begin'),
    )
  expect(order).toEqual(['core', 'begin'])
  expect(reached).toBe(1)
})

test('none was left out', () => {
  const names = lifecycleDefects.map((d) => d.id.split('/')[1] ?? '')
  expect(names.toSorted()).toEqual([...Object.keys(stories), ...elsewhere].toSorted())
})
