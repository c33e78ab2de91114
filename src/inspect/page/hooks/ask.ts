import { useEffect, useRef, useState } from 'preact/hooks'
import type { ErrorAnswer } from '../../view/answers.js'

const name = 'groundmill.token'

/** The token of the address that was printed goes into this origin's storage, and out of the address. */
function takeToken(): string {
  const here = new URL(location.href)
  const given = here.searchParams.get('token')
  if (given !== null) {
    localStorage.setItem(name, given)
    here.searchParams.delete('token')
    history.replaceState(null, '', here)
  }
  return localStorage.getItem(name) ?? ''
}

const token = takeToken()

/** An answer that is an error, with a message for people. */
export class AnswerError extends Error {
  constructor(
    message: string,
    readonly status: number,
  ) {
    super(message)
  }
}

/** Whoever answers later is not there. */
const longestMs = 120_000

/**
 * What the server answers.
 *
 * @param body what is stored; without it the question only reads
 * @throws AnswerError where it refuses; an Error with a message for people where it does not answer
 */
export async function ask<T>(path: string, body?: object): Promise<T> {
  const authorization = `Bearer ${token}`
  const sent = body && {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  }
  const signal = AbortSignal.timeout(longestMs)
  const response = await fetch(path, { signal, ...(sent ?? { headers: { authorization } }) }).catch(() => {
    throw new Error('The server does not answer. Is `groundmill inspect` still running?')
  })
  const value = (await response.json()) as T | ErrorAnswer
  if (!response.ok) throw new AnswerError((value as ErrorAnswer).error, response.status)
  return value as T
}

export interface Answer<T> {
  /** The last answer, which may be to an earlier question. */
  readonly value: T | undefined
  readonly error: string | undefined
  /** Whether the answer is to this question. */
  readonly isCurrent: boolean
}

/**
 * Asks the server whenever the path changes. One question is under way at a time: of those that come
 * meanwhile only the last is asked, so that a slider that is dragged never waits for steps that are gone.
 *
 * @param again asks the same again when it changes
 */
export function useAnswer<T>(path: string | null, again = 0): Answer<T> {
  const [state, setState] = useState<{ path?: string; value?: T; error?: string }>({})
  const asking = useRef(false)
  const wanted = useRef<{ path: string; again: number } | null>(null)
  const done = useRef<string>('')

  useEffect(() => {
    wanted.current = path === null ? null : { path, again }
    if (path === null) {
      // What is asked next has nothing to do with it.
      done.current = ''
      setState({})
    }
    const next = () => {
      const now = wanted.current
      if (asking.current || now === null || done.current === `${now.again} ${now.path}`) return
      asking.current = true
      done.current = `${now.again} ${now.path}`
      ask<T>(now.path)
        .then(
          (value) => wanted.current && setState({ path: now.path, value }),
          (error: Error) => setState((old) => ({ ...old, path: now.path, error: error.message })),
        )
        .finally(() => {
          asking.current = false
          next()
        })
    }
    next()
  }, [path, again])

  return { value: state.value, error: state.error, isCurrent: state.path === path }
}
