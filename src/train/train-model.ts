import { openTraining } from './open-training.js'
import { learningRate } from './optimizer/learning-rate.js'
import { saveCheckpoints } from './optimizer/save-checkpoints.js'
import { takeStep } from './take-step.js'
import type { TrainResult, TrainTask } from './train-task.js'
import { writeTrained } from './write-trained.js'

/**
 * Trains a model and writes its folder. Batches, augmentation and first weights come from the seed, so a run
 * gives the same losses again; a run that was stopped goes on from its last checkpoint with the losses it
 * would have had.
 */
export async function trainModel(task: TrainTask): Promise<TrainResult> {
  const opened = performance.now()
  const training = await openTraining(task)
  const { config, parts, state, metrics, done, validator } = training
  const keep = saveCheckpoints(config.checkpoint_every, training.save)
  try {
    for (let step = done + 1; step <= config.steps && !validator?.isOver; step++) {
      const begun = performance.now()
      const rate = learningRate(step, config, validator?.state.plateau.rate)
      const losses: Record<string, number>[] = []
      let waited = 0
      for (let part = 0; part < parts; part++) {
        const asked = performance.now()
        const batch = await training.batch(step, part)
        waited += secondsSince(asked)
        losses.push(await training.run(batch))
        // The last part's gradients stay in their vectors: `takeStep` adds the sum of the earlier ones to
        // them.
        if (part < parts - 1) for (const { vectors } of state.groups) vectors.keepGradient()
      }
      const taken = takeStep(state, losses, step, rate, config)
      const seconds = secondsSince(begun)
      const isValidated = validator?.isDue(step) === true
      const scores = isValidated ? await validator.validate(step, task.signal) : {}
      const line = { ...taken, seconds, data_seconds: waited, ...scores }
      await metrics.add(line)
      task.onProgress?.(line, config.steps)
      // The weights of the best validation and the state that speaks of them are kept together.
      await keep(step, isValidated || task.signal?.aborted === true)
      task.signal?.throwIfAborted()
    }
  } finally {
    await training.close()
  }
  return writeTrained(task, training, secondsSince(opened))
}

const secondsSince = (time: number) => (performance.now() - time) / 1000
