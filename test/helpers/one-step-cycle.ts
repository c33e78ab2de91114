/** Settings with which the quickstart's pipeline goes through a round of a small world in seconds. */
export const oneStepCycle = (world: string, webUrl: string): string[] => [
  `world=${world}`,
  `web_url=${webUrl}`,
  'web.limit=8',
  'teacher.steps=1',
  'teacher.batch=2',
  'rounds.train.steps=1',
  'rounds.train.batch=2',
  'rounds.teach.floor=0.001',
  'rounds.filter.rules=[{rule: score, min: 0.002}, {rule: max_boxes, phrase: 1}]',
]

/** Settings with which its models are evaluated on one held-out set, of the three. */
export const oneHeldOut: readonly string[] = [
  'rounds.held_out=[novel]',
  'rounds.evaluate={}',
  'rounds.promote={set: novel, metric: recall1}',
]
