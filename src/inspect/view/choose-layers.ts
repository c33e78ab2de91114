import type { View } from './view.js'

/**
 * The layers that a view shows: the last one where it names none, or one that is not there; of the funnel that
 * of the stage. Of a comparison also the one it is compared with, by default the last of the others, and of
 * samples the one that is taken for the truth, which is another one.
 */
export function chooseLayers<L extends { readonly name: string }>(
  view: Pick<View, 'tab' | 'grounding' | 'against' | 'truth' | 'stage'>,
  layers: readonly L[],
): { readonly layer?: L; readonly against?: L; readonly truth?: L } {
  const named = (name: string | null) => layers.find((one) => one.name === name)
  const layer = named(view.tab === 'funnel' ? view.stage : view.grounding) ?? layers.at(-1)
  const others = layers.filter((one) => one !== layer)
  if (view.tab === 'compare') return { layer, against: named(view.against) ?? others.at(-1) }
  if (view.tab === 'funnel') return { layer }
  return { layer, truth: others.find(({ name }) => name === view.truth) }
}
