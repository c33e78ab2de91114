/** Seconds of work that a kill may lose at least: a checkpoint that takes long to write comes less often. */
const savedEvery = 60
/** Most of the time that goes into checkpoints which the configuration does not ask for. */
const savingShare = 0.05

/**
 * Writes checkpoints: each `every` steps, after a minute, or as seldom as takes a twentieth of the time, and where one is
 * asked for, as when work is stopped.
 *
 * @param save writes that of a step
 * @returns what is called behind each step
 */
export function saveCheckpoints(
  every: number,
  save: (step: number) => Promise<void>,
): (step: number, isAsked: boolean) => Promise<void> {
  let saved = performance.now()
  let saving = 0
  return async (step, isAsked) => {
    const begun = performance.now()
    const isDue = (begun - saved) / 1000 >= Math.max(savedEvery, saving / savingShare)
    if (!isAsked && step % every !== 0 && !isDue) return
    await save(step)
    saved = performance.now()
    saving = (saved - begun) / 1000
  }
}
