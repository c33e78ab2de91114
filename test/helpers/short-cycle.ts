/** What of the quickstart's pipeline is set so that its shards are many and small, and its models learn nothing. */
export const shortCycle = (
  world: string,
  webUrl: string,
  shards: { readonly gold: number; readonly web: number },
): readonly string[] => [
  `world=${world}`,
  `web_url=${webUrl}`,
  `gold.shard_size=${shards.gold}`,
  `web.shard_size=${shards.web}`,
  'teacher.steps=2',
  'teacher.batch=2',
  'rounds.train.steps=1',
  'rounds.train.batch=2',
  'rounds.teach.floor=0.001',
  'rounds.filter.rules=[{rule: score, min: 0.002}]',
]
