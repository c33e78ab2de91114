/** A metric of one model's outcomes, over any multiset of the pictures. */
export interface PictureMetric {
  /**
   * The metric, -1 where there is nothing to find.
   *
   * @param counts how often each picture counts
   */
  readonly over: (counts: Int32Array) => number
  /** Of each picture what the metric sees: equal texts where two models' answers count the same. */
  readonly seen: readonly string[]
}
