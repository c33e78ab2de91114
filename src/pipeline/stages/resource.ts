/** What a task wants most of: the network, processors, or an accelerator. */
export const resources = ['fetch', 'cpu', 'gpu'] as const

export type Resource = (typeof resources)[number]
