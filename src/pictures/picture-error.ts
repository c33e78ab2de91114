/** Why a picture is not decoded: a reason to count, and a message that does not yet say which picture. */
export class PictureError extends Error {
  override readonly name = 'PictureError'

  constructor(
    readonly reason: string,
    message: string,
  ) {
    super(message)
  }
}
