import type { Tensor } from './tensor.js'

/** What `deformConv2d` takes, in the same shapes. */
export interface DeformInputs {
  readonly x: Tensor
  readonly offset: Tensor
  readonly mask: Tensor
  readonly weight: Tensor
  readonly bias: Tensor
}

/** The convolution, rows of places by channels, and its gradient. */
export interface DeformWritten {
  readonly body: Tensor
  readonly vjp: (gradient: Tensor) => readonly Tensor[]
}
