/** What the evidence says of a reader that is away (`host`, src `reader`): lists that came meanwhile are nobody's. */
export const readerDown = 'the reader is down'
export const readerUp = 'the reader is up'
