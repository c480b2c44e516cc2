/** The devices against a master that is not ours: modbus-serial, over real TCP and a real pseudo terminal. */
import modbusSerial from 'modbus-serial'
import { describe, expect, test } from 'vitest'
import { GridproofError } from '../../drivers/errors.ts'
import { streams } from '../../drivers/random.ts'
import { openPty, ptyProvider } from '../../drivers/real/pty.ts'
import { listenTcp } from '../../drivers/wires/tcp.ts'
import type { Device, DeviceEnv } from '../faces.ts'
import { devices } from './index.ts'

interface Said {
  readonly answers: Record<string, [number | null, number]>
}

function watched(): { env: DeviceEnv; said: Said['answers'] } {
  const said: Said['answers'] = {}
  return {
    said,
    env: {
      now: Date.now,
      random: streams(1),
      emit(kind, data) {
        if (kind === 'said') Object.assign(said, (data as unknown as Said).answers)
        return 0
      },
    },
  }
}

const within = (device: Device, said: Said['answers']): void => {
  for (const [q, [answered, truth]] of Object.entries(said))
    expect(Math.abs((answered ?? Number.NaN) - truth), q).toBeLessThanOrEqual(device.accuracy(q, truth))
}

const master = (): InstanceType<typeof modbusSerial.default> => {
  // the package is CommonJS: its class is the default of the default
  const m = new modbusSerial.default()
  m.setTimeout(2000)
  return m
}

test('the feeder monitor over TCP: seven reads give all 67 quantities, and an unknown register exception 2', async () => {
  const { env, said } = watched()
  await using port = await listenTcp({ name: 'gridkey/tcp', host: '127.0.0.1', port: 0 })
  await using device = devices['gridkey-mcu520'].make()
  await device.start(port.wire, env)
  const m = master()
  await m.connectTCP('127.0.0.1', { port: port.port })
  try {
    m.setID(1)
    const { buffer } = await m.readInputRegisters(0, 14)
    expect(buffer.readFloatBE(0)).toBe(said['busbar.l1n.voltage [V]']?.[0])
    for (let f = 1; f <= 5; f++) await m.readInputRegisters(100 * f, 24)
    const status = await m.readInputRegisters(1000, 7)
    expect(status.data[6]).toBe(60)
    expect(Object.keys(said).length).toBe(67)
    within(device, said)
    await expect(m.readInputRegisters(50, 1)).rejects.toThrow(/Illegal data address/)
    await expect(m.readHoldingRegisters(0, 1)).rejects.toThrow(/Illegal function/)
    const busy = device.inflict('exception-busy')
    await expect(m.readInputRegisters(0, 2)).rejects.toThrow(/busy/i)
    busy.lift()
    const rst = device.inflict('rst')
    await expect(m.readInputRegisters(0, 2)).rejects.toThrow()
    rst.lift()
  } finally {
    m.close(() => undefined)
  }
})

const pty = ptyProvider()
const why = 'lacks' in pty ? ` (skipped: ${pty.lacks})` : ''

describe(`the thermocouple module over a pseudo terminal${why}`, () => {
  test.skipIf('lacks' in pty)(
    'temperatures and flags, a write, and a wrong CRC that the master refuses',
    async () => {
      const { env, said } = watched()
      const kind = devices['thermocouple-tc8']
      await using line = await openPty({ name: 'thermocouple/rtu', settings: kind.line() })
      await using device = kind.make({ silence_ms: 20, turnaround_ms: 4 })
      await device.start(line.wire, env)
      const m = master()
      await m.connectRTUBuffered(line.path, { baudRate: 9600 })
      try {
        m.setID(10)
        const { data } = await m.readInputRegisters(0, 30)
        const oil = said['top_oil.temperature [°C]']
        expect((data[2] ?? 0) / 10).toBe(oil?.[0])
        expect(data[17]).toBe(0b1111_1000)
        within(device, said)
        await m.writeRegister(29, 1)
        expect((await m.readHoldingRegisters(29, 1)).data).toEqual([1])
        await expect(m.readInputRegisters(30, 1)).rejects.toThrow(/Illegal data address/)
        const f = device.inflict('crc-error')
        await expect(m.readInputRegisters(0, 8)).rejects.toThrow(/CRC/)
        f.lift()
        m.setTimeout(150)
        m.setID(11)
        await expect(m.readInputRegisters(0, 8)).rejects.toThrow(/Timed out/)
        m.setTimeout(2000)
        m.setID(10)
        expect((await m.readInputRegisters(0, 8)).data.length).toBe(8)
      } finally {
        await new Promise<void>((done) => m.close(() => done()))
      }
    },
  )
})

describe(`three breakers over a pseudo terminal${why}`, () => {
  test.skipIf('lacks' in pty)('are read one by one, commanded, and read back', async () => {
    const { env, said } = watched()
    const kind = devices['alvin-reclose']
    await using line = await openPty({ name: 'alvin/rtu', settings: kind.line() })
    await using device = kind.make({ silence_ms: 20, turnaround_ms: 4 })
    await device.start(line.wire, env)
    const m = master()
    await m.connectRTUBuffered(line.path, { baudRate: 19_200, parity: 'even' })
    try {
      for (const unit of [1, 2, 3]) {
        m.setID(unit)
        const { data } = await m.readInputRegisters(0, 14)
        expect((data[0] ?? 0) / 10).toBe(said[`l${unit}.bus_voltage [V]`]?.[0])
        expect((await m.readHoldingRegisters(0, 1)).data).toEqual([0b10])
      }
      within(device, said)
      expect(Object.keys(said).length).toBe(36)
      m.setID(2)
      await m.writeRegister(17, 0xc105)
      await m.writeRegister(16, 0xc105)
      await expect.poll(async () => (await m.readHoldingRegisters(18, 2)).data).toEqual([2, 1])
      expect((await m.readInputRegisters(6, 1)).data).toEqual([1])
      expect([device.closed('l1'), device.closed('l2')]).toEqual([false, true])
      await expect(m.writeRegister(16, 1)).rejects.toThrow(/Illegal data value/)
      const f = device.inflict('crc-error', { phase: 'l2' })
      await expect(m.readInputRegisters(0, 8)).rejects.toThrow(/CRC/)
      m.setID(3)
      expect((await m.readInputRegisters(0, 8)).data.length).toBe(8)
      f.lift()
      device.command({ do: 'isolate', engaged: true })
      m.setTimeout(150)
      await expect(m.readInputRegisters(0, 8)).rejects.toThrow(/Timed out/)
    } finally {
      await new Promise<void>((done) => m.close(() => done()))
    }
  })
})

describe('the table of devices', () => {
  test('options are checked, with what was expected', () => {
    for (const [name, kind] of Object.entries(devices)) {
      expect(() => kind.make({ personality: 'nonsense' }), name).toThrow(/has no 'nonsense'; there are: /)
      expect(() => kind.make({ colour: 'red' }), name).toThrow(GridproofError)
      expect(() => kind.make('x'), name).toThrow(/options of/)
    }
    expect(devices['gridkey-mcu520'].make({ profile: { profile: 'summer-weekday' } }).role).toBe('gridkey')
    expect(() => devices['thermocouple-tc8'].make({ courses: { attic: { constant: 1 } } })).toThrow(
      /no input 'attic'/,
    )
    expect(devices['thermocouple-tc8'].line()).toEqual({
      baudRate: 9600,
      dataBits: 8,
      parity: 'none',
      stopBits: 1,
    })
  })
})
