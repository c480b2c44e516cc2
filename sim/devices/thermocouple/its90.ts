/**
 * Thermocouples of type K and T by ITS-90: EMF of a temperature against a junction at 0 °C, and back. Coefficients:
 * NIST Monograph 175 (the ITS-90 thermocouple database, srdata.nist.gov), E in mV, t in °C. The inverse polynomials
 * carry NIST's stated errors: K -0.05..+0.06 °C, T -0.03..+0.04 °C.
 */

export type ThermocoupleType = 'K' | 'T'

interface Piece {
  /** It holds up to here, in °C for EMF, in mV for the inverse. */
  readonly upTo: number
  /** c0 first. */
  readonly c: readonly number[]
}

interface Law {
  /** Range of the type, °C. */
  readonly from: number
  readonly to: number
  /** Range of the inverse, °C. */
  readonly inverseFrom: number
  readonly emf: readonly Piece[]
  readonly inverse: readonly Piece[]
}

const laws: Readonly<Record<ThermocoupleType, Law>> = {
  K: {
    from: -270,
    to: 1372,
    inverseFrom: -200,
    emf: [
      {
        upTo: 0,
        c: [
          0, 0.39450128025e-1, 0.23622373598e-4, -0.32858906784e-6, -0.49904828777e-8, -0.67509059173e-10,
          -0.57410327428e-12, -0.31088872894e-14, -0.10451609365e-16, -0.19889266878e-19, -0.16322697486e-22,
        ],
      },
      {
        upTo: 1372,
        c: [
          -0.17600413686e-1, 0.38921204975e-1, 0.18558770032e-4, -0.99457592874e-7, 0.31840945719e-9,
          -0.56072844889e-12, 0.56075059059e-15, -0.32020720003e-18, 0.97151147152e-22, -0.12104721275e-25,
        ],
      },
    ],
    inverse: [
      {
        upTo: 0,
        c: [
          0, 25.173462, -1.1662878, -1.0833638, -0.8977354, -0.37342377, -0.86632643e-1, -0.10450598e-1,
          -0.51920577e-3,
        ],
      },
      {
        upTo: 20.644,
        c: [
          0, 25.08355, 0.7860106e-1, -0.2503131, 0.831527e-1, -0.1228034e-1, 0.9804036e-3, -0.441303e-4,
          0.1057734e-5, -0.1052755e-7,
        ],
      },
      {
        upTo: 54.886,
        c: [-131.8058, 48.30222, -1.646031, 0.5464731e-1, -0.9650715e-3, 0.8802193e-5, -0.311081e-7],
      },
    ],
  },
  T: {
    from: -270,
    to: 400,
    inverseFrom: -200,
    emf: [
      {
        upTo: 0,
        c: [
          0, 0.38748106364e-1, 0.44194434347e-4, 0.11844323105e-6, 0.20032973554e-7, 0.90138019559e-9,
          0.22651156593e-10, 0.36071154205e-12, 0.38493939883e-14, 0.28213521925e-16, 0.14251594779e-18,
          0.48768662286e-21, 0.1079553927e-23, 0.13945027062e-26, 0.79795153927e-30,
        ],
      },
      {
        upTo: 400,
        c: [
          0, 0.38748106364e-1, 0.3329222788e-4, 0.20618243404e-6, -0.21882256846e-8, 0.10996880928e-10,
          -0.30815758772e-13, 0.4547913529e-16, -0.27512901673e-19,
        ],
      },
    ],
    inverse: [
      {
        upTo: 0,
        c: [0, 25.949192, -0.21316967, 0.79018692, 0.42527777, 0.13304473, 0.20241446e-1, 0.12668171e-2],
      },
      {
        upTo: 20.872,
        c: [0, 25.928, -0.7602961, 0.4637791e-1, -0.2165394e-2, 0.6048144e-4, -0.7293422e-6],
      },
    ],
  },
}

/** Horner, in the piece that holds at `x`. */
function evaluate(pieces: readonly Piece[], x: number): number {
  const piece = pieces.find((p) => x <= p.upTo) ?? pieces.at(-1)
  return piece === undefined ? Number.NaN : piece.c.reduceRight((sum, c) => sum * x + c, 0)
}

/** Range in °C in which both directions hold. */
export function rangeOf(type: ThermocoupleType): { readonly from: number; readonly to: number } {
  return { from: laws[type].inverseFrom, to: laws[type].to }
}

/** EMF in mV at `t` °C against 0 °C. Not a number outside the type's range (K -270..1372, T -270..400). */
export function emf(type: ThermocoupleType, t: number): number {
  const law = laws[type]
  if (!(t >= law.from && t <= law.to)) return Number.NaN
  const e = evaluate(law.emf, t)
  // type K above 0 °C has a bell about 127 °C besides
  return type === 'K' && t > 0 ? e + 0.1185976 * Math.exp(-0.1183432e-3 * (t - 126.9686) ** 2) : e
}

/** Temperature in °C of an EMF in mV against 0 °C. Outside the range it follows the nearest piece. */
export function temperature(type: ThermocoupleType, mv: number): number {
  return evaluate(laws[type].inverse, mv)
}

/**
 * Temperature of the tip, from what is measured at terminals that are at `junction` °C. EMFs are added, never
 * temperatures: t = inverse(E + E(junction)).
 */
export function compensated(type: ThermocoupleType, mv: number, junction: number): number {
  return temperature(type, mv + emf(type, junction))
}
