import { PickleObject } from './pickle-value.js'

/** The stack of a pickle's machine, and the values that it stores under numbers to use them again. */
export interface PickleStack {
  push(value: unknown): void
  peek(): unknown
  pop(): unknown
  /** Takes the last of all away, be it a mark. */
  drop(): void
  /** The last `count` values, the first of them first. */
  popMany(count: number): unknown[]
  mark(): void
  /** The values behind the last mark, which goes too. */
  toMark(): unknown[]
  append(items: readonly unknown[]): void
  /** Keys and values by turns. */
  setItems(items: readonly unknown[]): void
  addItems(items: readonly unknown[]): void
  /** Stores the last value under a number; without one, under the next. */
  store(index?: number): void
  recall(index: number): unknown
}

const marked = Symbol('mark')

/**
 * @param error makes what is thrown where the pickle asks for what cannot be
 * @param dict what is a dict, and how an item of it is set
 */
export function createPickleStack(
  error: (what: string) => Error,
  dict: { is(value: unknown): boolean; set(dict: object, key: unknown, value: unknown): void },
): PickleStack {
  const stack: unknown[] = []
  const memo = new Map<number, unknown>()
  const peek = () => {
    const value = stack.at(-1)
    if (stack.length === 0 || value === marked) throw error('its stack is empty')
    return value
  }
  const pop = () => {
    const value = peek()
    stack.pop()
    return value
  }
  return {
    push: (value) => void stack.push(value),
    peek,
    pop,
    drop: () => void stack.pop(),
    popMany: (count) => Array.from({ length: count }, pop).reverse(),
    mark: () => void stack.push(marked),
    toMark() {
      const from = stack.lastIndexOf(marked)
      if (from < 0) throw error('it ends a group that it never began')
      return stack.splice(from).slice(1)
    },
    append(items) {
      const list = peek()
      if (list instanceof PickleObject) return
      if (!Array.isArray(list)) throw error('it appends to what is no list')
      for (const item of items) list.push(item)
    },
    setItems(items) {
      const target = peek()
      if (target instanceof PickleObject) return
      if (!dict.is(target) || items.length % 2 !== 0) throw error('it sets items of what is no dict')
      for (let index = 0; index < items.length; index += 2) {
        try {
          dict.set(target as object, items[index], items[index + 1])
        } catch (cause) {
          throw error((cause as Error).message)
        }
      }
    },
    addItems(items) {
      const set = peek()
      if (set instanceof PickleObject) return
      if (!(set instanceof Set)) throw error('it adds to what is no set')
      for (const item of items) set.add(item)
    },
    store: (index = memo.size) => void memo.set(index, peek()),
    recall(index) {
      if (!memo.has(index)) throw error(`it recalls ${index}, which it never stored`)
      return memo.get(index)
    },
  }
}
