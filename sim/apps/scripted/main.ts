/**
 * A scripted app: an app under the bench's control, run by the platform's Container Manager as any other. It speaks MQTT
 * for itself, without the reference platform's SDK, so that it can do what the SDK never would. Where the bench is comes
 * with its image, as anything does that is built into one; how to behave comes over the bench's own line (control.ts).
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { z } from 'zod'
import type { Json, ProgramEnv } from '../../../drivers/faces.ts'
import type { AppAction, AppBehaviour } from '../../faces.ts'
import { openControl, type Control } from './control.ts'

/** What the Container Manager gives an app at its start. More keys may stand there. */
const startSchema = z.looseObject({
  apid: z.string(),
  iid: z.string(),
  pki: z.string(),
  marketplace: z.object({ address: z.string(), port: z.int() }),
  image: z.strictObject({ control: z.strictObject({ address: z.string(), port: z.int() }) }),
})
type Start = z.infer<typeof startSchema>

/** Seconds between requests of an app that asks again and again. */
const nagging = 10

export async function main(env: ProgramEnv): Promise<number> {
  const start = startSchema.parse(env.config)
  const control = openControl(start.image.control)
  control.say('started', { iid: start.iid, apid: start.apid })
  const { behaviour } = await control.first
  const code = await new ScriptedApp(env, start, control, behaviour).live()
  control.say('ending', { code })
  await control.close()
  return code
}

class ScriptedApp {
  readonly #env: ProgramEnv
  readonly #start: Start
  readonly #control: Control
  #b: AppBehaviour
  #client: MqttClient | undefined
  #configured = false
  #silences = 0
  #leaving = false
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #over = Promise.withResolvers<number>()

  constructor(env: ProgramEnv, start: Start, control: Control, behaviour: AppBehaviour) {
    this.#env = env
    this.#start = start
    this.#control = control
    this.#b = behaviour
  }

  /** Resolves with the exit code. */
  async live(): Promise<number> {
    this.#behave(this.#b)
    if (this.#b.crashesAtStart === true) return 1
    if (this.#b.endsAfter !== undefined) this.#later(this.#b.endsAfter, () => this.#over.resolve(1))
    this.#control.onOrder((o) => {
      if (o.order === 'behave') this.#behave(o.behaviour)
      else if (o.order === 'act') this.#act(o.action)
    })
    void this.#control.gone.then(() => this.#over.resolve(0))
    const stop = (): void => {
      this.#control.say('stop-asked')
      if (this.#b.shutdown?.ignoresStop !== true) this.#over.resolve(0)
    }
    if (this.#env.term.aborted) stop()
    else this.#env.term.addEventListener('abort', stop, { once: true })
    this.#connect()
    const code = await this.#over.promise
    for (const t of this.#timers) clearTimeout(t)
    // A program that ends by itself without a word drops its connection as a crash would; one that is stopped says goodbye.
    const rude = code !== 0
    await new Promise<void>((resolve) => {
      if (this.#client === undefined) resolve()
      else if (rude) {
        this.#client.stream.destroy()
        this.#client.end(true, () => resolve())
      } else this.#client.end(!this.#client.connected, () => resolve())
    })
    return code
  }

  #behave(b: AppBehaviour): void {
    this.#b = b
    this.#silences = b.silent === 'always' ? Number.POSITIVE_INFINITY : (b.silent ?? 0)
  }

  #later(s: number, f: () => void): void {
    const t = setTimeout(() => {
      this.#timers.delete(t)
      f()
    }, s * 1000)
    this.#timers.add(t)
  }

  #connect(): void {
    const { apid, iid, pki, marketplace } = this.#start
    const read = (name: string): Buffer => readFileSync(join(pki, name))
    const itself = this.#b.introduces !== 'randomly'
    const options: IClientOptions & { readonly servername: string } = {
      protocol: 'mqtts',
      protocolVersion: 4,
      host: marketplace.address,
      port: marketplace.port,
      servername: 'marketplace',
      ca: read('ca.crt'),
      cert: read(`${apid}.crt`),
      key: read(`${apid}.key`),
      ...(itself ? { clientId: apid, username: apid } : {}),
      clean: this.#b.clean ?? true,
      keepalive: 30,
      reconnectPeriod: 1000,
      connectTimeout: 10_000,
      resubscribe: false,
      timerVariant: 'native',
      ...(this.#b.will === false
        ? {}
        : {
            will: {
              topic: `status/response/${iid}`,
              payload: Buffer.from(JSON.stringify({ Status: 2 })),
              qos: 1 as const,
              retain: false,
            },
          }),
    }
    const client = connect(options)
    this.#client = client
    let attempts = 1
    client.on('close', () => {
      attempts++
    })
    client.on('error', () => undefined)
    client.on('connect', () => {
      const until = (client.stream as Partial<TLSSocket>).getPeerCertificate?.().valid_to
      this.#control.say('connected', { attempts, ...(until === undefined ? {} : { brokerUntil: until }) })
      attempts = 0
      void this.#greet(client)
    })
    client.on('message', (topic, bytes, packet) => {
      this.#take(topic, bytes, { qos: packet.qos, retain: packet.retain })
    })
  }

  get #qos(): 0 | 1 {
    return this.#b.qos ?? 1
  }

  async #greet(client: MqttClient): Promise<void> {
    const { iid } = this.#start
    try {
      await client.subscribeAsync('status/request', { qos: 0 })
      await client.subscribeAsync(`config/response/${iid}`, { qos: this.#qos })
      await client.subscribeAsync(`command/${iid}`, { qos: this.#qos })
    } catch {
      // Gone again; the next connection greets anew.
      return
    }
    if (!this.#configured) this.#ask()
    else this.#tell(1)
  }

  #ask(): void {
    if (this.#b.asks === 'never') return
    this.#control.say('asks')
    const { payloads } = this.#b
    if (payloads === 'empty') this.#publish(`config/request/${this.#start.iid}`, '')
    else this.#publishObject(`config/request/${this.#start.iid}`, {})
    if (this.#b.asks === 'again-and-again') this.#later(nagging, () => this.#ask())
  }

  #take(topic: string, bytes: Buffer, how: { readonly qos: number; readonly retain: boolean }): void {
    const { iid } = this.#start
    if (topic === 'status/request') {
      this.#control.say('asked', how)
      this.#answer()
      return
    }
    let payload: Json
    try {
      payload = bytes.length === 0 ? {} : (JSON.parse(bytes.toString('utf8')) as Json)
    } catch {
      this.#control.say('heard', { topic, notJson: true, ...how })
      this.#publishObject(`storage/data/error/${iid}`, { Errno: 1, Message: `no JSON on ${topic}` })
      return
    }
    const body =
      typeof payload === 'object' && payload !== null && !Array.isArray(payload)
        ? (payload as { readonly [k: string]: Json })
        : {}
    if (topic === `config/response/${iid}`) this.#configure(body['Configuration'] ?? null, how)
    else if (topic === `command/${iid}`) this.#command(body['Command'] ?? null, how)
    else this.#control.say('heard', { topic, payload, ...how })
  }

  #configure(config: Json, how: { readonly qos: number; readonly retain: boolean }): void {
    this.#control.say('configured', { config, ...how })
    if (config === null) {
      if (!this.#configured) this.#tell(this.#b.rejectsNull === true ? 3 : 5)
      return
    }
    const { pulse } = innerConfig(config)
    const before = this.#configured
    this.#configured = true
    this.#tell(1)
    if (!before) this.#pulse(typeof pulse === 'number' && pulse > 0 ? pulse : 30, 1)
  }

  /** What it publishes as a sign of life: a scalar (API 9.1) that counts. */
  #pulse(every: number, n: number): void {
    this.#later(every, () => {
      this.#publishObject(`algorithm/data/${this.#start.iid}/pulse`, { Value: n, Valid: true })
      this.#pulse(every, n + 1)
    })
  }

  #answer(): void {
    if (this.#leaving) return
    if (this.#silences > 0) {
      this.#silences--
      this.#control.say('kept-silent')
      return
    }
    const tell = (): void => this.#tell(this.#b.status ?? (this.#configured ? 1 : 5))
    if (this.#b.answersAfter === undefined) tell()
    else this.#later(this.#b.answersAfter, tell)
  }

  #tell(status: Json, message = this.#b.message): void {
    const iid = this.#b.speaksFor ?? this.#start.iid
    this.#control.say('tells', { status: this.#b.garbled === true ? 'garbled' : status, as: iid })
    if (this.#b.garbled === true) this.#publish(`status/response/${iid}`, '{"Status": 1,')
    else
      this.#publishObject(`status/response/${iid}`, {
        Status: status,
        ...(message === undefined ? {} : { Message: message }),
      })
  }

  #command(command: Json, how: { readonly qos: number; readonly retain: boolean }): void {
    this.#control.say('commanded', { command, ...how })
    if (command !== 1 || this.#leaving) return
    const { after = 0, exits = false } = this.#b.shutdown ?? {}
    this.#leaving = true
    if (after === 'never') return
    this.#later(after, () => void this.#leave(exits))
  }

  /** The procedure of section 6: no subscriptions any more, then the word, then it waits to be stopped (or ends itself). */
  async #leave(exits: boolean): Promise<void> {
    const { iid } = this.#start
    const client = this.#client
    if (client?.connected !== true) return
    for (const t of this.#timers) clearTimeout(t)
    this.#timers.clear()
    try {
      await client.unsubscribeAsync(['status/request', `config/response/${iid}`, `command/${iid}`])
      this.#control.say('tells', { status: 4, as: iid })
      await client.publishAsync(`status/response/${iid}`, this.#text({ Status: 4 }), { qos: this.#qos })
      if (exits) this.#over.resolve(0)
      else await client.endAsync()
    } catch {
      this.#control.say('failed', { what: 'its farewell' })
    }
  }

  #act(a: AppAction): void {
    switch (a.do) {
      case 'tell':
        if (a.status === 4) {
          this.#leaving = true
          void this.#leave(false)
        } else this.#tell(a.status, a.message)
        return
      case 'vanish':
        this.#control.say('vanishes')
        this.#client?.stream.destroy()
        return
      case 'exit':
        this.#over.resolve(a.code)
        return
      case 'publish':
        this.#publish(a.topic, a.text)
        return
      case 'ask':
        this.#ask()
        return
      case 'subscribe':
        this.#client?.subscribe(a.topic, { qos: this.#qos }, () =>
          this.#control.say('subscribed', { topic: a.topic }),
        )
        return
      default:
        a satisfies never
    }
  }

  #text(object: { readonly [k: string]: Json }): string {
    const { payloads } = this.#b
    const stamp =
      payloads === 'bare' || payloads === 'empty' ? {} : { Timestamp: Math.floor(Date.now() / 1000) }
    // Reserved, and without a meaning yet (API 8.1.2): anything may stand there.
    const signature =
      payloads === 'signed'
        ? { Signature: { Scheme: 'none-yet', Value: '3045022100' } }
        : payloads === 'wrongly-signed'
          ? { Signature: {} }
          : {}
    return JSON.stringify({ ...object, ...stamp, ...signature })
  }

  #publishObject(topic: string, object: { readonly [k: string]: Json }): void {
    this.#publish(topic, this.#text(object))
  }

  #publish(topic: string, text: string): void {
    const client = this.#client
    if (client?.connected !== true) return
    client.publish(topic, text, { qos: this.#qos }, () => undefined)
  }
}

/** The ContainerConfig: the object itself, or the one inside the whole configuration file (API table 5 against 9.5). */
function innerConfig(config: Json): { readonly [k: string]: Json } {
  if (typeof config !== 'object' || config === null || Array.isArray(config)) return {}
  const file = config as { readonly [k: string]: Json }
  const inner = file['ContainerConfig']
  return typeof file['ContainerName'] === 'string' && inner !== undefined ? innerConfig(inner) : file
}
