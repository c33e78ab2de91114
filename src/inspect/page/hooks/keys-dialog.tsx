import type { ComponentChildren } from 'preact'
import { useEffect, useRef } from 'preact/hooks'

interface KeysDialogProps {
  readonly title: string
  /** Keys, and what each does. */
  readonly keys: readonly (readonly [key: string, what: string])[]
  /** What is said below them. */
  readonly children: ComponentChildren
  readonly onClose: () => void
}

/** A dialog that tells of keys. */
export function KeysDialog({ title, keys, children, onClose }: KeysDialogProps) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} class="help" aria-labelledby="help-title" onClose={onClose}>
      <h2 id="help-title">{title}</h2>
      <dl>
        {keys.map(([key, what]) => (
          <div key={key}>
            <dt>
              <kbd>{key}</kbd>
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      {children}
      <button type="button" onClick={() => dialog.current?.close()}>
        Close
      </button>
    </dialog>
  )
}
