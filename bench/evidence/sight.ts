/** Notes that tell when the bench could not hear the marketplace: a check does not miss what nobody could hear. */
export const outOfHearing = 'the observer lost its connection to the marketplace'
export const hearsAgain = 'the observer hears the marketplace again'
