/** Complex numbers, as much as phasors need. */
export interface Complex {
  readonly re: number
  readonly im: number
}

export const zero: Complex = { re: 0, im: 0 }

export const complex = (re: number, im = 0): Complex => ({ re, im })

/** From a magnitude and an angle in degrees. */
export function polar(size: number, degrees: number): Complex {
  const angle = (degrees * Math.PI) / 180
  return { re: size * Math.cos(angle), im: size * Math.sin(angle) }
}

export const add = (a: Complex, b: Complex): Complex => ({ re: a.re + b.re, im: a.im + b.im })
export const subtract = (a: Complex, b: Complex): Complex => ({ re: a.re - b.re, im: a.im - b.im })
export const times = (a: Complex, b: Complex): Complex => ({
  re: a.re * b.re - a.im * b.im,
  im: a.re * b.im + a.im * b.re,
})

export function over(a: Complex, b: Complex): Complex {
  const d = b.re * b.re + b.im * b.im
  return { re: (a.re * b.re + a.im * b.im) / d, im: (a.im * b.re - a.re * b.im) / d }
}

export const scaled = (a: Complex, by: number): Complex => ({ re: a.re * by, im: a.im * by })
export const conjugate = (a: Complex): Complex => ({ re: a.re, im: -a.im })
export const sizeOf = (a: Complex): number => Math.hypot(a.re, a.im)
