/** Something that keeps what it is given on a disk, and promises it: what the explorer of crash states tries. */
export interface Subject {
  readonly id: string
  /** One plain sentence. */
  readonly describes: string
  /** `sound`: it must keep every promise in every state. `flawed`: the explorer must find it out. */
  readonly is: 'sound' | 'flawed'
  /** Of whom a flaw is a defect: the reference platform and servers, or the textbook. */
  readonly of: 'platform' | 'servers' | 'textbook'
  /** Mount options that its disk has beyond those of all. */
  readonly mount?: string
  /** Keeps items 0 to n - 1 below the folder, one after the other; `promised` is called as each has been promised. */
  write(folder: string, n: number, promised: (item: number) => void): void
  /** What is there after a loss of power, when it has done whatever it does at its start. Throws where it cannot start. */
  read(folder: string): Kept
}

export interface Kept {
  readonly items: ReadonlySet<number>
  /** What is there and is nothing that was ever written: torn, mixed or made up. */
  readonly damaged: readonly string[]
}

/** A hundred bytes that tell whether they are whole. */
export function textOfItem(n: number): string {
  return `item ${String(n).padStart(6, '0')} ${String(n * 7919).padStart(80, '.')} end`
}

/** The item of such a text; nothing for any other. */
export function itemOf(text: string): number | undefined {
  const n = Number(/^item (\d{6}) /.exec(text)?.[1] ?? Number.NaN)
  return textOfItem(n) === text ? n : undefined
}
