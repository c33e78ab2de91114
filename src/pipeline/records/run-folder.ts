/** Where what the processes of a run share lies in its storage; no stage can have that name. */
export const runFolder = '.groundmill'
