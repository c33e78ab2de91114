/** Name of the evaluate stage that rounds lay out for a model and a held-out set. */
export const evaluationName = (model: string, set: string): string => `${model}-on-${set}`

/** The record of an evaluate stage in its run. */
export const evaluationRecord = (stage: string): string => `evaluations/${stage}.json`
