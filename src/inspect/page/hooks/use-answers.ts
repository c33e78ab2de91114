import { useCallback, useEffect, useState } from 'preact/hooks'
import type { CountsAnswer, DatasetAnswer, SampleAnswer, SamplesAnswer } from '../../view/answers.js'
import { isJudged, needsIndex, type View, writeView } from '../../view/view.js'
import { type Answer, useAnswer } from './ask.js'
import { useSettled } from './use-settled.js'

/** While the dataset is being indexed, how often its numbers are asked for again. */
const everyMs = 700
/** How long the slider must rest before it changes which pictures there are. */
const pauseMs = 150

/** What the page knows of the dataset and of its view. */
export interface Answers {
  readonly dataset: Answer<DatasetAnswer>
  readonly counts: Answer<CountsAnswer>
  readonly samples: Answer<SamplesAnswer>
  /** Of the open picture. */
  readonly detail: Answer<SampleAnswer>
  /** Asks again what is in the dataset, after something was stored. */
  readonly refresh: () => void
}

/** Asks the server for what a view shows, and again while the index grows. */
export function useAnswers(view: View): Answers {
  const [tick, setTick] = useState(0)
  const hasSamples = view.tab !== 'funnel' && view.tab !== 'review'
  const [version, setVersion] = useState(0)
  const refresh = useCallback(() => setVersion((old) => old + 1), [])
  const dataset = useAnswer<DatasetAnswer>('/api/dataset', version)
  const counts = useAnswer<CountsAnswer>(hasSamples ? `/api/counts?${countsQuery(view)}` : null, tick)
  // Other pictures are read from row groups all over the dataset, shrunk and drawn: after the slider, not with it.
  const threshold = useSettled(view.threshold, followsThreshold(view) ? pauseMs : 0)
  const samples = useAnswer<SamplesAnswer>(
    hasSamples ? `/api/samples?${samplesQuery({ ...view, threshold })}` : null,
    needsIndex(view) ? tick : 0,
  )
  const detail = useAnswer<SampleAnswer>(view.open === null ? null : `/api/sample?${detailQuery(view)}`)

  const isBusy = counts.value?.index.isBusy ?? false
  useEffect(() => {
    if (!isBusy) return
    const timer = setInterval(() => setTick((old) => old + 1), everyMs)
    return () => clearInterval(timer)
  }, [isBusy])

  return { dataset, counts, samples, detail, refresh }
}

/** What the counts depend on. */
const countsQuery = (view: View) =>
  writeView({ ...view, page: 0, open: null, stage: null, reason: null, labels: null })

/** What the open picture depends on. */
const detailQuery = (view: View) => writeView({ ...view, labels: null })

/** Whether the threshold decides what the server says of pictures; else the page itself leaves out boxes under it. */
const followsThreshold = (view: View) => needsIndex(view) || isJudged(view)

/** What the pictures depend on. */
const samplesQuery = (view: View) =>
  writeView({
    ...view,
    ...{ open: null, stage: null, reason: null, labels: null },
    threshold: followsThreshold(view) ? view.threshold : null,
  })
