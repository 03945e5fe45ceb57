// The keyboard.

import {$} from './dom.js'
import {open, view} from './place.js'
import {clearNotice, notices, press} from './actions.js'
import {clearSearch, filter, setFilter, terms} from './list.js'

let stepping = false

// steppedTo reports, once, whether the keyboard has gone on to another app.
export function steppedTo() {
  const was = stepping
  stepping = false
  return was
}

function current() {
  return document.activeElement.closest?.('.row')?.dataset.app ?? open
}

function step(by) {
  const list = [...document.querySelectorAll('#list section:not([hidden]) .row:not([hidden])')]
  const place = list.findIndex(item => item.dataset.app === current())
  const item = list[place < 0 ? (by > 0 ? 0 : list.length - 1) : Math.max(0, Math.min(list.length - 1, place + by))]
  if (!item) return
  const link = item.querySelector('.name')
  link.focus()
  if (open && $('list').offsetParent && open !== item.dataset.app) {
    stepping = true
    location.replace(link.href)
  }
}

const keys = {
  ArrowDown: () => step(1), j: () => step(1),
  ArrowUp: () => step(-1), k: () => step(-1),
  w: () => key('wake'), s: () => key('sleep'), p: () => key('pin'), r: () => key('retry'),
  '/': () => $(view === 'events' ? 'events-search' : 'search').focus(),
  '?': () => $('keys').showModal(),
  1: () => { location.hash = '#/' }, 2: () => { location.hash = '#/rules' }, 3: () => { location.hash = '#/events' },
  Escape: () => escape(),
}

function key(what) {
  const row = document.activeElement.closest?.('.row')
  const name = view === 'apps' && current()
  if (name) press(name, what, row ? 'row' : 'detail')
}

function escape() {
  const name = current()
  if (notices.has(name)) clearNotice(name)
  else if (open) location.hash = '#/'
  else if (terms.length) clearSearch()
  else if (filter !== 'all') setFilter('all')
}

export function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector('dialog[open]')) return
  const field = event.target.closest('input, textarea, select')
  if (field) return onFieldKey(event, field)
  if (event.key.length === 1 && !$('keys-on').checked) return
  if (event.key.startsWith('Arrow') && (view !== 'apps' || event.target.closest('#detail'))) return
  const run = keys[event.key]
  if (!run) return
  if (event.key !== 'Escape') event.preventDefault()
  run()
}

function onFieldKey(event, field) {
  if (field.id === 'search' && (event.key === 'ArrowDown' || event.key === 'Enter')) {
    event.preventDefault()
    step(1)
  }
  if (event.key === 'Escape' && !field.value) field.blur()
}
