/** Configuration of the watchdogs of the device (OpenLV I:0017, S:001, W:001). The specification has no figures: all are ours. */
import { z } from 'zod'

const place = z.strictObject({ address: z.string().min(1), port: z.int().min(1).max(65_535) })
export type Place = z.infer<typeof place>

const seconds = z.number().positive().max(86_400)

/** What the Container Manager is told of the watchdog that it is to feed. */
export const feedSettings = place.extend({
  /** Seconds between two signs of life. */
  every: seconds.default(3),
})
export type FeedSettings = z.infer<typeof feedSettings>

/** What the watchdog is given: it runs on hardware of its own, beside the computer and the router. */
export const watchdogSchema = z.strictObject({
  /** TCP port on the inner network at which the computer feeds it. */
  port: z.int().min(1).max(65_535),
  computer: z.strictObject({
    /** Whose signs of life count. */
    address: z.string().min(1),
    /** Where its power is switched. */
    relay: place,
    /** Seconds without a sign of life after which a computer that was alive is reset. */
    silence: seconds.default(15),
    /** Seconds that it has from power to its first sign of life; twice as long after each reset that brought none. */
    boot: seconds.default(120),
  }),
  router: z.strictObject({
    /** Its own page, on the inner network: it answers as long as the router works, whatever the mobile network does. */
    page: place,
    relay: place,
    /** Somebody beyond it who always answers. */
    beyond: place,
    /** Seconds between two questions to its page. */
    every: seconds.default(5),
    /** And to whoever is beyond it, which cost data. */
    reach: seconds.default(20),
    /** Seconds without an answer of its page after which a router that had answered is reset. More than it takes to boot. */
    silence: seconds.default(30),
    /** Seconds that it has from power to its first answer; twice as long after each reset that brought none. */
    boot: seconds.default(120),
    /**
     * Seconds without an answer from beyond after which a router is reset whose page answers: its modem may hang. Twice as
     * long after each reset that brought none, for it may be the mobile network, which no reset brings back.
     */
    link: seconds.default(300),
  }),
  /** The longest that any of these becomes by doubling, seconds. */
  most: z
    .number()
    .positive()
    .max(7 * 86_400)
    .default(14_400),
})
export type WatchdogConfig = z.infer<typeof watchdogSchema>
