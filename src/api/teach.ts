/**
 * Teachers: models that find the phrases of a text in a picture.
 *
 * @example
 * ```ts
 * import { readFile } from 'node:fs/promises'
 * import { decodePicture, openTeacher } from 'groundmill/teach'
 *
 * const teacher = await openTeacher('runs/quickstart/models/teacher')
 * try {
 *   const bytes = await readFile('runs/quickstart/world/known/images/000000.jpg')
 *   const picture = await decodePicture(bytes, teacher.pictureSide)
 *   const [found] = await teacher.detect(
 *     [{ picture, text: 'a red cat', phrases: [[0, 9]] }],
 *     { floor: 0.1, nms: 0.6, max_boxes: 5 },
 *   )
 *   for (const { xyxy, score } of found) console.log(xyxy, score)
 * } finally {
 *   await teacher.close()
 * }
 * ```
 *
 * @module groundmill/teach
 */

export type { Xyxy } from '../boxes/xyxy.js'
export { type Device, type DeviceChoice, resolveDevice } from '../graph/device.js'
export { decodePicture, type Picture } from '../pictures/picture.js'
export type { Detection } from '../teacher/closed-vocabulary.js'
export { type SizeMode, type TeachConfig, teachConfig } from '../teacher/config.js'
export { hashTeacher, type OpenOptions, openTeacher } from '../teacher/open-teacher.js'
export type {
  OwnDetector,
  OwnPhraseTeacher,
  OwnTeacher,
  OwnTeacherOptions,
  TeacherModule,
} from '../teacher/own-teacher.js'
export type { DetectOptions, PhraseDetection, Query, Teacher } from '../teacher/teacher.js'
