import { useState } from 'preact/hooks'
import { areaOf, iou } from '../../boxes/iou.js'
import type { Grounded, Sample, SampleBox } from '../answers.js'
import { isKept } from '../threshold.js'
import { labelOf } from './label-of.js'

interface PictureProps {
  readonly sample: Sample
  readonly grounded: Grounded
  readonly colours: readonly (string | null)[]
  readonly threshold: number
  readonly address: string
  readonly hot: number | null
  readonly onHot: (phrase: number | null) => void
  /** Also the boxes under the threshold. */
  readonly weak?: boolean
  /**
   * The picture has room for words: the boxes carry their phrases and scores, and its frame its own shape.
   */
  readonly labelled?: boolean
  /** Whether a box is one that was filtered for. */
  readonly isMeant?: (box: SampleBox) => boolean
}

/** A picture with its boxes over it; both are fitted into the same frame. */
export function Picture(props: PictureProps) {
  const {
    sample,
    grounded,
    colours,
    threshold,
    address,
    hot,
    onHot,
    weak = false,
    isMeant,
    labelled = false,
  } = props
  const [failed, setFailed] = useState<string | null>(null)
  const { width, height } = sample
  const shown = grounded.boxes
    .map((box, at) => ({ box, at, kept: isKept(box.from, box.to, threshold) }))
    .filter(({ kept, box }) => kept || (weak && box.from < threshold))
    .sort((a, b) => areaOf(b.box.xyxy) - areaOf(a.box.xyxy))
  return (
    <div
      class="picture"
      style={labelled ? { aspectRatio: `${width} / ${height}`, '--shape': width / height } : {}}
    >
      {failed === address ? (
        <div class="no-picture">not a picture that can be shown</div>
      ) : (
        <img src={address} alt="" loading="lazy" decoding="async" onError={() => setFailed(address)} />
      )}
      <svg viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="xMidYMid meet" aria-hidden="true">
        {shown.map(({ box, at, kept }, order) => {
          const [x1, y1, x2, y2] = box.xyxy
          const change = grounded.changes?.[at] ?? null
          // Two phrases that name one thing show both colours, in turns.
          const isTwin = shown
            .slice(0, order)
            .some((other) => other.box.phrase !== box.phrase && iou(other.box.xyxy, box.xyxy) > 0.9)
          const state = [
            'box',
            kept ? '' : 'weak',
            isTwin ? 'twin' : '',
            hot === null ? '' : hot === box.phrase ? 'hot' : 'cold',
            change ? `change-${change}` : '',
            isMeant && !isMeant(box) ? 'aside' : '',
          ]
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: for the pointer; with keys, the phrase's button lights its boxes
            <rect
              key={at}
              class={state.filter(Boolean).join(' ')}
              style={{ '--colour': colours[box.phrase] ?? '#888' }}
              data-phrase={box.phrase}
              data-score={box.score.toFixed(3)}
              x={x1}
              y={y1}
              width={Math.max(0, x2 - x1)}
              height={Math.max(0, y2 - y1)}
              onMouseEnter={() => onHot(box.phrase)}
              onMouseLeave={() => onHot(null)}
            />
          )
        })}
      </svg>
      {labelled && <Labels {...{ sample, grounded, colours, hot }} shown={shown} />}
    </div>
  )
}

/** A box, its place among all of them, and whether the threshold keeps it. */
interface Shown {
  readonly box: SampleBox
  readonly at: number
  readonly kept: boolean
}

/** The phrases of the boxes with their scores, those at one corner below each other. */
function Labels({
  sample: { width, height },
  grounded,
  colours,
  hot,
  shown,
}: Pick<PictureProps, 'sample' | 'grounded' | 'colours' | 'hot'> & { readonly shown: readonly Shown[] }) {
  const named = shown.filter(({ box }) => shown.length <= mostLabels || hot === box.phrase)
  const isNear = (a: SampleBox, b: SampleBox) =>
    Math.abs(a.xyxy[0] - b.xyxy[0]) < 0.1 * width && Math.abs(a.xyxy[1] - b.xyxy[1]) < 0.03 * height
  return (
    <>
      {named.map(({ box, at, kept }, order) => {
        const stack = named.slice(0, order).filter((other) => isNear(other.box, box)).length
        const state = [
          'label',
          hot !== null && hot !== box.phrase ? 'cold' : '',
          kept ? '' : 'weak',
          box.xyxy[1] < 0.06 * height ? 'inside' : '',
        ]
        return (
          <span
            key={at}
            class={state.filter(Boolean).join(' ')}
            style={{
              '--colour': colours[box.phrase] ?? '#888',
              '--stack': stack,
              left: `${(100 * Math.max(0, box.xyxy[0])) / width}%`,
              top: `${(100 * Math.max(0, box.xyxy[1])) / height}%`,
            }}
          >
            {labelOf(grounded, box)} {box.score < 1 && <b>{box.score.toFixed(2)}</b>}
          </span>
        )
      })}
    </>
  )
}

/** In a crowd only the boxes of the phrase that is pointed at are labelled. */
const mostLabels = 12
