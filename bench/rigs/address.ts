/** Address of a place in the rig's network: `10.77.0` and 20 give `10.77.0.20`. */
export function addressOf(network: string, at: number): string {
  return `${network}.${at}`
}
