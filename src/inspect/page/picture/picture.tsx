import { useState } from 'preact/hooks'
import { areaOf, iou } from '../../../boxes/iou.js'
import type { Grounded, Sample, SampleBox } from '../../view/answers.js'
import { isKept } from '../../view/threshold.js'
import { verdictColours } from './colours.js'
import { Labels } from './labels.js'

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
  /** Whether the frame has the picture's own shape; else it is one of a grid. */
  readonly large?: boolean
  /** Whether boxes carry their phrases and scores. */
  readonly labels: boolean
  /** Whether the boxes are those that a rule has dropped. */
  readonly dropped?: boolean
  /** Whether a box is one that was filtered for. */
  readonly isMeant?: (box: SampleBox) => boolean
  /** Whether other boxes than those that the truth misses were filtered for. */
  readonly fadesMissed?: boolean
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
    fadesMissed = false,
    large = false,
    labels,
    dropped = false,
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
      style={large ? { aspectRatio: `${width} / ${height}`, '--shape': width / height } : {}}
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
          const verdict = grounded.verdicts && kept ? (grounded.verdicts[at] ?? 'unjudged') : null
          // Two phrases that name one thing show both colours, in turns.
          const isTwin = shown
            .slice(0, order)
            .some((other) => other.box.phrase !== box.phrase && iou(other.box.xyxy, box.xyxy) > 0.9)
          const state = [
            'box',
            kept ? '' : 'weak',
            isTwin && !verdict && !dropped ? 'twin' : '',
            hot === null ? '' : hot === box.phrase ? 'hot' : 'cold',
            change ? `change-${change}` : '',
            verdict ? `verdict-${verdict}` : '',
            dropped ? 'dropped' : '',
            isMeant && !isMeant(box) ? 'aside' : '',
          ]
          return (
            // biome-ignore lint/a11y/noStaticElementInteractions: for the pointer; with keys, the phrase's button lights its boxes
            <rect
              key={at}
              class={state.filter(Boolean).join(' ')}
              style={{ '--colour': verdict ? verdictColours[verdict] : (colours[box.phrase] ?? '#888') }}
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
        {grounded.missed?.map(({ xyxy: [x1, y1, x2, y2] }, at) => (
          <rect
            key={`missed ${at}`}
            class={`box verdict-missed${fadesMissed ? ' aside' : ''}`}
            style={{ '--colour': verdictColours.missed }}
            x={x1}
            y={y1}
            width={Math.max(0, x2 - x1)}
            height={Math.max(0, y2 - y1)}
          />
        ))}
      </svg>
      {labels && (
        <Labels
          {...{ sample, colours, hot, large }}
          grounded={fadesMissed ? { ...grounded, missed: [] } : grounded}
          shown={isMeant ? shown.filter(({ box }) => isMeant(box)) : shown}
        />
      )}
    </div>
  )
}
