// @ts-check
/**
 * Whether a device can run a session, asked in a process of its own: what native libraries print where there is no GPU
 * (Dawn: "Couldn't load Vulkan") goes to the standard error of the process, past onnxruntime's log, and a driver that
 * crashes takes nobody with it. Prints nothing where it can, else why not. JavaScript, as `session-worker.js`.
 *
 * Arguments: the execution provider as JSON, a model in base64.
 */
import { InferenceSession } from './onnxruntime.js'

const [provider = '', model = ''] = process.argv.slice(2)
try {
  const session = await InferenceSession.create(Buffer.from(model, 'base64'), {
    executionProviders: [JSON.parse(provider)],
    logSeverityLevel: 4,
  })
  await session.release()
} catch (error) {
  process.stdout.write(/** @type {Error} */ (error).message)
}
