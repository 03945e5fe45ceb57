// Times, numbers and states in words.

import {el} from './dom.js'

export const words = {asleep: 'asleep', starting: 'waking', ready: 'awake', draining: 'draining', stopping: 'stopping', failed: 'failed'}

let ahead = 0 // milliseconds by which the server's clock is ahead of ours

// setClock takes the server's time at a moment of ours.
export function setClock(time, ours) {
  ahead = Date.parse(time) - ours
}

export const clock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'})
export const day = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'})
export const collator = new Intl.Collator('en', {numeric: true})
const exact = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'medium'})

const now = () => Date.now() + ahead
export const secondsTo = time => (Date.parse(time) - now()) / 1000
// word is an app's state for people: one that somebody has stopped sleeps, but wakes for nobody.
export const word = app => app.state === 'asleep' && app.stopped_manually ? 'stopped' : words[app.state]
export const pinned = app => Boolean(app.pinned_until) && secondsTo(app.pinned_until) > 0
export const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`

export function at(time) {
  if (!time) return 'the start'
  const local = new Date(Date.parse(time) - ahead)
  const today = local.toDateString() === new Date().toDateString()
  return today ? clock.format(local) : `${day.format(local)}, ${clock.format(local)}`
}

export function when(time) {
  if (!time) return at(time)
  return el('time', {datetime: time, title: exact.format(new Date(Date.parse(time) - ahead))}, at(time))
}

// endings are the reasons that end at a time, told as it is here.
const endings = {
  pinned: until => `pinned until ${at(until)}`,
  keep_awake: until => `kept awake by keep_awake until ${at(until)}`,
}

// why is the reason of an app or of an event.
export const why = it => it.reason_until && endings[it.reason_code]?.(it.reason_until) || it.reason

export function span(seconds) {
  const s = Math.max(0, Math.round(seconds))
  if (s < 60) return `${s} s`
  const min = Math.round(s / 60)
  if (min < 60) return `${min} min`
  const [h, rest] = [Math.floor(min / 60), min % 60]
  if (h < 24) return rest ? `${h} h ${rest} min` : `${h} h`
  const [d, hours] = [Math.floor(h / 24), h % 24]
  return hours ? `${d} d ${hours} h` : `${d} d`
}

function countdown(seconds) {
  const s = Math.max(0, Math.ceil(seconds))
  if (s >= 3600) return span(Math.ceil(s / 60) * 60)
  return `${Math.floor(s / 60)}:${String(s % 60).padStart(2, '0')}`
}

export const took = seconds => seconds < 10 ? `${seconds.toFixed(1)} s` : span(seconds)
const number = value => value >= 100 ? Math.round(value).toLocaleString('en-GB') : String(Math.round(value * 10) / 10)
export const hours = seconds => seconds < 3600 ? span(seconds) : `${number(seconds / 3600)} h`

const price = new Intl.NumberFormat('en-GB', {minimumFractionDigits: 2, maximumFractionDigits: 2})
// money is an amount of each currency: they are never added up. Empty: there is none.
export const money = amounts => amounts.map(({amount, currency}) => `${price.format(amount)} ${currency}`).join(' + ')
export const containerHours = value => `${number(value)} container ${value === 1 ? 'hour' : 'hours'}`
export const sizeHours = ({provider, size, container_hours, hourly_price}) => `${size || provider} ${number(container_hours)} h${hourly_price ? ` at ${hourly_price}` : ''}`

export function memory(bytes) {
  const mib = bytes / 2 ** 20
  return mib < 1000 ? `${number(mib)} MiB` : `${number(mib / 1024)} GiB`
}

export function memoryHours(byteSeconds) {
  if (byteSeconds === null || byteSeconds === undefined) return 'not known'
  const mib = byteSeconds / 3600 / 2 ** 20
  return mib < 1000 ? `${number(mib)} MiB·h` : `${number(mib / 1024)} GiB·h`
}

// timeOf says what comes next for an app, and when.
export function timeOf(app) {
  switch (app.state) {
    case 'starting': return waking(app)
    case 'failed': return app.failure?.retry_at && secondsTo(app.failure.retry_at) > 0 ? `may retry in ${countdown(secondsTo(app.failure.retry_at))}` : `since ${at(app.since)}`
    case 'asleep': return `since ${at(app.since)}`
    case 'ready': break
    default: return 'going to sleep'
  }
  if (pinned(app)) return `until ${at(app.pinned_until)}`
  if (app.next_stop) return secondsTo(app.next_stop) > 0 ? `sleeps in ${countdown(secondsTo(app.next_stop))}` : 'sleeps any moment'
  return app.max_idle_seconds === null ? 'never sleeps' : 'kept awake'
}

function waking(app) {
  const past = span(-secondsTo(app.since))
  return app.usual_wake_seconds ? `${past} of about ${span(app.usual_wake_seconds)}` : `for ${past}`
}
