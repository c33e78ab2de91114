/** Why a picture did not come in: a reason to count, and a detail to read. */
export class Reject extends Error {
  override readonly name = 'Reject'

  constructor(
    readonly reason: string,
    detail: string,
  ) {
    super(detail)
  }
}
