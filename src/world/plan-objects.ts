import type { Random } from '../base/random.js'
import type { Concept, Recipe, Split } from './recipe.js'

/** An object of a scene before it has a place. */
export interface PlannedObject {
  readonly concept: Concept
  readonly novel: boolean
  readonly colour: string
  /** Longer side in pixels. */
  readonly side: number
}

/** What an object is called by its longer side; null for what is neither. */
export type SizeName = 'small' | 'big' | null

/** How much one object must be longer than another for "big" to be said of it and not of the other. */
export const clearlyBigger = 1.25

/** How often the second of a kind has the first one's colour, where the recipe has no `gold.twin_share`. */
const sameColour = 0.6

/** How many objects a scene of a split has at least and at most. */
export function countsOf({ scene, gold }: Recipe, split: Split): readonly [number, number] {
  const isGold = split === 'gold' || split === 'known' || split === 'attributes'
  const [least, most] = (isGold ? gold.objects : undefined) ?? scene.objects
  const needed = split === 'attributes' ? 3 : split === 'known' || split === 'novel' ? 2 : 1
  return [Math.min(most, Math.max(least, needed)), most]
}

/** Decides the kinds, colours and sizes of a scene's objects. */
export function planObjects(recipe: Recipe, split: Split, count: number, draw: Random): PlannedObject[] {
  if (split === 'attributes') return planContrasts(recipe, count, draw)
  const { twin_share: twinShare } = recipe.gold
  if (twinShare === undefined || split === 'web' || split === 'novel') {
    return planFreely(recipe, split, count, draw)
  }
  // The first object is no twin, so the others are so more often.
  const rest = count > 1 ? Math.min(1, (twinShare * count) / (count - 1)) : 0
  const objects: PlannedObject[] = []
  while (objects.length < count) {
    objects.push(
      objects.length > 0 && draw.next() < rest
        ? drawTwin(recipe, draw.pick(objects), draw)
        : drawOther(recipe, objects, draw),
    )
  }
  return objects
}

/** Groups of a kind, all of whose members differ from another member in colour or size; at most one loner. */
function planContrasts(recipe: Recipe, count: number, draw: Random): PlannedObject[] {
  const objects: PlannedObject[] = []
  while (objects.length < count) {
    const left = count - objects.length
    // Where every kind is there, the group goes on with one of them: it must differ from that as well.
    const isFull = recipe.concepts.known.every((kind) => objects.some(({ concept }) => concept === kind))
    const first = isFull ? drawTwin(recipe, draw.pick(objects), draw) : drawOther(recipe, objects, draw)
    const group = [first]
    const members = left < 3 ? left : 2 + draw.integer(Math.min(left, 4) - 1)
    while (group.length < members) group.push(drawTwin(recipe, draw.pick(group), draw))
    objects.push(...group)
  }
  return objects
}

/** A known object of a kind that is not there yet, if there is any. */
function drawOther(recipe: Recipe, objects: readonly PlannedObject[], draw: Random): PlannedObject {
  const { known } = recipe.concepts
  const open = known.filter((concept) => !objects.some((object) => object.concept === concept))
  return {
    concept: draw.pick(open.length > 0 ? open : known),
    novel: false,
    colour: draw.pick(Object.keys(recipe.colours)),
    side: anySide(recipe, draw),
  }
}

/** Another of the kind that differs: in colour, or, where the first is small or big, in size alone. */
function drawTwin(recipe: Recipe, twin: PlannedObject, draw: Random): PlannedObject {
  const bySize = draw.next() < 0.5 ? oppositeSides(recipe, twin) : undefined
  if (bySize) return { ...twin, side: draw.between(...bySize) }
  const others = Object.keys(recipe.colours).filter((colour) => colour !== twin.colour)
  return { ...twin, colour: draw.pick(others), side: anySide(recipe, draw) }
}

/** Sides of what is small where the object is big, and the other way round, and clearly so. */
function oppositeSides({ scene }: Recipe, { side }: PlannedObject): [number, number] | undefined {
  const { small_below: small, big_above: big } = scene
  const [least, most] = scene.object_size
  const size = sizeOf(scene, side)
  const range: [number, number] | undefined =
    size === 'small'
      ? [Math.max(big, small * clearlyBigger), most]
      : size === 'big'
        ? [least, Math.min(small, big / clearlyBigger)]
        : undefined
  return range && range[0] < range[1] ? range : undefined
}

const anySide = ({ scene }: Recipe, draw: Random) => draw.between(...scene.object_size)

export function sizeOf(scene: Recipe['scene'], side: number): SizeName {
  return side < scene.small_below ? 'small' : side > scene.big_above ? 'big' : null
}

/** Kinds without regard to what tells them apart; two of a kind, mostly in one colour, are to be counted. */
function planFreely(recipe: Recipe, split: Split, count: number, draw: Random): PlannedObject[] {
  const novels = chooseNovel(recipe, split, count, draw)
  const kinds: { readonly concept: Concept; readonly novel: boolean; readonly twin: number }[] = []
  for (const novel of novels) {
    const alike = kinds.flatMap((kind, at) => (kind.novel === novel ? [at] : []))
    const twin = alike.length > 0 && draw.next() < 0.3 ? draw.pick(alike) : -1
    const concept = kinds[twin]?.concept ?? draw.pick(recipe.concepts[novel ? 'novel' : 'known'])
    kinds.push({ concept, novel, twin })
  }
  const isTelling = drawTelling(recipe, split, draw)
  const colours: string[] = []
  // Known ones first: the novel ones' colours are drawn by what the others have.
  const order = kinds.map((_, at) => at).sort((a, b) => Number(novels[a]) - Number(novels[b]) || a - b)
  for (const at of order) {
    const kind = kinds[at]
    if (!kind) continue
    const first = colours[kind.twin]
    const others = colours.filter((_, other) => kinds[other]?.concept !== kind.concept)
    colours[at] =
      first !== undefined && draw.next() < sameColour
        ? first
        : draw.pick(openColours(recipe, others, kind.novel ? isTelling : undefined))
  }
  return kinds.map(({ concept, novel }, at) => ({
    concept,
    novel,
    colour: colours[at] as string,
    side: anySide(recipe, draw),
  }))
}

function drawTelling({ web }: Recipe, split: Split, draw: Random): boolean | undefined {
  if (split !== 'web' || web.telling_share === undefined) return undefined
  return draw.next() < web.telling_share
}

/** Colours that nothing of another kind has where the colour is to tell, and that something has where not. */
function openColours({ colours }: Recipe, others: readonly string[], isTelling: boolean | undefined) {
  const all = Object.keys(colours)
  if (isTelling === undefined) return all
  const open = all.filter((colour) => others.includes(colour) !== isTelling)
  return open.length > 0 ? open : all
}

/** Which of a scene's objects are novel: a web or novel scene's first always is. */
function chooseNovel({ web }: Recipe, split: Split, count: number, draw: Random): boolean[] {
  // As the first is novel, the others are so less often for the share to come out right over all of them.
  const rest = count > 1 ? Math.max(0, (web.novel_share * count - 1) / (count - 1)) : 0
  return Array.from({ length: count }, (_, at) => {
    if (split === 'web') return at === 0 || draw.next() < rest
    // The second is known: something that the novel name must be told from.
    if (split === 'novel') return at === 0 || (at > 1 && draw.next() < 0.6)
    return false
  })
}
