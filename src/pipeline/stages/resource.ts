/** What a task wants most of: the network, processors, or an accelerator. */
export type Resource = 'fetch' | 'cpu' | 'gpu'

export const resources: readonly Resource[] = ['fetch', 'cpu', 'gpu']
