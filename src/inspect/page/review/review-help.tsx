import { KeysDialog } from '../hooks/keys-dialog.js'

const keys: readonly (readonly [string, string])[] = [
  ['a', 'the box is right'],
  ['r', 'it is wrong; of a box that you have added: take it away'],
  ['d', 'draw it anew: drag a corner or an edge, or use the arrows; Enter stores, Esc gives up'],
  ['n', 'a box is missing: draw it with the mouse, or with the arrows; Enter stores'],
  ['Tab', 'while drawing: the arrows move the whole box, its upper left, or its lower right corner'],
  ['Shift and arrow', 'while drawing: ten pixels'],
  [
    'e',
    'other words name the box: arrows and Tab choose them, or click the first and the last; Enter stores',
  ],
  ['c', 'all that the phrase names has a box'],
  ['i', 'not all of it has'],
  ['u', 'the phrase names nothing that can be seen'],
  ['s, j, →', 'skip: the next box or phrase'],
  ['k, ←', 'the one before'],
  ['Enter', 'done with the picture: the next one that is not'],
  ['. and ,', 'the next picture, the one before, without being done'],
  ['z', 'take the last back'],
  ['o', 'show or hide what others and machines say of the picture'],
  ['w', 'ask about weak proposals too'],
  ['t', 'light, dark, or as the system has it'],
  ['Esc', 'stop drawing; leave the review'],
]

/** The keys of a review. */
export function ReviewHelp({ onClose }: { readonly onClose: () => void }) {
  return (
    <KeysDialog title="Keys of the review" keys={keys} onClose={onClose}>
      <p>
        A click chooses a box, a drag on the picture draws a new one. What is said goes to the server at once
        and is on its disk when the page says so; what could not be sent is kept in this browser and sent
        later.
      </p>
    </KeysDialog>
  )
}
