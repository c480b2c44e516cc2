/** Signals that ask a program to stop. */

/** Calls `f` at every signal that asks a program to stop; returns what undoes it. */
export function onStop(f: () => void): () => void {
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  for (const s of signals) process.on(s, f)
  return () => {
    for (const s of signals) process.off(s, f)
  }
}
