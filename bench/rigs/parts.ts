/** What rig files of all kinds share. */
import { z } from 'zod'

export const serial = z.strictObject({
  baudRate: z.int().min(50).max(1_000_000),
  dataBits: z.union([z.literal(7), z.literal(8)]),
  parity: z.enum(['none', 'even', 'odd']),
  stopBits: z.union([z.literal(1), z.literal(2)]),
})

/** Roles that devices play. */
export const deviceRoles = [
  'gridkey',
  'thermocouple',
  'adam',
  'alvin',
  'gridkey2',
  'thermocouple2',
  'alvin2',
] as const
export type DeviceRole = (typeof deviceRoles)[number]

/** A device's role at its own substation: without the suffix of the second. */
export type PlaceRole = Exclude<DeviceRole, `${string}2`>

/** Whether a device stands at the second substation, and its role there. */
export function placeOfRole(role: DeviceRole): { readonly second: boolean; readonly role: PlaceRole } {
  const second = role.endsWith('2')
  return { second, role: (second ? role.slice(0, -1) : role) as PlaceRole }
}

/** Roles that meters play, which a meter reader reads. */
export const meterRoles = ['meter', 'meter2'] as const
export type MeterRole = (typeof meterRoles)[number]

/** All of them. */
export const playedDevices = [...deviceRoles, ...meterRoles] as const

/** Header names of the columns of a CSV recorder's files. */
export const csvColumns = z
  .strictObject({
    recordedAt: z.string().default('RecordedAt'),
    publisher: z.string().default('Publisher'),
    topic: z.string().default('Topic'),
    timestamp: z.string().default('Timestamp'),
    value: z.string().default('Value'),
    valid: z.string().default('Valid'),
    payload: z.string().default('Payload'),
  })
  .prefault({})
