/** The few functions of the C library that Node does not offer, by koffi. Linux and macOS. */
import { closeSync, constants, openSync } from 'node:fs'
import { createRequire } from 'node:module'
import { GridproofError, messageOf } from '../errors.ts'

/** Room for a `struct termios` of any system (octets): the largest known, macOS, has 72. */
const termiosRoom = 256

/** A pseudo terminal: what is written to one end is read at the other. */
export interface PtyPair {
  /** File descriptor of our end; it does not block. */
  readonly master: number
  /** File descriptor of the other end, kept open: else our end reads EIO whenever the peer closes. */
  readonly slave: number
  /** What the peer opens. */
  readonly path: string
}

export interface Libc {
  /** Opens a pair, set to raw: no echo, no translation of any byte. Throws `rig-broke`. */
  openPair(): PtyPair
  /** Bits a second that somebody has set on the pair; nothing while nobody has. */
  askedSpeed(slave: number): number | undefined
  /** Linux: this process is killed when the thread that started it ends. Says whether that is in force. */
  dieWithParent(): boolean
}

/** Koffi functions are untyped; each one is given its type where it is declared. */
type Declare = (prototype: string) => (...args: readonly unknown[]) => unknown

/**
 * Loads the C library, or says why it cannot be had. Needs koffi, whose native part is an optional package.
 */
export function loadLibc(): Libc | { lacks: string } {
  if (process.platform !== 'linux' && process.platform !== 'darwin')
    return { lacks: `${process.platform} has no POSIX pseudo terminals` }
  try {
    const koffi = createRequire(import.meta.url)('koffi') as {
      load(path: string | null): { func: Declare }
      errno(): number
    }
    const lib = koffi.load(null)
    return bindLibc(
      (p) => lib.func(p),
      () => koffi.errno(),
    )
  } catch (e) {
    return { lacks: `koffi cannot be loaded (${messageOf(e).split('\n')[0] ?? ''})` }
  }
}

function bindLibc(declare: Declare, errno: () => number): Libc {
  const int = (prototype: string): ((...args: readonly unknown[]) => number) => {
    const f = declare(prototype)
    return (...args) => Number(f(...args))
  }
  const posixOpenpt = int('int posix_openpt(int)')
  const grantpt = int('int grantpt(int)')
  const unlockpt = int('int unlockpt(int)')
  const ptsname = declare('const char *ptsname(int)')
  const tcgetattr = int('int tcgetattr(int, uint8_t *)')
  const tcsetattr = int('int tcsetattr(int, int, uint8_t *)')
  const cfmakeraw = declare('void cfmakeraw(uint8_t *)')
  const cfsetspeed = int('int cfsetspeed(uint8_t *, unsigned int)')
  const linux = process.platform === 'linux'
  const ioctl = linux ? int('int ioctl(int, unsigned long, uint8_t *)') : undefined
  const prctl = linux ? int('int prctl(int, unsigned long, ulong, ulong, ulong)') : undefined

  const must = (what: string, result: number): void => {
    if (result !== 0)
      throw new GridproofError('rig-broke', `pseudo terminal: ${what} failed, errno ${errno()}`)
  }
  return {
    openPair() {
      // Not blocking from the start: libuv leaves the master's end of a pseudo terminal as it finds it.
      const master = posixOpenpt(constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK | closeOnExec())
      if (master < 0)
        throw new GridproofError(
          'rig-broke',
          `pseudo terminal: none left, or /dev/ptmx is not there, errno ${errno()}`,
        )
      let slave = -1
      try {
        must('grantpt', grantpt(master))
        must('unlockpt', unlockpt(master))
        const path = String(ptsname(master))
        slave = openSync(path, constants.O_RDWR | constants.O_NOCTTY)
        const termios = new Uint8Array(termiosRoom)
        must('tcgetattr', tcgetattr(slave, termios))
        cfmakeraw(termios)
        cfsetspeed(termios, untouchedSpeed)
        must('tcsetattr', tcsetattr(slave, 0, termios))
        return { master, slave, path }
      } catch (e) {
        if (slave >= 0) closeSync(slave)
        closeSync(master)
        throw e
      }
    },
    askedSpeed(slave) {
      if (ioctl === undefined || !genericTermios.has(process.arch)) return undefined
      const t = new DataView(new ArrayBuffer(termiosRoom))
      if (ioctl(slave, TCGETS2, new Uint8Array(t.buffer)) !== 0) return undefined
      const speed = t.getUint32(outSpeedAt, true)
      return speed === untouchedSpeed ? undefined : speed
    },
    dieWithParent() {
      if (prctl === undefined) return false
      return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) === 0
    },
  }
}

/** Speed that a fresh pair is set to, so that a peer's own setting is told from none. Nobody uses 50 baud. Ours. */
const untouchedSpeed = 50

/** linux/include/uapi/asm-generic/ioctls.h and termbits.h: `struct termios2` has 44 octets, c_ospeed at 40. */
const TCGETS2 = 0x802c_542a
const outSpeedAt = 40
/** Architectures of Node that use these generic numbers. */
const genericTermios: ReadonlySet<string> = new Set(['x64', 'arm64', 'arm', 'ia32', 'riscv64'])

/** linux/include/uapi/linux/prctl.h, and signal(7). */
const PR_SET_PDEATHSIG = 1
const SIGKILL = 9

/** O_CLOEXEC, which Node's constants lack: open(2), asm-generic/fcntl.h; macOS sys/fcntl.h. */
function closeOnExec(): number {
  return process.platform === 'linux' ? 0o2_000_000 : 0x0100_0000
}
