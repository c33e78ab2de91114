import { describe, expect, it } from 'vitest'
import { namesPhrase, readSearch } from '../../../src/inspect/view/read-search.js'

const dog = { text: 'A Red Dog', head: 'dog' }
const names = (search: string) => namesPhrase(readSearch(search), dog)

describe('a search', () => {
  it('is words and quoted words, each alone or behind the name of a place', () => {
    expect(readSearch('Kite phrase:"red car" url:flickr key:"0 1 head:dog')).toEqual([
      { field: null, text: 'kite' },
      { field: 'phrase', text: 'red car' },
      { field: 'url', text: 'flickr' },
      { field: 'key', text: '0 1 head:dog' },
    ])
    expect(readSearch('  "" head:')).toEqual([{ field: null, text: 'head:' }])
  })

  it('names a phrase where all that it says of phrases holds', () => {
    for (const search of ['red', 'red dog', 'phrase:"red dog"', 'head:dog', 'url:flickr head:dog'])
      expect([search, names(search)]).toEqual([search, true])
    for (const search of ['', 'red cat', 'head:red', 'head:do', 'url:dog', 'phrase:"dog red"'])
      expect([search, names(search)]).toEqual([search, false])
  })
})
