/**
 * What Node is started with, for tests: V8 makes machine code only of what has run sixteen times as long as it takes by
 * default. Programs that tests start live for a second or two, a fifth of which went into code that never paid.
 */
export const nodeFlags = [`--interrupt-budget=${16 * 66 * 1024}`] as const
