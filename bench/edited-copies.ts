/** Pictures, and what people do to them before they put them up again. */
import sharp from 'sharp'
import { type Random, random } from '../src/base/random.js'

/** A scene of soft and hard shapes over a sweep of two colours, 320 x 240; another for each seed. */
export function drawnPicture(seed: number): Promise<Buffer> {
  const draw = random(seed, 'scene')
  const colour = () => `hsl(${draw.integer(360)},${20 + draw.integer(60)}%,${15 + draw.integer(70)}%)`
  const shapes = Array.from({ length: 40 }, () => {
    const [x, y] = [draw.integer(320), draw.integer(240)]
    const [w, h] = [8 + draw.integer(60), 8 + draw.integer(60)]
    return draw.integer(2) === 0
      ? `<ellipse cx="${x}" cy="${y}" rx="${w / 2}" ry="${h / 2}" fill="${colour()}"/>`
      : `<rect x="${x}" y="${y}" width="${w}" height="${h}" fill="${colour()}" transform="rotate(${draw.integer(90)} ${x} ${y})"/>`
  })
  const sweep = `<linearGradient id="s" x2="${draw.next()}" y2="1"><stop stop-color="${colour()}"/><stop offset="1" stop-color="${colour()}"/></linearGradient>`
  return drawn(
    320,
    240,
    `<defs>${sweep}</defs><rect width="320" height="240" fill="url(#s)"/>${shapes.join('')}`,
  )
}

const svg = (width: number, height: number, inside: string) =>
  Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${inside}</svg>`)

const drawn = (width: number, height: number, inside: string) =>
  sharp(svg(width, height, inside))
    .removeAlpha()
    .jpeg({ quality: 92 })
    .toBuffer()

/** Kinds of pictures in which most of two different ones is the same: what a false pair comes from. */
export const plainPictures: Readonly<Record<string, (seed: number) => Promise<Buffer>>> = {
  'sky over a plain': (seed) => {
    const draw = random(seed, 'sky')
    const horizon = 80 + draw.integer(120)
    const blue = 200 + draw.integer(30)
    return drawn(
      256,
      256,
      `<defs><linearGradient id="s" x2="${0.3 * draw.next()}" y2="1"><stop stop-color="hsl(${blue},60%,${40 + draw.integer(30)}%)"/><stop offset="1" stop-color="hsl(${blue},50%,${70 + draw.integer(20)}%)"/></linearGradient></defs><rect width="256" height="256" fill="url(#s)"/><rect y="${horizon}" width="256" height="256" fill="hsl(${90 + draw.integer(150)},40%,${20 + draw.integer(30)}%)"/>`,
    )
  },
  'things on white': (seed) => {
    const draw = random(seed, 'product')
    const things = Array.from({ length: 1 + draw.integer(4) }, () => {
      const fill = `hsl(${draw.integer(360)},60%,${20 + draw.integer(60)}%)`
      const [x, y] = [50 + draw.integer(90), 50 + draw.integer(90)]
      return `<rect x="${x}" y="${y}" width="${20 + draw.integer(90)}" height="${20 + draw.integer(90)}" rx="${draw.integer(40)}" fill="${fill}"/>`
    })
    return drawn(256, 256, `<rect width="256" height="256" fill="#fff"/>${things.join('')}`)
  },
  'screens of one program': (seed) => {
    const draw = random(seed, 'screen')
    const entries = Array.from({ length: 6 }, (_, at) => {
      const y = 24 + 38 * at
      const line = (dy: number, height: number, grey: string) =>
        `<rect x="60" y="${y + dy}" width="${40 + draw.integer(140)}" height="${height}" fill="${grey}"/>`
      return line(0, 8, '#333') + line(14, 4, '#888') + line(22, 4, '#888')
    })
    return drawn(
      256,
      256,
      `<rect width="256" height="256" fill="#fff"/><rect width="256" height="14" fill="#444"/><rect y="14" width="48" height="242" fill="#eee"/>${entries.join('')}`,
    )
  },
  'pages of text': (seed) => {
    const draw = random(seed, 'text')
    let words = ''
    for (let y = 24; y < 236; y += 8) {
      const end = draw.integer(7) === 0 ? 60 + draw.integer(120) : 232
      for (let x = 24; x < end; ) {
        const width = 4 + draw.integer(22)
        words += `<rect x="${x}" y="${y}" width="${width}" height="4" fill="#222"/>`
        x += width + 3
      }
    }
    return drawn(256, 256, `<rect width="256" height="256" fill="#fff"/>${words}`)
  },
}

type Edit = (picture: Buffer, draw: Random) => Promise<Buffer>

/** Shares of the sides that are cut off. */
async function cut(
  picture: Buffer,
  left: number,
  top: number,
  right: number,
  bottom: number,
): Promise<Buffer> {
  const { width = 0, height = 0 } = await sharp(picture).metadata()
  const [x, y] = [Math.round(left * width), Math.round(top * height)]
  const [w, h] = [width - x - Math.round(right * width), height - y - Math.round(bottom * height)]
  return sharp(picture).extract({ left: x, top: y, width: w, height: h }).jpeg({ quality: 85 }).toBuffer()
}

const cutAround = (picture: Buffer, rim: number) => cut(picture, rim, rim, rim, rim)
const cutUnevenly: Edit = (picture, draw) => {
  const rim = () => 0.01 + 0.04 * draw.next()
  return cut(picture, rim(), rim(), rim(), rim())
}
const flopped = (picture: Buffer) => sharp(picture).flop().jpeg({ quality: 85 }).toBuffer()

/** A logo of 2 to 5 % of the area, in a corner or anywhere. */
async function withLogo(picture: Buffer, draw: Random, isInCorner: boolean): Promise<Buffer> {
  const { width: w = 0, height: h = 0 } = await sharp(picture).metadata()
  const shape = 0.5 + 2.5 * draw.next()
  const area = (0.02 + 0.03 * draw.next()) * w * h
  const width = Math.round(Math.min(w, Math.sqrt(area * shape)))
  const height = Math.round(Math.min(h, area / width))
  const place = (room: number) => (isInCorner ? (draw.integer(2) === 0 ? 0 : room) : draw.integer(room + 1))
  const fill = draw.pick(['#fff', '#000', '#d22', '#28c'])
  const logo = `<rect width="${width}" height="${height}" fill="${fill}"/><circle cx="${height / 2}" cy="${height / 2}" r="${height / 3}" fill="#888"/>`
  return sharp(picture)
    .composite([{ input: svg(width, height, logo), left: place(w - width), top: place(h - height) }])
    .jpeg({ quality: 85 })
    .toBuffer()
}

/** By what is done; `draw` chooses where there is a choice. */
export const edits: Readonly<Record<string, Edit>> = {
  'left 5 % cut off': (picture) => cut(picture, 0.05, 0, 0, 0),
  'top 5 % cut off': (picture) => cut(picture, 0, 0.05, 0, 0),
  'right 5 % cut off': (picture) => cut(picture, 0, 0, 0.05, 0),
  'bottom 5 % cut off': (picture) => cut(picture, 0, 0, 0, 0.05),
  'rim of 1 %': (picture) => cutAround(picture, 0.01),
  'rim of 2.5 %': (picture) => cutAround(picture, 0.025),
  'rim of 5 %': (picture) => cutAround(picture, 0.05),
  'rims of 1 to 5 %': cutUnevenly,
  'logo in a corner': (picture, draw) => withLogo(picture, draw, true),
  'logo anywhere': (picture, draw) => withLogo(picture, draw, false),
  mirrored: flopped,
  'mirrored, rims of 1 to 5 %': async (picture, draw) => cutUnevenly(await flopped(picture), draw),
  'half the size, JPEG 60': async (picture) => {
    const { width = 0 } = await sharp(picture).metadata()
    return sharp(picture)
      .resize(Math.round(width / 2))
      .jpeg({ quality: 60 })
      .toBuffer()
  },
  'JPEG 30': (picture) => sharp(picture).jpeg({ quality: 30 }).toBuffer(),
  'rim of 3 %, logo, JPEG 50': async (picture, draw) => {
    const edited = await withLogo(await cutAround(picture, 0.03), draw, true)
    return sharp(edited).jpeg({ quality: 50 }).toBuffer()
  },
}
