import type { View } from './view.js'

/**
 * The layers that a view shows: the last one where it names none, or one that is not there; of a comparison
 * also the one it is compared with, by default the last of the others.
 */
export function chooseLayers<L extends { readonly name: string }>(
  view: Pick<View, 'tab' | 'grounding' | 'against'>,
  layers: readonly L[],
): { readonly layer?: L; readonly against?: L } {
  const named = (name: string | null) => layers.find((one) => one.name === name)
  const layer = named(view.grounding) ?? layers.at(-1)
  if (view.tab !== 'compare') return { layer }
  return { layer, against: named(view.against) ?? layers.filter((one) => one !== layer).at(-1) }
}
