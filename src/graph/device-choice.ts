import { z } from 'zod'
import type { DeviceChoice } from './device.js'

const known = /^(auto|cpu|webgpu|cuda(:\d+)?)$/

/** A device as a configuration names it. */
export const deviceChoice = z
  .custom<DeviceChoice>(
    (value) => typeof value === 'string' && known.test(value),
    'expected cpu, cuda, cuda:1 (the second card), webgpu or auto',
  )
  .meta({ type: 'string' })
