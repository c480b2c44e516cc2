/**
 * The xDLMS data-notification (DLMS UA 1000-2 Ed. 9, 9.3.10 and 9.5): `0F`, long-invoke-id-and-priority, a date-time as
 * an octet-string without a tag, the body. Kaifa's and the old Kamstrup firmware write the date-time with the tag 09
 * before it, which the standard does not have: read here, and written on demand.
 */
import { Cursor, type Data, DlmsError, readData, writeData } from './axdr.ts'

export const dataNotification = 0x0f

/** How the date-time stands: not there (`00`), as the standard says (`0C`), or with a tag of its own (`09 0C`). */
export type DateTimeForm = 'absent' | 'plain' | 'tagged'

export interface DataNotification {
  /** Bits 0-23 id, 28 self-descriptive, 29 processing option, 30 service class confirmed, 31 high priority. */
  readonly invoke: number
  readonly dateTimeForm: DateTimeForm
  /** 12 bytes, or none. */
  readonly dateTime: Uint8Array | undefined
  readonly body: Data
  /** Bytes behind the body: none in a sound message; some meters pad. */
  readonly trailing: Uint8Array
}

/** Where the body begins, and what stands before it. */
export interface NotificationHead extends Omit<DataNotification, 'body' | 'trailing'> {
  readonly bodyAt: number
}

/** @throws DlmsError */
export function decodeNotificationHead(apdu: Uint8Array): NotificationHead {
  const c = new Cursor(apdu)
  if (c.byte('APDU') !== dataNotification) throw new DlmsError('not a data-notification', 0)
  const invoke = c.view.getUint32(c.skip(4, 'long-invoke-id-and-priority'))
  const at = c.at
  let length = c.byte('date-time')
  let form: DateTimeForm = length === 0 ? 'absent' : 'plain'
  if (length === 9) {
    form = 'tagged'
    length = c.byte('date-time')
  }
  if (length !== 0 && length !== 12) throw new DlmsError(`a date-time of ${length} bytes`, at)
  const dateTime = length === 0 ? undefined : c.take(length, 'date-time')
  return { invoke, dateTimeForm: form, dateTime, bodyAt: c.at }
}

/** @throws DlmsError */
export function decodeNotification(apdu: Uint8Array): DataNotification {
  const { bodyAt, ...head } = decodeNotificationHead(apdu)
  const c = new Cursor(apdu, bodyAt)
  const body = readData(c)
  return { ...head, body, trailing: c.take(c.left, 'trailing bytes') }
}

/** @throws RangeError for values that cannot be written */
export function encodeNotification(n: Omit<DataNotification, 'trailing'>): Uint8Array {
  const out: number[] = [
    dataNotification,
    n.invoke >>> 24,
    (n.invoke >>> 16) & 255,
    (n.invoke >>> 8) & 255,
    n.invoke & 255,
  ]
  if (n.dateTime === undefined) out.push(...(n.dateTimeForm === 'tagged' ? [9, 0] : [0]))
  else {
    if (n.dateTime.length !== 12) throw new RangeError(`a date-time has 12 bytes, not ${n.dateTime.length}`)
    out.push(...(n.dateTimeForm === 'tagged' ? [9, 12] : [12]), ...n.dateTime)
  }
  writeData(out, n.body)
  return Uint8Array.from(out)
}

/** LLC headers (DLMS UA 1000-2 Ed. 9, 8.3): a server's answer or notification, and a client's command. */
export const llcFromServer: readonly number[] = [0xe6, 0xe7, 0x00]
export const llcFromClient: readonly number[] = [0xe6, 0xe6, 0x00]

/** The APDU behind an LLC header. @throws DlmsError without one */
export function withoutLlc(information: Uint8Array): Uint8Array {
  if (
    information.length < 3 ||
    information[0] !== 0xe6 ||
    (information[1] !== 0xe7 && information[1] !== 0xe6)
  )
    throw new DlmsError('no LLC header', 0)
  return information.subarray(3)
}

export function withLlc(apdu: Uint8Array): Uint8Array {
  return Uint8Array.from([...llcFromServer, ...apdu])
}
