/** Object Detection in the Wild: 35 small data sets, 13 of which are GLIP's own table. */

export interface OdinwSet {
  readonly name: string
  /** Below the folder of all sets, as the official download lays them out. */
  readonly images: string
  readonly annotations: string
  readonly isOf13: boolean
}

/** What the official configurations evaluate on: `valid`, or `mini_val` where that is large. */
const folders: readonly (readonly [folder: string, isOf13: 0 | 1])[] = [
  ['AerialMaritimeDrone/large/valid', 1],
  ['AerialMaritimeDrone/tiled/valid', 0],
  ['AmericanSignLanguageLetters/American Sign Language Letters.v1-v1.coco/valid', 0],
  ['Aquarium/Aquarium Combined.v2-raw-1024.coco/valid', 1],
  ['BCCD/BCCD.v3-raw.coco/valid', 0],
  ['ChessPieces/Chess Pieces.v23-raw.coco/valid', 0],
  ['CottontailRabbits/valid', 1],
  ['DroneControl/Drone Control.v3-raw.coco/mini_val', 0],
  ['EgoHands/generic/mini_val', 1],
  ['EgoHands/specific/mini_val', 0],
  ['HardHatWorkers/raw/valid', 0],
  ['MaskWearing/raw/valid', 0],
  ['MountainDewCommercial/valid', 0],
  ['NorthAmericaMushrooms/North American Mushrooms.v1-416x416.coco/valid', 1],
  ['OxfordPets/by-breed/mini_val', 0],
  ['OxfordPets/by-species/mini_val', 0],
  ['PKLot/640/mini_val', 0],
  ['Packages/Raw/valid', 1],
  ['PascalVOC/valid', 1],
  ['Raccoon/Raccoon.v2-raw.coco/valid', 1],
  ['ShellfishOpenImages/raw/valid', 1],
  ['ThermalCheetah/valid', 0],
  ['UnoCards/raw/mini_val', 0],
  ['VehiclesOpenImages/416x416/mini_val', 1],
  ['WildfireSmoke/valid', 0],
  ['boggleBoards/416x416AutoOrient/export', 0],
  ['brackishUnderwater/960x540/mini_val', 0],
  ['dice/mediumColor/export', 0],
  ['openPoetryVision/512x512/mini_val', 0],
  ['pistols/export', 1],
  ['plantdoc/416x416/valid', 0],
  ['pothole/valid', 1],
  ['selfdrivingCar/fixedLarge/export', 0],
  ['thermalDogsAndPeople/valid', 1],
  ['websiteScreenshots/mini_val', 0],
]

/** The sets of the benchmark of 13 or of 35: configs/odinw_13 and configs/odinw_35/_all.json. */
export function odinwSets(of: 13 | 35): OdinwSet[] {
  return folders
    .filter(([, isOf13]) => of === 35 || isOf13 === 1)
    .map(([images, isOf13]) => {
      const parts = images.split('/')
      const name = parts
        .slice(0, parts[0] === 'AerialMaritimeDrone' || /EgoHands|OxfordPets/.test(parts[0] ?? '') ? 2 : 1)
        .join('/')
      return { name, images, annotations: annotationsOf(images), isOf13: isOf13 === 1 }
    })
}

/** An `export` folder holds all splits. */
const annotationsOf = (images: string) =>
  `${images}/${images.endsWith('/export') ? 'val_annotations_without_background.json' : 'annotations_without_background.json'}`

/**
 * Sets that have an official configuration and are none of the 35: the same pictures at another size. They do not
 * count in the mean.
 */
export const odinwBeside: readonly OdinwSet[] = ['plantdoc/100x100/valid'].map((images) => ({
  name: images.slice(0, images.lastIndexOf('/')),
  images,
  annotations: annotationsOf(images),
  isOf13: false,
}))

/** The benchmark's one number: the mean of the sets' AP. Sets without anything to find do not count. */
export function meanAp(sets: readonly { readonly ap: number }[]): number {
  const counted = sets.filter(({ ap }) => ap >= 0)
  return counted.length === 0 ? -1 : counted.reduce((sum, { ap }) => sum + ap, 0) / counted.length
}
