const name = 'groundmill.theme'

export type Theme = 'auto' | 'light' | 'dark'

export function savedTheme(): Theme {
  const theme = localStorage.getItem(name)
  return theme === 'light' || theme === 'dark' ? theme : 'auto'
}

/** Shows a look and keeps it for the next time; `auto` is that of the system. */
export function setTheme(theme: Theme): void {
  localStorage.setItem(name, theme)
  applyTheme()
}

export function applyTheme(): void {
  document.documentElement.dataset.theme = savedTheme()
}
