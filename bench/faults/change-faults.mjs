/**
 * Loaded before the program (`node --import`): counts the calls that change the file system, kills the process
 * at one of them, or lets the disk be full from one on. What is to be done comes as JSON in GROUNDMILL_FAULT:
 *
 *     { "log": FILE }                            a line for each change: its name and what it is of
 *     { "killAt": N }                            SIGKILL in place of the n-th change, counted from 1; of one that
 *                                                writes, or removes a folder, half is done first
 *     { "fullFrom": N, "code": "ENOSPC" }        from the n-th change on whatever takes room fails
 *
 * What changes nothing is not counted: to bring to the disk what is written (fsync; on a full disk it fails too),
 * to make a folder that is there, to remove what is not. Only the main thread of the process that was started is disturbed; what it starts is not. All forms of
 * `node:fs` are wrapped: synchronous, with a callback, as a promise, and the methods of a FileHandle. Programs
 * that are not JavaScript and write by themselves (DuckDB where a query spills) are not seen.
 */
import fs from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'

const orders = isMainThread && process.env.GROUNDMILL_FAULT
if (orders) {
  delete process.env.GROUNDMILL_FAULT
  const unwrapped = { ...fs }
  const { log, killAt, fullFrom, code } = JSON.parse(orders)
  const logFile = log && unwrapped.openSync(log, 'w')
  let count = 0

  /** Changes that take room; the others are possible on a full disk. */
  const takesRoom =
    /^(write|writev|writeFile|appendFile|copyFile|mkdir|mkdtemp|link|symlink|open|sync|datasync|fsync|fdatasync)$/

  const changesNothing = (name, of, options) => {
    if (/sync$/.test(name)) return true
    if (name === 'mkdir') return unwrapped.existsSync(of)
    // A file is removed by `unlink`, which is called within.
    if (name === 'rm') return !options?.recursive || !unwrapped.existsSync(of)
    return /^(unlink|rmdir)$/.test(name) && !unwrapped.existsSync(of)
  }

  /** Before a change: says whether there is room for it. Does not come back where the process is killed. */
  const changes = (name, of, options, doHalf) => {
    const isChange = !changesNothing(name, of, options)
    if (isChange) count++
    if (logFile && isChange) unwrapped.writeSync(logFile, `${name} ${typeof of === 'object' ? '' : of}\n`)
    if (isChange && count === killAt) {
      try {
        doHalf?.()
      } catch {
        // What cannot be done by half is not done.
      }
      process.kill(process.pid, 'SIGKILL')
    }
    if (fullFrom === undefined || count < fullFrom || !takesRoom.test(name)) return
    if (isChange && count === fullFrom) {
      try {
        doHalf?.()
      } catch {
        // As above.
      }
    }
    const text = code === 'EDQUOT' ? 'disk quota exceeded' : 'no space left on device'
    const error = new Error(`${code}: ${text}, ${name}${typeof of === 'string' ? ` '${of}'` : ''}`)
    throw Object.assign(error, { code, errno: code === 'EDQUOT' ? -122 : -28, syscall: name })
  }

  const { O_WRONLY, O_RDWR, O_CREAT, O_TRUNC } = fs.constants
  const opensForWriting = (flags = 'r') =>
    typeof flags === 'number' ? (flags & (O_WRONLY | O_RDWR | O_CREAT | O_TRUNC)) !== 0 : /[wa+]/.test(flags)

  const half = (data) => {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    return bytes.subarray(0, bytes.byteLength >> 1)
  }
  /** How half of a change is made. */
  const halves = {
    // At the place in the file that the whole is for; at its end where none is given.
    write: (fd, data, second, third, fourth) => {
      if (typeof data === 'string') return unwrapped.writeSync(fd, half(data), 0, undefined, second)
      const options = typeof second === 'object' && second
      const {
        offset = 0,
        length = data.byteLength - offset,
        position,
      } = options || {
        offset: second,
        length: third,
        position: fourth,
      }
      return unwrapped.writeSync(fd, data, offset, length >> 1, position)
    },
    writev: (fd, buffers, position) =>
      unwrapped.writeSync(fd, half(Buffer.concat(buffers)), 0, undefined, position),
    writeFile: (path, data) => unwrapped.writeFileSync(path, half(data)),
    appendFile: (path, data) => unwrapped.writeFileSync(path, half(data), { flag: 'a' }),
    rm: (path, options) => {
      if (!options?.recursive) return
      const names = unwrapped.readdirSync(path)
      for (const name of names.slice(0, (names.length + 1) >> 1))
        unwrapped.rmSync(join(path, name), { recursive: true, force: true })
    },
  }
  /** On the handle of an open file. */
  const ofHandle = { write: 'write', writev: 'writev', appendFile: 'write', writeFile: 'write' }

  const names = [
    ...[
      'write',
      'writev',
      'writeFile',
      'appendFile',
      'copyFile',
      'cp',
      'rename',
      'link',
      'symlink',
      'unlink',
    ],
    ...['rm', 'rmdir', 'mkdir', 'mkdtemp', 'truncate', 'ftruncate', 'fsync', 'fdatasync'],
    ...['utimes', 'futimes', 'chmod', 'fchmod'],
  ]
  for (const name of names) {
    for (const form of [name, `${name}Sync`]) {
      const inner = fs[form]
      if (!inner) continue
      fs[form] = function (...args) {
        try {
          changes(name, args[0], args[1], halves[name] && (() => halves[name](...args)))
        } catch (error) {
          const callback = args.at(-1)
          if (form === name && typeof callback === 'function') {
            process.nextTick(callback, error)
            return
          }
          throw error
        }
        return inner.apply(this, args)
      }
      // `util.promisify` finds what it must know there.
      Object.defineProperties(fs[form], Object.getOwnPropertyDescriptors(inner))
    }
    const inner = fs.promises[name]
    if (inner)
      fs.promises[name] = async (...args) => {
        changes(name, args[0], args[1], halves[name] && (() => halves[name](...args)))
        return inner(...args)
      }
  }

  for (const form of ['open', 'openSync']) {
    const inner = fs[form]
    fs[form] = function (path, flags, ...rest) {
      try {
        if (opensForWriting(typeof flags === 'function' ? 'r' : flags)) changes('open', path)
      } catch (error) {
        const callback = rest.at(-1)
        if (form === 'open' && typeof callback === 'function') {
          process.nextTick(callback, error)
          return
        }
        throw error
      }
      return inner.call(this, path, flags, ...rest)
    }
  }
  const openPromise = fs.promises.open
  fs.promises.open = async (path, flags, mode) => {
    if (opensForWriting(flags)) changes('open', path)
    return openPromise(path, flags, mode)
  }

  const handle = await openPromise(process.execPath, 'r')
  const methods = Object.getPrototypeOf(handle)
  await handle.close()
  for (const name of [
    'write',
    'writev',
    'writeFile',
    'appendFile',
    'truncate',
    'sync',
    'datasync',
    'utimes',
    'chmod',
  ]) {
    const inner = methods[name]
    methods[name] = async function (...args) {
      const as = ofHandle[name]
      changes(as ?? name, `handle ${this.fd}`, undefined, as && (() => halves[as](this.fd, ...args)))
      return inner.apply(this, args)
    }
  }
  syncBuiltinESMExports()
}
