/** Upload-Metadata (tus 1.0.0, extension creation): keys, and values in Base64. */
export function metadataText(pairs: Readonly<Record<string, string>>): string {
  return Object.entries(pairs)
    .map(([key, value]) => `${key} ${Buffer.from(value, 'utf8').toString('base64')}`)
    .join(',')
}
