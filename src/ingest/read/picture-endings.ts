/** Endings of pictures; also of those that are not decoded, so that they are told of. */
export const pictureEndings: ReadonlySet<string> = new Set([
  '.jpg',
  '.jpeg',
  '.png',
  '.webp',
  '.gif',
  '.tif',
  '.tiff',
  '.avif',
  '.jfif',
  '.jpe',
  '.bmp',
  '.heic',
  '.heif',
  '.jxl',
])
