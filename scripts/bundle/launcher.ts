/**
 * A script that starts a program of the bundle with the bundle's own Node, wherever it was unpacked, through links
 * too, and with no PATH: what it calls is of the shell itself, but for readlink.
 *
 * @param program in the bundle's folder
 */
export const launcher = (program: string): string => `#!/bin/sh
self=$0
while [ -h "$self" ]; do
  readlink=/usr/bin/readlink
  [ -x "$readlink" ] || readlink=/bin/readlink
  target=$("$readlink" "$self") || exit 1
  case $target in
    /*) self=$target ;;
    *) self=\${self%/*}/$target ;;
  esac
done
case $self in
  */*) folder=\${self%/*} ;;
  *) folder=. ;;
esac
exec "$folder/node" "$folder/${program}" "$@"
`
