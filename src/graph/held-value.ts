import type { Tensor as OrtTensor } from './onnxruntime.js'

/** A value in the memory of a device, which sessions there read as it is. It takes memory there until `release`. */
export class HeldValue {
  /** @param tensor as a session on the device has made it */
  constructor(readonly tensor: OrtTensor) {}

  release(): void {
    this.tensor.dispose()
  }
}
