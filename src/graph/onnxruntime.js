// @ts-check
/**
 * The one file that imports onnxruntime-node: the switch of its telemetry must be set first. JavaScript, so
 * that `session-worker.js` can import it from the sources too. A thread's environment is a copy that native
 * code does not see, so the thread that starts another has to have imported this as well.
 */
import './no-telemetry.js'

export { InferenceSession, Tensor } from 'onnxruntime-node'
