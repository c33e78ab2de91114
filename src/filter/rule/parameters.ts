import { z } from 'zod'

/** A score, an IoU or a part of a whole: 0 to 1. */
export const share = z.number().min(0).max(1)

/** A number of things, 1 at least. */
export const count = z.number().int().positive()

/** The path of a file or folder. */
export const path = z.string().min(1)
