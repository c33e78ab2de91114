/**
 * Makes items one ahead: when one is handed out the next is begun, so that it is made while this one is used.
 * An item is `make(index)`, whichever were asked for before.
 *
 * @param end first index that is not made ahead
 */
export function readAhead<T>(
  make: (index: number) => Promise<T>,
  end: number,
): (index: number) => Promise<T> {
  let ahead: { readonly index: number; readonly item: Promise<T> } | undefined
  return async (index) => {
    const known = ahead?.index === index ? ahead.item : undefined
    ahead = undefined
    const item = await (known ?? make(index))
    if (index + 1 < end) {
      ahead = { index: index + 1, item: make(index + 1) }
      // Its failure is thrown when it is asked for; until then it must not count as unhandled.
      ahead.item.catch(() => {})
    }
    return item
  }
}
