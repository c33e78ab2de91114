/**
 * Ends this process at once, whatever it does. `process.exit` waits for what libuv's threads and workers are
 * at, such as the decoding of a picture or a step of a model.
 *
 * @param signal what it is seen to have ended by; no listener for it hears of it
 */
export function killSelf(signal: 'SIGINT' | 'SIGKILL'): never {
  if (signal !== 'SIGKILL') process.removeAllListeners(signal)
  process.kill(process.pid, signal)
  // The first process of a container is given no signal that it does not listen to.
  process.exit(signal === 'SIGINT' ? 130 : 137)
}
