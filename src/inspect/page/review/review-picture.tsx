import { useEffect, useRef, useState } from 'preact/hooks'
import { areaOf } from '../../../boxes/iou.js'
import type { Xyxy } from '../../../boxes/xyxy.js'
import type { ReviewEntry } from '../../../review/review-entry.js'
import type { Sample } from '../../view/answers.js'
import { type BoxEdit, dragged, type Handle, handles, settled } from './box-edit.js'
import { type Step, saidOf } from './steps.js'

interface ReviewPictureProps {
  readonly sample: Sample
  readonly address: string
  readonly steps: readonly Step[]
  readonly step: number
  readonly held: readonly ReviewEntry[]
  readonly edit: BoxEdit | null
  /** Boxes that others have drawn, where they are shown. */
  readonly others: readonly ReviewEntry[]
  readonly onSelect: (step: number) => void
  readonly onEdit: (edit: BoxEdit | null) => void
}

/** How far the pointer must go, in pixels of the screen, for a press to be a drag. */
const leastDrag = 5
/** Half the side of a handle, in pixels of the screen. */
const handleSide = 4.5
/** Sides of a box that are shorter on the screen have no handle in their middle: the box would be hidden. */
const leastMiddle = 48

interface Drag {
  readonly handle: Handle | null
  readonly from: readonly [number, number]
  readonly screen: readonly [number, number]
  readonly box: Xyxy | null
  readonly original: Xyxy | null
  isMoved: boolean
}

/** The picture with the boxes that are asked about: the one in turn can be drawn anew, and others be added. */
export function ReviewPicture(props: ReviewPictureProps) {
  const { sample, address, steps, step, held, edit, others, onSelect, onEdit } = props
  const { width, height } = sample
  const svg = useRef<SVGSVGElement>(null)
  const drag = useRef<Drag | null>(null)
  const [failed, setFailed] = useState<string | null>(null)
  const [scale, setScale] = useState(1)
  useEffect(() => {
    const element = svg.current
    if (!element) return
    const measure = () => setScale(width / Math.max(1, element.clientWidth))
    measure()
    const observer = new ResizeObserver(measure)
    observer.observe(element)
    return () => observer.disconnect()
  }, [width])

  const current = steps[step]
  const place = (event: PointerEvent): [number, number] => {
    const frame = (svg.current as SVGSVGElement).getBoundingClientRect()
    return [
      ((event.clientX - frame.left) * width) / frame.width,
      ((event.clientY - frame.top) * height) / frame.height,
    ]
  }
  const press = (event: PointerEvent, handle: Handle | null, box: Xyxy | null) => {
    if (event.button !== 0) return
    event.preventDefault()
    event.stopPropagation()
    svg.current?.setPointerCapture(event.pointerId)
    const original = edit ? edit.original : handle ? (current?.xyxy ?? null) : null
    const screen = [event.clientX, event.clientY] as const
    drag.current = { handle, from: place(event), screen, box, original, isMoved: false }
  }
  const move = (event: PointerEvent) => {
    const own = drag.current
    if (!own || !current) return
    const far = Math.hypot(event.clientX - own.screen[0], event.clientY - own.screen[1])
    if (!own.isMoved && far < leastDrag) return
    own.isMoved = true
    const [x, y] = place(event)
    const box =
      own.handle && own.box
        ? dragged(own.box, own.handle, x, y, sample)
        : settled([own.from[0], own.from[1], x, y], sample)
    onEdit({
      phrase: edit?.phrase ?? current.phrase,
      original: own.original,
      box,
      part: edit?.part ?? 'whole',
    })
  }
  const release = () => {
    const own = drag.current
    drag.current = null
    if (!own || own.isMoved || own.handle || edit) return
    const [x, y] = own.from
    const hit = steps
      .map((one, at) => ({ one, at }))
      .filter(({ one: { xyxy } }) => xyxy && x >= xyxy[0] && x <= xyxy[2] && y >= xyxy[1] && y <= xyxy[3])
      .sort((a, b) => areaOf(a.one.xyxy as Xyxy) - areaOf(b.one.xyxy as Xyxy))
    // Where boxes lie on each other, one click after the other chooses them all.
    const now = hit.findIndex(({ at }) => at === step)
    const next = hit[(now + 1) % Math.max(1, hit.length)]
    if (next) onSelect(next.at)
  }
  const side = handleSide * scale
  const said = current && saidOf(sample, held, current)
  const handled = edit?.box ?? said?.redrawn ?? current?.xyxy ?? null
  const isRoomy = ({ x, y }: Handle, [x1, y1, x2, y2]: Xyxy) =>
    (x !== 0 || x2 - x1 >= leastMiddle * scale) && (y !== 0 || y2 - y1 >= leastMiddle * scale)
  const rectOf = ([x1, y1, x2, y2]: Xyxy) => ({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 })
  return (
    <div class="picture reviewed" style={{ aspectRatio: `${width} / ${height}`, '--shape': width / height }}>
      {failed === address ? (
        <div class="no-picture">not a picture that can be shown</div>
      ) : (
        <img src={address} alt="" decoding="async" draggable={false} onError={() => setFailed(address)} />
      )}
      <svg
        ref={svg}
        viewBox={`0 0 ${width} ${height}`}
        preserveAspectRatio="none"
        aria-hidden="true"
        onPointerDown={(event) => press(event, null, null)}
        onPointerMove={move}
        onPointerUp={release}
        onPointerCancel={() => {
          drag.current = null
        }}
      >
        {steps.map((one, at) => {
          if (!one.xyxy) return null
          const said = saidOf(sample, held, one)
          const state = [
            'asked',
            at === step ? 'now' : one.phrase === current?.phrase ? '' : 'cold',
            said ? `said-${said.action}` : '',
          ]
          return (
            <g key={`${one.phrase} ${one.xyxy}`}>
              <rect class={state.filter(Boolean).join(' ')} {...rectOf(one.xyxy)} />
              {said?.redrawn && <rect class="asked said-add" {...rectOf(said.redrawn)} />}
            </g>
          )
        })}
        {others.map((one, at) => {
          const box = one.redrawn ?? one.xyxy
          return box && <rect key={`other ${at}`} class="asked other" {...rectOf(box)} />
        })}
        {edit && <rect class="asked drawing" {...rectOf(edit.box)} />}
        {handled &&
          handles
            .filter((handle) => isRoomy(handle, handled))
            .map((handle) => {
              const x = handled[handle.x === -1 ? 0 : 2]
              const y = handled[handle.y === -1 ? 1 : 3]
              const at = {
                x: (handle.x === 0 ? (handled[0] + handled[2]) / 2 : x) - side,
                y: (handle.y === 0 ? (handled[1] + handled[3]) / 2 : y) - side,
              }
              return (
                <rect
                  key={`${handle.x} ${handle.y}`}
                  class={`handle ${cursorOf(handle)}`}
                  {...at}
                  width={2 * side}
                  height={2 * side}
                  onPointerDown={(event) => press(event, handle, handled)}
                />
              )
            })}
      </svg>
    </div>
  )
}

function cursorOf({ x, y }: Handle): string {
  if (x === 0) return 'down'
  if (y === 0) return 'across'
  return x === y ? 'falling' : 'rising'
}
