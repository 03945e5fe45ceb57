// What people do to apps, and what the API refused.

import {$, el} from './dom.js'
import {pinned} from './format.js'
import {path, send, sentence} from './api.js'
import {apps, on, take} from './picture.js'
import {mark} from './frame.js'

export const notices = new Map() // name → what the API refused, and where it was asked

on('moved', name => notices.delete(name))

const done = {wake: 'is waking', retry: 'is being tried again', sleep: 'is going to sleep', pin: 'is pinned', unpin: 'is no longer pinned'}

// act does one thing to an app; a refusal is shown where it was asked: in the 'row' or
// in the 'detail'.
async function act(name, what, place, body = {}) {
  clearNotice(name)
  try {
    const app = await send(`${path(name)}/${what}`, body)
    take(app)
    say(`${name} ${done[what]}`)
  } catch (error) {
    refuse(name, place, sentence(error), what === 'sleep' && error.force)
  }
}

function refuse(name, place, text, force) {
  notices.set(name, {place, text, force})
  mark(name)
}

export function clearNotice(name) {
  if (notices.delete(name)) mark(name)
}

// notice is what was refused to an app, where it was asked. home gets the focus when it goes.
export function notice(name, place, home) {
  const it = notices.get(name)
  if (it?.place !== place) return null
  const close = () => { clearNotice(name); home.focus() }
  return el('div', {class: 'notice', role: 'alert'},
    el('p', null, it.text),
    it.force && el('button', {type: 'button', class: 'danger', 'data-do': 'force', click: () => { home.focus(); act(name, 'sleep', place, {force: true}) }}, 'Sleep anyway'),
    el('button', {type: 'button', class: 'quiet', click: close}, 'Dismiss'))
}

function say(text) {
  $('said').textContent = text
}

// What the first button of an app does.
export function next(app) {
  if (app.state === 'failed') return 'retry'
  return app.state === 'ready' || app.state === 'starting' ? 'sleep' : 'wake'
}

export const verbs = {wake: 'Wake', sleep: 'Sleep', retry: 'Retry', pin: 'Pin', unpin: 'Unpin'}

export function press(name, what, place) {
  const app = apps.get(name)
  if (!app?.managed) return
  if (what === 'pin' && pinned(app)) what = 'unpin'
  if (what === 'pin') return askPin(name, place)
  act(name, what, place)
}

let pinning

function askPin(name, place) {
  pinning = {name, place}
  $('pin-title').textContent = `Keep ${name} awake`
  const soon = new Date(Date.now() + 2 * 3600e3 - new Date().getTimezoneOffset() * 60e3)
  $('pin-until').value = soon.toISOString().slice(0, 16)
  $('pin-wrong').hidden = true
  $('pin').showModal()
}

export function pin(choice) {
  const body = choice === 'until' ? chosen() : choice === 'morning' ? {until: morning()} : {for: Number(choice)}
  if (!body) return
  $('pin').close()
  act(pinning.name, 'pin', pinning.place, body)
}

function morning() {
  const time = new Date()
  time.setDate(time.getDate() + 1)
  time.setHours(8, 0, 0, 0)
  return time.toISOString()
}

function chosen() {
  const time = new Date($('pin-until').value)
  const wrong = isNaN(time) ? 'Say until when.' : time < Date.now() ? 'That time has passed; choose a later one.' : ''
  $('pin-wrong').textContent = wrong
  $('pin-wrong').hidden = !wrong
  return wrong ? null : {until: time.toISOString()}
}
