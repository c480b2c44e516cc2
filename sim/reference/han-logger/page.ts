/** The configuration page as HTML: the fields of figure 7.7 of the thesis, in its order. No script; every text escaped. */
import { meterTypes, secrets, type Settings } from './settings.ts'

export type Problems = Readonly<Record<string, string>>

/** What the page says of the reader. */
export interface State {
  readonly cloud: 'connected' | 'not connected' | 'not configured'
  /** Readings that wait for the broker. */
  readonly waiting: number
}

export const style = `
:root { color-scheme: light dark; --line: #8a8f98; --accent: #0b5cad; --bad: #b3261e; }
* { box-sizing: border-box }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 42rem; padding: 1rem }
h1 { font-size: 1.5rem }
fieldset { border: 1px solid var(--line); border-radius: .4rem; margin: 0 0 1rem; padding: .5rem 1rem 1rem }
legend { font-weight: 600; padding: 0 .3rem }
label { display: block; margin: .7rem 0 .2rem }
label.tick { display: inline-flex; gap: .4rem; align-items: center; margin: .3rem 0 0; font-size: .9rem }
input:not([type=checkbox]), select, textarea { width: 100%; font: inherit; padding: .45rem .5rem; border: 1px solid var(--line); border-radius: .3rem }
textarea { font: .8rem/1.3 ui-monospace, monospace; min-height: 7rem }
.hint { font-size: .85rem; opacity: .8; margin: .2rem 0 0 }
.problem { color: var(--bad); font-weight: 600; margin: .2rem 0 0 }
[aria-invalid] { border-color: var(--bad) !important; border-width: 2px !important }
button { font: inherit; padding: .55rem 1.4rem; border: 1px solid var(--accent); border-radius: .3rem; background: var(--accent); color: #fff; cursor: pointer }
button.plain { background: none; color: inherit; border-color: var(--line) }
:focus-visible { outline: 3px solid #f0a500; outline-offset: 2px }
.said { border-left: .3rem solid var(--accent); padding: .4rem .8rem }
.said.bad { border-color: var(--bad) }
header { display: flex; justify-content: space-between; align-items: center; gap: 1rem }
@media (prefers-color-scheme: dark) { :root { --accent: #2f81d6; --bad: #ff8a80 } }
`

function escaped(text: string): string {
  return text.replaceAll(
    /[&<>"']/g,
    (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' })[c] ?? '',
  )
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title><style>${style}</style></head>
<body>${body}</body></html>
`
}

export function loginPage(problem?: string): string {
  return page(
    'Log in',
    `<main><h1>AMS Data Acquisition Device</h1>
${problem === undefined ? '' : `<p class="said bad" role="alert">${escaped(problem)}</p>`}
<form method="post" action="/login">
<label for="key">Password</label>
<input id="key" name="key" type="password" autocomplete="current-password" required autofocus>
<p><button>Log in</button></p></form></main>`,
  )
}

interface Field {
  readonly name: keyof Settings
  readonly label: string
  readonly hint?: string
}

const wifi: readonly Field[] = [
  { name: 'ssid', label: 'SSID' },
  { name: 'wifiPassword', label: 'Password' },
]
const mqtt: readonly Field[] = [
  { name: 'broker', label: 'Server/broker' },
  { name: 'port', label: 'Port', hint: 'Always by TLS: 8883 is usual.' },
  { name: 'clientId', label: 'Client ID' },
  { name: 'publishTopic', label: 'Publish Topic' },
  { name: 'subscribeTopic', label: 'Subscribe Topic', hint: 'What is said there is noted in the log.' },
  { name: 'username', label: 'Username' },
  { name: 'password', label: 'Password' },
]
const cloud: readonly Field[] = [
  {
    name: 'connectionKey',
    label: 'Connection Key',
    hint: 'The password at the broker, where none is set above.',
  },
  {
    name: 'deviceId',
    label: 'Device ID',
    hint: 'The name in each message; as installed where it is empty.',
  },
]

export interface Form {
  readonly settings: Settings
  readonly lines: readonly string[]
  /** Secrets that are set. */
  readonly set: ReadonlySet<string>
  /** Proves that the form comes from this page. */
  readonly token: string
  readonly problems?: Problems
  readonly said?: string
  readonly state: State
}

export function configPage(f: Form): string {
  const problems = f.problems ?? {}
  const invalid = (name: string): string =>
    problems[name] === undefined ? '' : ` aria-invalid="true" aria-describedby="${name}-problem"`
  const problem = (name: string): string =>
    problems[name] === undefined
      ? ''
      : `<p class="problem" id="${name}-problem">${escaped(problems[name])}</p>`
  const field = ({ name, label, hint }: Field): string => {
    const secret = (secrets as readonly string[]).includes(name)
    const value = f.settings[name]
    const box = secret
      ? `<input id="${name}" name="${name}" type="password" autocomplete="new-password"${invalid(name)}${f.set.has(name) ? ' placeholder="set; leave empty to keep it"' : ''}>` +
        (f.set.has(name)
          ? `<label class="tick"><input type="checkbox" name="forget-${name}" value="yes"> forget it</label>`
          : '')
      : `<input id="${name}" name="${name}" value="${escaped(String(value))}" autocomplete="off" spellcheck="false"${invalid(name)}>`
    return `<label for="${name}">${label}</label>${box}${hint === undefined ? '' : `<p class="hint">${hint}</p>`}${problem(name)}`
  }
  const group = (title: string, fields: readonly Field[], more = ''): string =>
    `<fieldset><legend>${title}</legend>${fields.map(field).join('')}${more}</fieldset>`
  const certificate = `<label for="certificate">Verification Certificate</label><textarea id="certificate" name="certificate" spellcheck="false"${invalid('certificate')}>${escaped(f.settings.certificate)}</textarea><p class="hint">PEM of the authority behind the broker's certificate. Empty: the public ones.</p>${problem('certificate')}`
  const meters = f.lines
    .map((path, i) => {
      const name = `meterType${i}`
      const chosen = f.settings.meterTypes[i] ?? 'configured'
      const options = Object.entries(meterTypes)
        .map(
          ([id, t]) =>
            `<option value="${id}"${id === chosen ? ' selected' : ''}>${escaped(t.label)}</option>`,
        )
        .join('')
      return `<label for="${name}">Meter at ${escaped(path)}</label><select id="${name}" name="${name}"${invalid(name)}>${options}</select>${problem(name)}`
    })
    .join('')
  const count = Object.keys(problems).length
  const said =
    count > 0
      ? `<p class="said bad" role="alert">Nothing was saved: ${count === 1 ? 'one field does not fit.' : `${count} fields do not fit.`} What was typed as a password or key is to be typed again.${problems[''] === undefined ? '' : ` ${escaped(problems[''])}`}</p>`
      : f.said === undefined
        ? ''
        : `<p class="said" role="status">${escaped(f.said)}</p>`
  const token = `<input type="hidden" name="token" value="${escaped(f.token)}">`
  return page(
    'AMS Data Acquisition Device Configuration',
    `<header><p>Cloud: ${f.state.cloud}. Readings waiting: ${f.state.waiting}.</p>
<form method="post" action="/logout">${token}<button class="plain">Log out</button></form></header>
<main><h1>AMS Data Acquisition Device Configuration</h1>${said}
<form method="post" action="/save" autocomplete="off">${token}
${group('WiFi Credentials', wifi)}
${group('MQTT Credentials', mqtt, certificate)}
${group('CLOUD Credentials', cloud)}
<fieldset><legend>Meter Type</legend>${meters}</fieldset>
<p><button>save</button></p></form></main>`,
  )
}
