import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { UserError } from '../base/user-error.js'
import { writeModelFolder } from '../model/model-folder.js'
import type { GlipConfig } from '../model/network/config.js'
import type { Tokenizer } from '../model/word-piece.js'
import type { NamedArray } from '../weights/safetensors.js'
import { plateauOf, type TrainConfig, type TrainRun } from './config.js'
import { plateauState, stepPlateau } from './optimizer/plateau.js'
import type { Validation } from './train-task.js'

export const validationState = z.object({
  /** What the learning rate falls by, where its schedule is `plateau`. */
  plateau: plateauState,
  /** The best validation: its step, and its metric. */
  best: z.object({ step: z.number(), value: z.number() }).optional(),
  /** Validations since then that were worse. */
  worse: z.number(),
})
export type ValidationState = Readonly<z.infer<typeof validationState>>

/** Where the weights of the best validation lie in the folder of a training that is not through. */
export const bestFile = 'best.safetensors'
/** Where a model lies while it is validated. */
export const validatedFolder = 'validation'

/** A training's look at a set that it is not trained on. */
export interface Validator {
  /** Whether one is due behind this step. */
  isDue(step: number): boolean
  /** Scores the weights as they are behind a step: the scores, by their names in metrics.jsonl. */
  validate(step: number, signal?: AbortSignal): Promise<Record<string, number>>
  readonly state: ValidationState
  /** Whether the training has waited for a better one as long as it is to. */
  readonly isOver: boolean
}

/** The state before the first validation. */
export const firstValidation = ({
  learning_rate: rate,
}: Pick<TrainRun, 'learning_rate'>): ValidationState => ({
  plateau: { rate, bad: 0 },
  worse: 0,
})

/**
 * The state behind a validation. As in the official code one that is as good as the best takes its place, the best before
 * the first is 0, and validations within the warm-up do not lower the rate.
 */
export function afterValidation(
  state: ValidationState,
  { step, value }: { readonly step: number; readonly value: number },
  config: TrainConfig,
): ValidationState {
  const counts = config.schedule === 'plateau' && step >= config.warmup
  const plateau = counts ? stepPlateau(state.plateau, value, plateauOf(config)) : state.plateau
  if (value >= (state.best?.value ?? 0)) return { plateau, best: { step, value }, worse: 0 }
  return { ...state, plateau, worse: state.worse + 1 }
}

/** Whether the best validation lies so far back that the training ends. */
export const isOver = ({ worse }: ValidationState, { early_stop: stop }: TrainConfig): boolean =>
  stop !== undefined && worse >= stop.patience

/** What is validated, and where. */
export interface ValidatorOptions {
  readonly folder: string
  readonly config: TrainRun & { readonly validate: NonNullable<TrainRun['validate']> }
  /** Steps of an epoch. */
  readonly epoch: number
  readonly network: GlipConfig
  readonly tokenizer: Tokenizer
  readonly parameters: readonly NamedArray[]
}

/**
 * Validates a training as the official code does (`do_train`): at the end of each epoch and of the training. The weights
 * of the best one are kept, of equal ones the last; the rate falls, and the training ends, where none has been better for
 * long.
 *
 * @param state of the last validation that an earlier run has made
 */
export function openValidator(
  { score }: Validation,
  { folder, config, epoch, network, tokenizer, parameters }: ValidatorOptions,
  state: ValidationState,
): Validator {
  const { validate } = config
  const { every = epoch, metric = 'ap' } = validate
  const work = join(folder, validatedFolder)
  return {
    get state() {
      return state
    },
    get isOver() {
      return isOver(state, config)
    },
    isDue: (step) => step % every === 0 || step === config.steps,
    async validate(step, signal) {
      await writeModelFolder(work, {
        ...{ config: network, vocabulary: tokenizer.vocabulary, parameters },
        card: '',
      })
      const scores = await score(work, signal)
      const value = scores[metric]
      if (value === undefined || !Number.isFinite(value))
        throw new UserError(
          `validate: "${validate.set}" gives no ${metric}: it has nothing of that kind to be found.`,
        )
      state = afterValidation(state, { step, value }, config)
      if (state.best?.step === step) await rename(join(work, 'model.safetensors'), join(folder, bestFile))
      await rm(work, { recursive: true })
      return Object.fromEntries(Object.entries(scores).map(([name, one]) => [`eval_${name}`, one]))
    },
  }
}
