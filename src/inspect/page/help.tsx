import { KeysDialog } from './hooks/keys-dialog.js'

const keys: readonly (readonly [string, string])[] = [
  ['j, k or arrows', 'the next picture, the one before'],
  ['Enter', 'open it'],
  ['n, p', 'the next page, the one before'],
  ['/', 'search'],
  ['[ and ]', 'a lower threshold, a higher one'],
  ['w', 'show weak proposals of an open picture'],
  ['l', 'show or hide the words on boxes'],
  ['x', 'tick the picture, for a selection'],
  ['1, 2, 3', 'samples, compare, funnel'],
  ['f', 'show or hide the filters'],
  ['t', 'light, dark, or as the system has it'],
  ['Esc', 'back: close the help, the search, the picture'],
  ['?', 'this help'],
]

/** The keys, and what can be searched for. */
export function Help({ onClose }: { readonly onClose: () => void }) {
  return (
    <KeysDialog title="Keys" keys={keys} onClose={onClose}>
      <h2>Search</h2>
      <p>
        A picture is found where every word is in a phrase, a head noun, the key or the address.{' '}
        <code>"red car"</code> keeps words together; <code>phrase:</code>, <code>head:</code>,{' '}
        <code>key:</code> and <code>url:</code> look in one place only.
      </p>
      <p>Shift and click choose several bars. The address of this page reopens what it shows.</p>
    </KeysDialog>
  )
}
