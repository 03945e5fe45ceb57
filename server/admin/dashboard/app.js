// The dashboard: draws what the admin API (api/v1) says, and keeps the picture current by its
// stream of events.
//
//   stream ──▶ picture ──▶ frame ──▶ list, detail ──▶ actions ──▶ api
//              what is     when it    how it looks    what people do
//              known       is drawn
//
// events, rules and health are views of their own. A module's variables are written by itself
// alone; place says which view is open.

import {$} from './modules/dom.js'
import {go, open, view} from './modules/place.js'
import {drawWith, watchPresses} from './modules/frame.js'
import {pin} from './modules/actions.js'
import * as list from './modules/list.js'
import * as detail from './modules/detail.js'
import * as events from './modules/events.js'
import {loadRules} from './modules/rules.js'
import {loadHealth} from './modules/health.js'
import {follow, tryNow} from './modules/stream.js'
import {onKey, steppedTo} from './modules/keyboard.js'

const pages = ['apps', 'rules', 'events']
let scrolled = 0

function route(event) {
  const [, kind, name] = location.hash.match(/^#\/(\w*)\/?(.*)$/) ?? [null, '', '']
  const was = {view, open}
  go(pages.includes(kind) ? kind : 'apps', kind === 'app' ? decode(name) : '')
  for (const id of pages) $(id).hidden = id !== view
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.view === view) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  if (!was.open && was.view === 'apps') scrolled = scrollY
  list.markOpen(open)
  detail.show(open)
  document.title = view === 'rules' ? 'Rules · Paastis' : view === 'events' ? 'Events · Paastis' : open ? `${open} · Paastis` : 'Paastis'
  if (view === 'rules') loadRules()
  if (view === 'events') events.drawEvents(true)
  if (event) focusAfter(was)
}

function decode(name) {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

// focusAfter puts the focus where a person goes on: into what has been opened, or back
// to the row that it was opened from.
function focusAfter(was) {
  const narrow = matchMedia('(max-width: 67.5rem)').matches
  if (open) {
    if (narrow) scrollTo(0, 0)
    if (!steppedTo()) $('d-name')?.focus({preventScroll: true})
  } else if (view !== 'apps') {
    scrollTo(0, 0)
    $(view + '-title').focus({preventScroll: true})
  } else if (was.open) {
    if (narrow) scrollTo(0, scrolled)
    list.focusRow(was.open, {preventScroll: narrow})
  }
}

function start() {
  const hash = sessionStorage.getItem('paastis-hash')
  sessionStorage.removeItem('paastis-hash')
  if (hash && !location.hash) history.replaceState(null, '', hash)
  list.start()
  events.start()
  drawWith(list, detail)
  watchPresses()
  $('pin').addEventListener('click', event => {
    const button = event.target.closest('[type=button]')
    if (button) button.value ? pin(button.value) : $('pin').close()
  })
  $('pin').addEventListener('submit', event => { event.preventDefault(); pin('until') })
  $('help').addEventListener('click', () => $('keys').showModal())
  $('keys-on').checked = localStorage.getItem('paastis-keys') !== 'off'
  $('keys-on').addEventListener('change', event => localStorage.setItem('paastis-keys', event.target.checked ? 'on' : 'off'))
  addEventListener('keydown', onKey)
  addEventListener('hashchange', route)
  addEventListener('online', tryNow)
  addEventListener('resize', detail.redraw)
  setInterval(() => { list.tick(); detail.tick() }, 1000)
  setInterval(() => document.hidden || loadHealth(), 30e3)
  setInterval(() => document.hidden || !open || detail.load(open), 60e3)
  route()
  follow()
}

start()
