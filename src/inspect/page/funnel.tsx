import { useCallback, useEffect, useState } from 'preact/hooks'
import type { DatasetAnswer, Reject, RejectsAnswer, StageAnswer } from '../view/answers.js'
import { count, counted, webAddress } from '../view/format.js'
import { type View, writeView } from '../view/view.js'
import { ask } from './hooks/ask.js'
import type { SetView } from './hooks/use-view.js'
import { Card } from './picture/card.js'
import { hasLabels, LabelsToggle } from './picture-options.js'

interface FunnelProps {
  readonly dataset: DatasetAnswer
  readonly view: View
  readonly setView: SetView
}

/** What went into each stage and came out, and below it what did not, with the reason. */
export function Funnel({ dataset, view, setView }: FunnelProps) {
  const stage = dataset.funnel.find((one) => one.stage === view.stage)
  return (
    <div class="funnel">
      <table>
        <thead>
          <tr>
            <th scope="col">Stage</th>
            <th scope="col" class="number">
              In
            </th>
            <th scope="col" class="flow">
              Kept
            </th>
            <th scope="col" class="number">
              Out
            </th>
            <th scope="col">Why the rest did not</th>
          </tr>
        </thead>
        <tbody>
          {dataset.funnel.map((one) => (
            <StageRow key={`${one.family} ${one.stage}`} stage={one} view={view} setView={setView} />
          ))}
        </tbody>
      </table>
      {stage ? (
        <Rejects key={`${view.stage} ${view.reason} ${view.search}`} {...{ dataset, view, setView }} />
      ) : (
        <p class="nothing">Choose a reason to see what was left out for it.</p>
      )}
    </div>
  )
}

function StageRow({
  stage,
  view,
  setView,
}: {
  readonly stage: StageAnswer
  readonly view: View
  readonly setView: SetView
}) {
  const share = stage.in === 0 ? 1 : stage.out / stage.in
  const isOn = (reason: string) => view.stage === stage.stage && view.reason === reason
  return (
    <tr>
      <th scope="row">
        {stage.stage} <span class="fine">{stage.unit}</span>
      </th>
      <td class="number">{count(stage.in)}</td>
      <td class="flow">
        <span class="meter" title={`${(100 * share).toFixed(1)} %`}>
          <span class="meter-level" style={{ width: `${100 * share}%` }} />
        </span>
      </td>
      <td class="number">{count(stage.out)}</td>
      <td>
        <span class="chips">
          {stage.rejected.map(([reason, value]) => (
            <button
              key={reason}
              type="button"
              class={`chip${isOn(reason) ? ' on' : ''}`}
              aria-pressed={isOn(reason)}
              onClick={() =>
                setView(isOn(reason) ? { stage: null, reason: null } : { stage: stage.stage, reason })
              }
            >
              {reason} <b>{count(value)}</b>
            </button>
          ))}
          {stage.relabelled.map(([rule, value]) => (
            <span key={rule} class="fine" title="kept, for a part of their phrases">
              relabelled: {rule} <b>{count(value)}</b>
            </span>
          ))}
        </span>
      </td>
    </tr>
  )
}

function Rejects({ dataset, view, setView }: FunnelProps) {
  const [rejects, setRejects] = useState<readonly Reject[]>([])
  const [next, setNext] = useState<number | null>(0)
  const [error, setError] = useState<string | null>(null)
  const [isAsking, setAsking] = useState(false)
  const query = writeView({ ...view, open: null, labels: null })
  const dropped = rejects.some(({ sample }) => sample !== undefined)
  const onOpen = useCallback((id: string) => setView({ open: id }), [setView])
  const more = async (from: number) => {
    setAsking(true)
    try {
      const answer = await ask<RejectsAnswer>(`/api/rejects?${query}&from=${from}`)
      setRejects((old) => [...old, ...answer.rejects])
      setNext(answer.next)
    } catch (thrown) {
      setError((thrown as Error).message)
      setNext(null)
    } finally {
      setAsking(false)
    }
  }
  useEffect(() => {
    more(0)
    // Another stage, reason or search is another list, with a key of its own.
  }, [])
  return (
    <section class="rejects" aria-label="Rejects">
      <h2>
        {view.stage}: {view.reason ?? 'all rejects'}
        {view.search && <span class="fine"> with “{view.search}”</span>}
      </h2>
      {error && <p class="error">{error}</p>}
      {rejects.length === 0 && next === null && !error && (
        <p class="nothing">None was recorded one by one.</p>
      )}
      {dropped && (
        <p class="toolbar">
          <span class="legend">
            <span class="key dropped">a proposal that {view.reason} dropped</span>
          </span>
          <LabelsToggle {...{ view, setView }} />
        </p>
      )}
      {dropped && (
        <ul class="grid" aria-label="Pictures" aria-busy={isAsking}>
          {rejects.map(
            ({ sample, dropped: proposals = 0 }) =>
              sample && (
                <Card
                  key={sample.id}
                  sample={sample}
                  threshold={1}
                  address={`/thumb/${dataset.pictureKey}/${sample.id}`}
                  labels={hasLabels(view)}
                  dropped
                  onOpen={onOpen}
                >
                  <p class="fine">
                    {counted(proposals, 'proposal', 'proposals')}
                    {proposals > sample.boxes.length && `, the best ${count(sample.boxes.length)} drawn`}
                  </p>
                </Card>
              ),
          )}
        </ul>
      )}
      <ul aria-busy={isAsking} hidden={dropped}>
        {rejects.map((reject, at) => (
          <li key={at} class="reject">
            <RejectPicture {...{ dataset, reject, setView }} />
            <div>
              <p>
                <span class="reason">{reject.reason}</span> {reject.detail}
              </p>
              <p class="fine">
                {reject.key} <Address url={reject.url} />
              </p>
            </div>
          </li>
        ))}
      </ul>
      {next !== null && (
        <button type="button" class="more" disabled={isAsking} onClick={() => more(next)}>
          {isAsking ? 'Reading' : 'More'}
        </button>
      )}
    </section>
  )
}

function RejectPicture({
  dataset,
  reject,
  setView,
}: {
  readonly dataset: DatasetAnswer
  readonly reject: Reject
  readonly setView: SetView
}) {
  const { picture } = reject
  if (picture === null) return <span class="no-picture small">no picture</span>
  return (
    <button
      type="button"
      class="open small"
      aria-label={`Open ${reject.key}`}
      onClick={() => setView({ tab: 'samples', open: picture })}
    >
      <img src={`/thumb/${dataset.pictureKey}/${picture}`} alt="" loading="lazy" />
    </button>
  )
}

/** An address as a link where it is one of the web, and as text in any case. */
export function Address({ url }: { readonly url: string | null }) {
  const address = webAddress(url)
  if (address === null) return <span class="address">{url}</span>
  return (
    <a class="address" href={address} target="_blank" rel="noopener noreferrer">
      {url}
    </a>
  )
}
