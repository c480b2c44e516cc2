import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { listPorts, portsText } from './port-list.ts'

/** Trees such as Linux has, from files and links (`-> target`). */
function trees(entries: Readonly<Record<string, string>>): { dev: string; sys: string } {
  const folder = mkdtempSync(join(tmpdir(), 'gridproof-ports-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  for (const [path, text] of Object.entries(entries)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    if (text.startsWith('-> ')) symlinkSync(text.slice(3), join(folder, path))
    else writeFileSync(join(folder, path), text)
  }
  return { dev: join(folder, 'dev'), sys: join(folder, 'sys') }
}

test('ports are listed with driver, adapter, stable name and latency; consoles and absent UARTs are not', async () => {
  const usb = 'sys/devices/usb1/1-2'
  const t = trees({
    'dev/ttyUSB0': '',
    'dev/serial/by-id/usb-FTDI_MBus_A1-if00-port0': '-> ../../ttyUSB0',
    [`${usb}/idVendor`]: '0403\n',
    [`${usb}/idProduct`]: '6001\n',
    [`${usb}/manufacturer`]: 'FTDI\n',
    [`${usb}/product`]: 'M-Bus master\n',
    [`${usb}/serial`]: 'A1\n',
    [`${usb}/1-2:1.0/ttyUSB0/driver`]: '-> ../../../../bus/usb-serial/drivers/ftdi_sio',
    'sys/class/tty/ttyUSB0/device': '-> ../../../devices/usb1/1-2/1-2:1.0/ttyUSB0',
    'sys/bus/usb-serial/devices/ttyUSB0/latency_timer': '16\n',
    'sys/class/tty/ttyS0/type': '4\n',
    'sys/class/tty/ttyS0/device/driver': '-> ../../../../bus/platform/drivers/serial8250',
    'sys/class/tty/ttyS1/type': '0\n',
    'sys/class/tty/ttyS1/device/driver': '-> ../../../../bus/platform/drivers/serial8250',
    'sys/class/tty/tty0/active': 'tty1\n',
  })
  const found = await listPorts(t)
  expect(found.map((p) => p.path)).toEqual([join(t.dev, 'ttyS0'), join(t.dev, 'ttyUSB0')])
  expect(found[1]).toEqual({
    path: join(t.dev, 'ttyUSB0'),
    stable: join(t.dev, 'serial/by-id/usb-FTDI_MBus_A1-if00-port0'),
    driver: 'ftdi_sio',
    adapter: 'FTDI M-Bus master A1 (USB 0403:6001)',
    latencyMs: 16,
  })
  expect(portsText(found)).toContain('hands bytes on after 16 ms')
})

test('a machine without ports says so', async () => {
  expect(portsText(await listPorts(trees({ 'sys/none': '' })))).toContain('no serial port here')
})
