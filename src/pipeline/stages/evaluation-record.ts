/** Name of the evaluate stage that rounds lay out for a model and a held-out set. */
export const evaluationName = (model: string, set: string): string => `${model}-on-${set}`

/** Folder of a run that holds the records of its evaluate stages. */
export const evaluationFolder = 'evaluations'

/** The record of an evaluate stage in its run. */
export const evaluationRecord = (stage: string): string => `${evaluationFolder}/${stage}.json`
