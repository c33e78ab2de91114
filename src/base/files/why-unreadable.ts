const words: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  ENOTDIR: 'a part of this path is a file, where a folder is needed',
  EISDIR: 'it is a folder, where a file is needed',
  EACCES: 'no permission',
  EPERM: 'no permission',
  ELOOP: 'its links lead in a circle',
  ENAMETOOLONG: 'its name is too long',
  EMFILE: 'too many files are open at once: raise the limit (ulimit -n)',
  ENFILE: 'too many files are open at once on this machine',
  EIO: 'the disk or its connection failed',
  ESTALE: 'the disk of the network no longer has it as it was',
}

/** Whether a path is an address, such as that of a bucket or of the web. */
export const isAddress = (path: string): boolean => /^[a-z][a-z\d+.-]+:\/\//i.test(path)

/** Whether a path begins in a home as a shell says it: here it would be a folder of the name `~`. */
export const isHome = (path: string): boolean => /^~(?:\/|$)/.test(path)

/** What is said of a path that begins with `~`, which a shell puts in only at the start of a word. */
export const noHome = '~ is of the shell alone: write the folder in full.'

/** Why a file or a folder cannot be read, in a sentence, where the system said it by a code; any other message as it is. */
export function whyUnreadable(error: unknown): string {
  const { code = '', message, path = '' } = error as NodeJS.ErrnoException
  if (code === 'ENOENT' && isHome(path)) return `there is no such file or folder: ${noHome}`
  if (code === 'ENOENT' && isAddress(path))
    return 'it is an address, and files of this machine are read: copy it here, and name the copy.'
  return Object.hasOwn(words, code) ? `${words[code]}.` : message
}
