import { useEffect, useMemo, useRef, useState } from 'preact/hooks'
import type {
  DatasetAnswer,
  Grounded,
  LayerAnswer,
  Sample,
  SampleAnswer,
  SampleBox,
} from '../view/answers.js'
import { count } from '../view/format.js'
import { isKept, thresholdOf } from '../view/threshold.js'
import type { View } from '../view/view.js'
import { Address } from './funnel.js'
import type { Answer } from './hooks/ask.js'
import type { SetView } from './hooks/use-view.js'
import { Caption } from './picture/caption.js'
import { coloursOf, keptColours } from './picture/colours.js'
import { relabelledText } from './picture/label-of.js'
import { Picture } from './picture/picture.js'
import { hasLabels, LabelsToggle } from './picture-options.js'

interface DetailProps {
  readonly dataset: DatasetAnswer
  readonly view: View
  readonly layer: LayerAnswer
  readonly against: LayerAnswer | undefined
  readonly answer: Answer<SampleAnswer>
  readonly weak: boolean
  readonly onWeak: (weak: boolean) => void
  readonly setView: SetView
}

/** One picture, all of its captions, phrases and boxes. */
export function Detail({ dataset, view, layer, against, answer, weak, onWeak, setView }: DetailProps) {
  const heading = useRef<HTMLHeadingElement>(null)
  const { value, error } = answer
  const id = value?.sample.id
  useEffect(() => {
    if (id) heading.current?.focus({ preventScroll: true })
  }, [id])
  const close = () => setView({ open: null })
  if (!value) {
    return (
      <div class="detail">
        <button type="button" onClick={close}>
          ← All pictures
        </button>
        {error && <p class="error">{error}</p>}
      </div>
    )
  }
  const { sample, place, total, before, after } = value
  const isFunnel = view.tab === 'funnel'
  const go = (to: string | null) => to && setView({ open: to }, { replace: true })
  return (
    <article class="detail" data-id={sample.id}>
      <div class="toolbar">
        <button type="button" onClick={close}>
          ← All pictures
        </button>
        <h2 ref={heading} tabIndex={-1}>
          {sample.key}
        </h2>
        {isFunnel ? (
          <p class="fine">
            dropped by {view.reason} of {view.stage}
          </p>
        ) : (
          <label class="check">
            <input type="checkbox" checked={weak} onChange={(event) => onWeak(event.currentTarget.checked)} />
            weak proposals
          </label>
        )}
        <LabelsToggle {...{ view, setView }} />
        {!isFunnel && (
          <nav class="pager" aria-label="Pictures">
            <button type="button" disabled={!before} onClick={() => go(before)} aria-label="Picture before">
              ‹
            </button>
            <span>{place === null ? 'not in this selection' : `${count(place + 1)} of ${count(total)}`}</span>
            <button type="button" disabled={!after} onClick={() => go(after)} aria-label="Next picture">
              ›
            </button>
          </nav>
        )}
      </div>
      <div class={against ? 'both' : 'one'}>
        {against && sample.against && (
          <Sight
            {...{ dataset, view, sample, weak, setView }}
            layer={against}
            grounded={sample.against}
            title={against.name}
          />
        )}
        <Sight
          {...{ dataset, view, layer, sample, weak, setView }}
          grounded={sample}
          opinions={value}
          title={against ? layer.name : null}
        />
      </div>
      <Facts value={value} />
    </article>
  )
}

interface SightProps {
  readonly dataset: DatasetAnswer
  readonly view: View
  readonly layer: LayerAnswer
  readonly sample: Sample
  readonly grounded: Grounded
  readonly title: string | null
  /** What judges say of the layer. */
  readonly opinions?: Pick<SampleAnswer, 'verdicts' | 'disagreement'>
  readonly weak: boolean
  readonly setView: SetView
}

/** The picture under one layer, and beside it its words. A phrase that is clicked stays lit. */
function Sight({ dataset, view, layer, sample, grounded, title, opinions, weak, setView }: SightProps) {
  const [pointed, setPointed] = useState<number | null>(null)
  const [pinned, setPinned] = useState<number | null>(null)
  const colours = useMemo(() => coloursOf(grounded), [grounded])
  const threshold = thresholdOf(view, layer)
  const live = keptColours(grounded, colours, threshold)
  const hot = pointed ?? pinned
  const pin = (phrase: number) => setPinned(pinned === phrase ? null : phrase)
  return (
    <section class="sight" aria-label={title ?? 'Picture and regions'}>
      {title && <h3>{title}</h3>}
      <Picture
        {...{ sample, grounded, colours, threshold, weak, hot }}
        address={`/picture/${dataset.pictureKey}/${sample.id}`}
        onHot={setPointed}
        labels={hasLabels(view)}
        dropped={view.tab === 'funnel'}
        large
      />
      <div class="words">
        {sample.captions.map(({ text, kind }, at) => (
          <div key={at}>
            {sample.captions.length > 1 && <span class="fine">{kind}</span>}
            <Caption
              text={text}
              caption={at}
              phrases={grounded.phrases}
              colours={live}
              hot={hot}
              onHot={setPointed}
              onPick={pin}
            />
          </div>
        ))}
        {grounded.missed && grounded.missed.length > 0 && (
          <p class="missed">
            <b>missed</b> {[...new Set(grounded.missed.map(({ text }) => text))].join(', ')}
          </p>
        )}
        <ul class="phrases" aria-label="Phrases and their regions">
          {grounded.phrases.map(({ text, head }, phrase) => {
            const boxes = grounded.boxes.filter((box) => box.phrase === phrase)
            const shown = boxes.filter(
              (box) => isKept(box.from, box.to, threshold) || (weak && box.from < threshold),
            )
            if (boxes.length === 0 || (shown.length === 0 && live[phrase] === null)) return null
            return (
              <li key={phrase} class={hot === phrase ? 'hot' : ''}>
                <button
                  type="button"
                  class="name"
                  aria-pressed={pinned === phrase}
                  style={{ '--colour': colours[phrase] ?? 'gray' }}
                  onMouseEnter={() => setPointed(phrase)}
                  onMouseLeave={() => setPointed(null)}
                  onClick={() => pin(phrase)}
                >
                  {text}
                </button>
                <button
                  type="button"
                  class="link"
                  title={`all pictures with the head noun ${head}`}
                  onClick={() => setView({ heads: [head], open: null })}
                >
                  {head}
                </button>
                <span class="scores">
                  {shown.map((box, at) => (
                    <span key={at} class={isKept(box.from, box.to, threshold) ? '' : 'weak'}>
                      {layer.kind === 'gold' ? 'gold' : box.score.toFixed(2)} {relabelledText(grounded, box)}
                      {grounded.verdicts?.[grounded.boxes.indexOf(box)]}
                      <Opinion verdicts={opinions?.verdicts.filter(isOfBox(phrase, box))} />
                    </span>
                  ))}
                  <Opinion
                    verdicts={opinions?.verdicts.filter((one) => one.phrase === phrase && !one.xyxy)}
                  />
                  <Disagreement value={opinions?.disagreement.find((one) => one.phrase === phrase)?.value} />
                </span>
              </li>
            )
          })}
        </ul>
      </div>
    </section>
  )
}

/** Whether a verdict is of a box; files may have its sides in single precision. */
const isOfBox =
  (phrase: number, { xyxy }: SampleBox) =>
  (one: SampleAnswer['verdicts'][number]): boolean =>
    one.phrase === phrase && (one.xyxy?.every((side, at) => Math.abs(side - (xyxy[at] ?? 0)) < 0.01) ?? false)

/** Verdicts of one box or phrase: who, and how sure. */
function Opinion({ verdicts = [] }: { readonly verdicts?: SampleAnswer['verdicts'] }) {
  return (
    <>
      {verdicts.map(({ judge, verdict, probability, person, reason }, at) => (
        <span key={at} class="opinion" title={`${judge}: ${verdict}${reason === null ? '' : ` (${reason})`}`}>
          {' · '}
          {judge} {person ? verdict : probability.toFixed(2)}
        </span>
      ))}
    </>
  )
}

function Disagreement({ value }: { readonly value?: number | undefined }) {
  if (value === undefined) return null
  return (
    <span class="opinion" title="how far the teachers disagree on the phrase: 0 not at all, 1 wholly">
      disagreement {value.toFixed(2)}
    </span>
  )
}

function Facts({ value }: { readonly value: SampleAnswer }) {
  const { sample, sha256, phash, license, meta, leftOut } = value
  const facts: [string, preact.ComponentChildren][] = [
    ['Size', `${sample.width} × ${sample.height} pixels`],
    ['Address', sample.url === null ? null : <Address url={sample.url} />],
    ['Licence', license],
    ['SHA-256', sha256],
    ['Difference hash', phash],
    ['Of the source', meta],
    [
      'Phrases left out',
      leftOut.length === 0 ? null : leftOut.map(({ text, reason }) => `${text} (${reason})`).join(', '),
    ],
  ]
  return (
    <dl class="facts">
      {facts.map(([name, fact]) =>
        fact === null || fact === '' ? null : (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{fact}</dd>
          </div>
        ),
      )}
    </dl>
  )
}
