// What has happened, and the view of it.

import {$, el, write} from './dom.js'
import {took, when, why, words} from './format.js'
import {ask} from './api.js'
import {hear} from './picture.js'
import {view} from './place.js'

const events = [] // oldest first

// missed fetches the events anew, for the numbers begin again when Paastis does, and returns
// that of the newest.
export async function missed() {
  const answer = await ask('events?limit=1000')
  events.splice(0, events.length, ...answer.events)
  drawEvents(true)
  return events.at(-1)?.id ?? 0
}

// correct has all events correct pictures that are older.
export function correct() {
  events.forEach(hear)
}

// happen takes an event, unless it is known.
export function happen(event) {
  if (event.id <= (events.at(-1)?.id ?? 0)) return
  events.push(event)
  if (events.length > 1000) events.shift()
  hear(event)
  soon()
}

const kinds = {pin: event => why(event), gone: () => 'gone', state: event => `${words[event.was] ?? event.was} → ${words[event.state] ?? event.state}`}
let eventTerms = []

function eventItem(event) {
  return el('li', {'data-state': event.state, 'data-kind': event.kind},
    when(event.at), el('i', {class: 'dot'}),
    el('a', {href: '#/app/' + encodeURIComponent(event.app)}, event.app),
    el('span', {class: 'change'}, (kinds[event.kind] ?? kinds.state)(event)),
    el('span', {class: 'why'}, event.kind === 'pin' ? '' : [why(event), event.took_seconds >= 0.1 && `took ${took(event.took_seconds)}`].filter(Boolean).join(' · ')))
}

function eventMatches(event) {
  const text = `${event.app} ${event.kind} ${event.state} ${words[event.state]} ${event.reason}`.toLowerCase()
  return eventTerms.every(term => text.includes(term))
}

let eventsShown = 0 // the id of the newest event in the list

// drawEvents adds the new ones on top; with again it draws all anew.
export function drawEvents(again) {
  if (view !== 'events') return
  const list = $('events-list')
  if (again) {
    list.replaceChildren()
    eventsShown = 0
  }
  const fresh = events.filter(event => event.id > eventsShown && eventMatches(event))
  list.prepend(...fresh.reverse().map(eventItem))
  eventsShown = events.at(-1)?.id ?? 0
  while (list.children.length > 1000) list.lastElementChild.remove()
  const none = list.children.length ? '' : eventTerms.length ? 'No event matches.' : 'Nothing has happened yet.'
  write($('events-none'), none)
  $('events-none').hidden = !none
}

let eventsDue = false

function soon() {
  if (eventsDue || view !== 'events') return
  eventsDue = true
  requestAnimationFrame(() => { eventsDue = false; drawEvents() })
}

export function start() {
  $('events-search').addEventListener('input', () => {
    eventTerms = $('events-search').value.toLowerCase().split(/\s+/).filter(Boolean)
    drawEvents(true)
  })
}
