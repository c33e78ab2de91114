/** The key of a row of a source: its shard, and its place in it in four digits, as img2dataset writes it. */
export const rowKey = (shard: string, index: number): string => `${shard}${String(index).padStart(4, '0')}`
