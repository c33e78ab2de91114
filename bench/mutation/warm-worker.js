/** The thread of bench/mutation/warm-pool.ts: vitest's own, that forgets the project's modules before each run. */
import { parentPort } from 'node:worker_threads'
import { init, runBaseTests, setupEnvironment } from 'vitest/worker'

const port = /** @type {import('node:worker_threads').MessagePort} */ (parentPort)

/** No mutant is there while modules are loaded, and none of them has run before. */
function forgetModules() {
  const stryker = Reflect.get(globalThis, '__stryker__')
  if (stryker) stryker.activeMutant = undefined
  const modules = Reflect.get(globalThis, '__vitest_worker__')?.evaluatedModules
  for (const [path, module] of modules?.idToModuleMap ?? []) {
    // Packages stay as they are: node itself has loaded them, and this is only vitest's note of them.
    if (/\/node_modules\//.test(path) || !path.startsWith('/')) continue
    module.promise = undefined
    module.exports = undefined
    module.evaluated = false
    module.importers.clear()
  }
}

/**
 * Stryker stops a mutant that is passed a hundred times as often as the code is otherwise, since it will not
 * end. Ten times are enough to tell: as seeds are fixed and failed properties are not shrunk, a mutant
 * that ends does not come near them.
 */
function lowerLimit(/** @type {any} */ state) {
  const { hitLimit } = state.providedContext
  if (hitLimit) state.providedContext = { ...state.providedContext, hitLimit: Math.ceil(hitLimit / 10) }
}

init({
  post: (response) => port.postMessage(response),
  on: (callback) => port.on('message', callback),
  off: (callback) => port.off('message', callback),
  setup: setupEnvironment,
  runTests: async (state, traces) => {
    forgetModules()
    lowerLimit(state)
    await runBaseTests('run', state, traces)
  },
  collectTests: (state, traces) => runBaseTests('collect', state, traces),
})
