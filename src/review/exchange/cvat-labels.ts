/** The tag that says which words the numbers of a picture's phrases are. */
export const captionLabel = 'caption'
/** The tag with which a person says that all that the phrases name has a box. */
export const foundLabel = 'all found'
/** The tag with which a person leaves a picture for another time. */
export const skippedLabel = 'not reviewed'

const phraseLabel = 'phrase'

/** The label of a phrase's boxes. */
export const cvatLabel = (index: number): string => `${phraseLabel} ${index + 1}`

/** The index of the phrase of a label; undefined where it is none. */
export function phraseOfCvatLabel(label: string): number | undefined {
  const [, place] = /^phrase (\d{1,9})$/.exec(label.trim()) ?? []
  return place === undefined ? undefined : Number(place) - 1
}

const text = (name: string) => ({
  name,
  mutable: false,
  input_type: 'text',
  default_value: '',
  values: [''],
})

/** The labels of a task, as CVAT takes them under "Raw". */
export const cvatLabels = (phrases: number) => [
  { name: captionLabel, type: 'tag', attributes: ['export', 'caption', 'phrases'].map(text) },
  { name: foundLabel, type: 'tag', attributes: [] },
  { name: skippedLabel, type: 'tag', attributes: [] },
  ...Array.from({ length: phrases }, (_, index) => ({
    name: cvatLabel(index),
    type: 'rectangle',
    attributes: ['id', 'phrase', 'caption', 'start', 'end'].map(text),
  })),
]
