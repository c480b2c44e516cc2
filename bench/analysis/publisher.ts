/** Who publishes, by the topic alone. */

/**
 * The instance that publishes on a topic, by the rules of the LV-CAP API (5.3, 8.2 to 8.6); nothing where the topic names
 * none.
 */
export function publisherIn(topic: string): string | undefined {
  const [a, b, c, d] = topic.split('/')
  if ((a === 'sensor' || a === 'algorithm') && b === 'data') return c
  if (a === 'storage' && b === 'data') return c === 'error' ? d : c
  if (a === 'storage' && b === 'request') return c === 'newdata' ? d : c
  if (a === 'storage' && b === 'uploaded') return c
  if (a === 'status' && b === 'response') return c
  if (a === 'config' && b === 'request') return c
  return undefined
}
