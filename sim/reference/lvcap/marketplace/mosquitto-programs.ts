/** The programs that the marketplace needs to run mosquitto, and whether this machine has them. */
import { accessSync, constants } from 'node:fs'

/** Where the programs may be; Debian's mosquitto is where only root's search path leads. */
const places = {
  mosquitto: ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'],
  // Of util-linux: has the kernel end a program with its parent.
  setpriv: ['/usr/bin/setpriv', '/bin/setpriv'],
} as const

/** What this way of running the marketplace lacks on this machine, and how to get it. */
export function mosquittoLacks(): readonly string[] {
  const get = { mosquitto: 'mosquitto', setpriv: 'util-linux' } as const
  return (['mosquitto', 'setpriv'] as const).flatMap((name) =>
    findProgram(name) === undefined
      ? [`${name} is not installed (Debian: apt-get install ${get[name]})`]
      : [],
  )
}

/** Path of a program, where it is installed. */
export function findProgram(name: keyof typeof places): string | undefined {
  return places[name].find((path) => {
    try {
      accessSync(path, constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}
