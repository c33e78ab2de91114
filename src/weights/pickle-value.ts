/**
 * What a pickle may hold: Python's None, bool, int, float, str, bytes, list or tuple, dict, set, and the
 * caller's own.
 */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleGlobal
  | PickleObject

/** A name that the pickle imports, such as `torch.float32`; never more than the name. */
export class PickleGlobal {
  constructor(
    readonly name: string,
    /** What a call of it gives; undefined where it may be named but not called. */
    readonly call: ((args: readonly PickleValue[]) => PickleValue) | undefined,
  ) {}
}

/**
 * Something that the caller's table made of a call or of a persistent id. Items and state given to it are
 * dropped.
 */
export abstract class PickleObject {}
