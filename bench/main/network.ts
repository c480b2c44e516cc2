/** The IPv4 network of a rig: its own, or one of 127.64-127.127 that no other bench on this machine uses. */
import type { ReferenceRig } from '../rigs/schema.ts'

/**
 * First three numbers. `own` derives them from the process number, so that two benches side by side do not meet
 * (Linux: the whole of 127.0.0.0/8 is loopback).
 */
export function networkOf(rig: Pick<ReferenceRig, 'network'>, pid: number = process.pid): string {
  if (rig.network !== 'own') return rig.network
  return `127.${64 + ((pid >> 8) & 63)}.${pid & 255}`
}
