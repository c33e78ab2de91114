import { render } from 'preact'
import { App } from './app.js'
import { applyTheme } from './hooks/theme.js'

applyTheme()
render(<App />, document.getElementById('page') as HTMLElement)
