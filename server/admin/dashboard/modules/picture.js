// The newest picture of each app, and of all together.

import {pinned, word} from './format.js'

export const apps = new Map() // name → App
export let totals
export let loaded = false

const listeners = {changed: [], moved: [], renewed: [], counted: []}

// on has a function called when an app has changed, is in another state or gone (moved), or
// is in its state anew (renewed), with its name; and when what is counted has (counted).
export function on(what, call) {
  listeners[what].push(call)
}

function told(what, name) {
  listeners[what].forEach(call => call(name))
}

export function count(all) {
  totals = all
  told('counted')
}

// take keeps a new picture of an app. Those of the list and the stream come without
// what the detail view asked for. An answer that was overtaken by the stream is dropped;
// what the stream says is never older than what it said before, even if its times are, for
// the server's clock was put back.
export function take(app, streamed) {
  const had = apps.get(app.name)
  if (had && !had.guessed && streamed !== true && Date.parse(app.since) < Date.parse(had.since)) return
  if (had?.wakes && !app.wakes) app.wakes = had.wakes
  if (!app.failure?.logs?.length && had?.failure?.at && had.failure.at === app.failure?.at) app.failure.logs = had.failure.logs
  if (streamed === true) app.heard = performance.now()
  app.words = `${app.name} ${app.own_name} ${app.stack} ${app.state} ${word(app)} ${pinned(app) ? 'pinned' : ''}`.toLowerCase()
  apps.set(app.name, app)
  told('changed', app.name)
  if (had && had.state !== app.state) told('moved', app.name)
  if (had && had.since !== app.since) told('renewed', app.name)
}

export function takeAll(list) {
  const names = new Set(list.map(app => app.name))
  for (const [name, app] of apps) names.has(name) ? app.guessed = true : forget(name)
  list.forEach(take)
  loaded = true
  told('counted')
}

export function forget(name) {
  apps.delete(name)
  told('moved', name)
  told('changed', name)
}

// hear corrects a picture that is older than an event. An app that is not managed has no
// since: its events are of the time when it was.
export function hear(event) {
  const app = apps.get(event.app)
  if (!app || !(Date.parse(event.at) > Date.parse(app.since))) return
  if (event.kind === 'gone') forget(event.app)
  if (event.kind === 'state' && event.state !== app.state) take({...app, state: event.state, reason: event.reason, reason_code: event.reason_code, reason_until: event.reason_until, since: event.at, next_stop: null, guessed: true})
}
