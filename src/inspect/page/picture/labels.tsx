import { useLayoutEffect, useRef, useState } from 'preact/hooks'
import { iou } from '../../../boxes/iou.js'
import { placeLabels } from '../../../render/place-labels.js'
import type { Grounded, Sample, SampleBox } from '../../view/answers.js'
import { verdictColours } from './colours.js'
import { labelOf } from './label-of.js'

/** A box, its place among all of them, and whether the threshold keeps it. */
export interface ShownBox {
  readonly box: SampleBox
  readonly at: number
  readonly kept: boolean
}

interface LabelsProps {
  readonly sample: Pick<Sample, 'width' | 'height'>
  readonly grounded: Grounded
  readonly colours: readonly (string | null)[]
  readonly hot: number | null
  /** Whether there is room for larger letters. */
  readonly large: boolean
  readonly shown: readonly ShownBox[]
}

/** In a crowd only the best boxes are labelled, and those of the phrase that is pointed at. */
const mostLabels = { large: 12, small: 4 }
/** Boxes that overlap more are of one thing, of which a small picture says one name. */
const oneThing = 0.9
/** The frame of a picture of the grid. */
const gridShape = 4 / 3
/** Pixels of a line, and of a letter of usual width. */
const sizes = { large: { line: 19, letter: 6.6 }, small: { line: 15, letter: 5.6 } }
const signs = { right: '✓', wrong: '✗', unjudged: '', missed: '○' } as const

/** The words of the boxes with their scores, beside each other where there is room. */
export function Labels({ sample: { width, height }, grounded, colours, hot, large, shown }: LabelsProps) {
  const layer = useRef<HTMLDivElement>(null)
  const [across, setAcross] = useState(0)
  useLayoutEffect(() => {
    const element = layer.current
    if (!element) return
    const measure = () => setAcross(element.clientWidth)
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  const down = (across * height) / width
  const { line, letter } = large ? sizes.large : sizes.small
  const named = labelsOf(grounded, shown, hot, large)
  const scale = across / width
  const widthOf = ({ text }: NamedBox) => Math.min(letter * [...text].length + 10, Math.max(48, across * 0.6))
  const places = placeLabels(
    named.map((one) => {
      const [x1, y1, x2, y2] = one.xyxy
      const box = [x1 * scale, y1 * scale, x2 * scale, y2 * scale] as const
      return { text: one.text, box, width: widthOf(one), height: line }
    }),
    across,
    down,
  )
  // What would hide another one has no room in a small picture.
  const placed = large
    ? places
    : places.filter(({ index, x, y }, at) => {
        const end = x + widthOf(named[index] as NamedBox)
        return places.slice(0, at).every((other) => {
          const otherEnd = other.x + widthOf(named[other.index] as NamedBox)
          return Math.abs(other.y - y) >= line || other.x >= end || otherEnd <= x
        })
      })
  const shape = large ? 1 : width / height / gridShape
  const frame = { width: `${100 * Math.min(1, shape)}%`, height: `${100 * Math.min(1, 1 / shape)}%` }
  return (
    <div ref={layer} class={`labels${large ? ' large' : ''}`} style={frame} aria-hidden="true">
      {across > 0 &&
        placed.map(({ index, x, y }) => {
          const { key, text, phrase, verdict, kept } = named[index] as NamedBox
          const state = [
            'label',
            verdict ? `verdict-${verdict}` : '',
            hot !== null && hot !== phrase ? 'cold' : '',
            kept ? '' : 'weak',
          ]
          return (
            <span
              key={key}
              class={state.filter(Boolean).join(' ')}
              style={{
                '--colour': verdict
                  ? verdictColours[verdict]
                  : ((phrase === null ? null : colours[phrase]) ?? verdictColours.unjudged),
                left: `${x}px`,
                top: `${y}px`,
              }}
            >
              {text}
            </span>
          )
        })}
    </div>
  )
}

interface NamedBox {
  readonly key: string
  readonly text: string
  readonly xyxy: SampleBox['xyxy']
  /** Null of a box of the truth. */
  readonly phrase: number | null
  readonly verdict: keyof typeof signs | null
  readonly kept: boolean
}

/** The boxes that have a label, the best of them where they are many. */
function labelsOf(
  grounded: Grounded,
  shown: readonly ShownBox[],
  hot: number | null,
  large: boolean,
): NamedBox[] {
  const most = large ? mostLabels.large : mostLabels.small
  const boxes = shown.map(({ box, at, kept }): NamedBox & { readonly score: number } => {
    const verdict = grounded.verdicts && kept ? (grounded.verdicts[at] ?? 'unjudged') : null
    const score = box.score < 1 ? box.score.toFixed(2) : ''
    const words = [verdict === null ? '' : signs[verdict], labelOf(grounded, box), score]
    return {
      ...{ key: String(at), xyxy: box.xyxy, phrase: box.phrase, verdict, kept, score: box.score },
      text: words.filter((word) => word !== '').join(' '),
    }
  })
  const missed = (grounded.missed ?? []).map(
    ({ text, xyxy }, at): NamedBox => ({
      ...{ key: `missed ${at}`, text: `${signs.missed} ${text}`, xyxy },
      ...{ phrase: null, verdict: 'missed', kept: true },
    }),
  )
  if (hot !== null) return boxes.filter(({ phrase }) => phrase === hot).slice(0, 2 * most)
  const all = [...boxes.sort((a, b) => b.score - a.score), ...missed]
  if (large)
    return [
      ...all.slice(0, most),
      ...all
        .slice(most)
        .filter(({ phrase }) => phrase === null)
        .slice(0, most),
    ]
  return all
    .filter((box, at) => !all.slice(0, at).some((other) => iou(other.xyxy, box.xyxy) > oneThing))
    .slice(0, most)
}
