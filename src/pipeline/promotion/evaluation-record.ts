/** Name of the evaluate stage that rounds lay out for a model and a held-out set. */
export const evaluationName = (model: string, set: string): string => `${model}-on-${set}`

/** What a teacher that is of no stage is called in evaluations and reports. */
export const folderTeacher = 'teacher'

/** Folder of a run that holds the records of its evaluate stages. */
export const evaluationFolder = 'evaluations'

/** The record of an evaluate stage in its run. */
export const evaluationRecord = (stage: string): string => `${evaluationFolder}/${stage}.json`

/** What became of the answers, picture by picture, beside that record. */
export const outcomesFile = (stage: string): string => `${evaluationFolder}/${stage}.outcomes.json`

/** Whether an object of that folder is a record. */
export const isEvaluationRecord = (name: string): boolean =>
  name.endsWith('.json') && !name.endsWith('.outcomes.json')
