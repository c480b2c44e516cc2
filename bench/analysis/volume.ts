/**
 * What 18 months of recording take of the disk (OpenLV M:004), computed from bytes that were measured. What sensors
 * deliver grows with their rate, and so does what neighbours send, which are readings of sensors of theirs; all else that
 * apps publish (status, results, errors) is taken as it was measured.
 */

/** `sensor/data/<IID>/...` (LV-CAP API 5.3). */
export function isSensorTopic(topic: string): boolean {
  return topic.startsWith('sensor/data/')
}

/** The least duration of the project (M:004: 18 months), in days: 1.5 years of 365.25 days. */
export const projectDays = 548

/** SSD of the project's computer in bytes (I:0038: 512 GB, as makers count). */
export const diskBytes = 512e9

/** What the operating system and the platform itself may take of it, in bytes. Ours: 32 GB. */
export const systemBytes = 32e9

/** Bytes that were measured in a span of time with sensors at one interval. */
export interface MeasuredVolume {
  readonly sensorBytes: number
  readonly appBytes: number
  /**
   * What neighbours sent, counted with neither of the others, and the interval of their sensors meanwhile, in ms; not
   * given: no neighbour was there to be measured.
   */
  readonly peers?: { readonly bytes: number; readonly intervalMs: number }
  /** Span in ms; and the interval of the sensors meanwhile, in ms. */
  readonly spanMs: number
  readonly intervalMs: number
}

export interface ProjectVolume {
  readonly intervalMs: number
  /** Bytes of 18 months. */
  readonly sensors: number
  readonly apps: number
  /** As measured; where nothing was: at most what our own sensors deliver at the same interval (our assumption). */
  readonly peers: number
  readonly total: number
}

/** How it is computed, for the evidence. */
export function formulaOf(m: Pick<MeasuredVolume, 'peers'>): string {
  const per = 'bytes measured / span x 548 d'
  const scaled = 'x (interval measured / interval asked)'
  return m.peers === undefined
    ? `${per}; sensors ${scaled}; a neighbour sends at most what our own sensors deliver`
    : `${per}; sensors and neighbours ${scaled}`
}

/** @param intervalMs interval of the sensors to compute for, ms. NaN where the span is empty. */
export function projectVolume(m: MeasuredVolume, intervalMs: number): ProjectVolume {
  const days = m.spanMs / 86_400_000
  const perProject = projectDays / (days > 0 ? days : Number.NaN)
  const at = (bytes: number, measuredMs: number): number => bytes * perProject * (measuredMs / intervalMs)
  const sensors = at(m.sensorBytes, m.intervalMs)
  const apps = m.appBytes * perProject
  const peers = m.peers === undefined ? sensors : at(m.peers.bytes, m.peers.intervalMs)
  return { intervalMs, sensors, apps, peers, total: sensors + apps + peers }
}
