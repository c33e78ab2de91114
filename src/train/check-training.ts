import { UserError } from '../base/user-error.js'
import { glipConfig } from '../model/network/presets.js'
import { parameterSpecs } from '../model/parameter-specs.js'
import { openStartWeights, startProblem, startTokenizer } from '../model/start-weights.js'
import { readTokenizer } from '../model/word-piece.js'
import { checkValidated, type TrainConfig } from './config.js'
import { checkScales } from './step-sizes.js'
import { checkAuxiliary, checkFrozen, isFrozen, isPrompt, requireTunable } from './train-network.js'

/** A network whose names alone are looked at may have any vocabulary. */
const anyVocabulary = 1000

/**
 * Looks whether a training can begin, before there is anything to train on: its preset and sizes, what it starts
 * from, and what of it stays as it starts. No weights are read.
 *
 * @param init the folder to start from; undefined where there is none, or it is not there yet
 * @throws UserError as `trainModel` does of these
 */
export async function checkTraining(config: TrainConfig, init: string | undefined): Promise<void> {
  checkValidated(config)
  const problem = init === undefined ? undefined : await startProblem(init)
  if (problem !== undefined) throw new UserError(`${problem}.`)
  const tokenizer = init === undefined ? undefined : await startTokenizer(init)
  const words = tokenizer === undefined ? anyVocabulary : (await readTokenizer(tokenizer)).vocabulary.size
  const network = glipConfig(config.preset, words, config)
  checkAuxiliary(network, config)
  checkScales(network, config)
  if (config.tune === 'prompt') requireTunable(network, config.init)
  const parameters = parameterSpecs(network)
  if (config.tune === 'full')
    checkFrozen(
      parameters.map((one) => ({ ...one, frozen: isFrozen(one.name, config.freeze) })),
      config.freeze,
    )
  if (init === undefined) return
  // Of a vocabulary that is not made yet nobody knows the size.
  const known = tokenizer === undefined ? parameters.filter(isFixed(parameters, config)) : parameters
  await (await openStartWeights(init, known, isPrompt)).close()
}

/** Bytes of the weights of the network that a configuration asks for. */
export function weightBytes(config: TrainConfig): number {
  const specs = parameterSpecs(glipConfig(config.preset, config.vocabulary_size, config))
  return 4 * specs.reduce((sum, { shape }) => sum + shape.reduce((product, side) => product * side, 1), 0)
}

/** Whether a parameter has the same shape for any vocabulary. */
function isFixed(parameters: ReturnType<typeof parameterSpecs>, config: TrainConfig) {
  const others = new Map(
    parameterSpecs(glipConfig(config.preset, anyVocabulary + 1, config)).map(({ name, shape }) => [
      name,
      shape.join(),
    ]),
  )
  return ({ name, shape }: (typeof parameters)[number]) => others.get(name) === shape.join()
}
