import type { StageVerdict } from './rule/rule.js'

/** How many regions a judge accepted and rejected. */
export interface JudgedRegions {
  readonly accepted: number
  readonly rejected: number
}

/** What a judge said of the regions that one grounding has and the other has not. */
export interface JudgeChange {
  /** The stage of its verdicts. */
  readonly stage: string
  readonly judge: string
  readonly lost: JudgedRegions
  readonly added: JudgedRegions
}

/** Counts what judges said of lost and added regions; a box that a person drew is accepted, one that was redrawn rejected. */
export function judgeChanges() {
  const changes = new Map<string, { stage: string; judge: string } & Record<'lost' | 'added', Counts>>()
  return {
    /** @param verdicts about one region; each judge of a stage counts once */
    add(change: 'lost' | 'added', verdicts: readonly StageVerdict[]): void {
      const said = new Map(verdicts.map((verdict) => [`${verdict.stage} ${verdict.judge}`, verdict]))
      for (const [key, { stage, judge, verdict }] of said) {
        const none = () => ({ accepted: 0, rejected: 0 })
        const own = changes.get(key) ?? { stage, judge, lost: none(), added: none() }
        own[change][verdict === 'accept' || verdict === 'add' ? 'accepted' : 'rejected']++
        changes.set(key, own)
      }
    },
    all: (): readonly JudgeChange[] =>
      [...changes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, change]) => change),
  }
}

type Counts = { -readonly [Key in keyof JudgedRegions]: JudgedRegions[Key] }
