// The dashboard: draws what the admin API (api/v1) says, and keeps the picture current
// by its stream of events. Text from outside only ever enters the page as text: el()
// has no way to put in HTML. Rows are updated one by one, at most once a frame.

const $ = id => document.getElementById(id)
const words = {asleep: 'asleep', starting: 'waking', ready: 'awake', draining: 'draining', stopping: 'stopping', failed: 'failed'}
const filters = {
  all: ['All', () => true],
  awake: ['Awake', app => app.state === 'ready' || app.state === 'draining'],
  waking: ['Waking', app => app.state === 'starting'],
  asleep: ['Asleep', app => app.state === 'asleep' || app.state === 'stopping'],
  failed: ['Failed', app => app.state === 'failed'],
  pinned: ['Pinned', app => pinned(app)],
}

const apps = new Map()    // name → App, the newest picture
const rows = new Map()    // name → its row in the list
const stacks = new Map()  // stack → its section of the list
const notices = new Map() // name → what the API refused, and where it was asked
const dirty = new Set()   // names to draw in the next frame
const events = []         // oldest first
let session = {}
let totals
let ahead = 0             // milliseconds by which the server's clock is ahead of ours
let filter = 'all'
let terms = []
let view = 'apps'
let open = ''             // the app in the detail view
let loaded = false

// ---- elements

function el(tag, props, ...children) {
  return fill(document.createElement(tag), props, children)
}

function svg(tag, props, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), props, children)
}

function fill(node, props, children) {
  for (const [key, value] of Object.entries(props ?? {})) {
    if (typeof value === 'function') node.addEventListener(key, value)
    else if (value !== undefined && value !== null && value !== false) node.setAttribute(key, value === true ? '' : value)
  }
  node.append(...children.flat(2).filter(child => child || child === 0))
  return node
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text
}

// ---- times and numbers

const clock = new Intl.DateTimeFormat('en-GB', {hour: '2-digit', minute: '2-digit'})
const day = new Intl.DateTimeFormat('en-GB', {day: 'numeric', month: 'short'})
const exact = new Intl.DateTimeFormat('en-GB', {dateStyle: 'medium', timeStyle: 'medium'})

const now = () => Date.now() + ahead
const secondsTo = time => (Date.parse(time) - now()) / 1000
// word is an app's state for people: one that somebody has stopped sleeps, but wakes for nobody.
const word = app => app.state === 'asleep' && app.stopped_manually ? 'stopped' : words[app.state]
const pinned = app => Boolean(app.pinned_until) && secondsTo(app.pinned_until) > 0
const plural = (count, noun) => `${count} ${noun}${count === 1 ? '' : 's'}`

function at(time) {
  if (!time) return 'the start'
  const local = new Date(Date.parse(time) - ahead)
  const today = local.toDateString() === new Date().toDateString()
  return today ? clock.format(local) : `${day.format(local)}, ${clock.format(local)}`
}

function when(time) {
  if (!time) return at(time)
  return el('time', {datetime: time, title: exact.format(new Date(Date.parse(time) - ahead))}, at(time))
}

// local writes the times in a sentence of Paastis's as those of here.
const local = text => text.replace(/\d{4}-\d\d-\d\dT[\d:.]+(Z|[+-]\d\d:\d\d)/g, at)

function span(seconds) {
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

const took = seconds => seconds < 10 ? `${seconds.toFixed(1)} s` : span(seconds)
const number = value => value >= 100 ? Math.round(value).toLocaleString('en-GB') : String(Math.round(value * 10) / 10)
const hours = seconds => seconds < 3600 ? span(seconds) : `${number(seconds / 3600)} h`

function memory(bytes) {
  const mib = bytes / 2 ** 20
  return mib < 1000 ? `${number(mib)} MiB` : `${number(mib / 1024)} GiB`
}

function memoryHours(byteSeconds) {
  if (byteSeconds === null || byteSeconds === undefined) return 'not known'
  const mib = byteSeconds / 3600 / 2 ** 20
  return mib < 1000 ? `${number(mib)} MiB·h` : `${number(mib / 1024)} GiB·h`
}

// ---- the API

async function ask(path, options = {}) {
  const sent = Date.now()
  const answer = await fetch('api/v1/' + path, {cache: 'no-store', ...options})
  if (answer.status === 401) return lostSession()
  if (!answer.ok) throw await problem(answer)
  if (options.stream) return answer
  const body = await answer.json()
  if (body.now) ahead = Date.parse(body.now) - (sent + Date.now()) / 2
  return body
}

async function problem(answer) {
  const body = await answer.json().catch(() => ({}))
  const error = new Error(body.detail || body.title || `Paastis answered ${answer.status}.`)
  error.status = answer.status
  error.force = body.force
  return error
}

// The page at this address is the login page now. The hash would be lost on the way.
function lostSession() {
  sessionStorage.setItem('paastis-hash', location.hash)
  location.reload()
  return new Promise(() => {})
}

const path = name => 'apps/' + encodeURIComponent(name)

function send(where, body) {
  return ask(where, {method: 'POST', body: JSON.stringify(body), headers: {'Content-Type': 'application/json', 'X-Paastis-CSRF': session.csrf}})
}

// ---- what people do

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

function sentence(error) {
  const text = error.status ? error.message : 'Paastis did not answer; nothing was changed.'
  const whole = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(whole) ? whole : whole + '.'
}

function refuse(name, place, text, force) {
  notices.set(name, {place, text, force})
  mark(name)
}

function clearNotice(name) {
  if (notices.delete(name)) mark(name)
}

function notice(name, place) {
  const it = notices.get(name)
  if (it?.place !== place) return null
  const home = place === 'row' ? rows.get(name).link : $('detail')
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
function next(app) {
  if (app.state === 'failed') return 'retry'
  return app.state === 'ready' || app.state === 'starting' ? 'sleep' : 'wake'
}

const verbs = {wake: 'Wake', sleep: 'Sleep', retry: 'Retry', pin: 'Pin', unpin: 'Unpin'}

function press(name, what, place) {
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

function pin(choice) {
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

// ---- the picture

// take keeps a new picture of an app. Those of the list and the stream come without
// what the detail view asked for. An answer that was overtaken by the stream is dropped;
// what the stream says is never older than what it said before, even if its times are, for
// the server's clock was put back.
function take(app, streamed) {
  const had = apps.get(app.name)
  if (had && !had.guessed && streamed !== true && Date.parse(app.since) < Date.parse(had.since)) return
  if (had?.wakes && !app.wakes) app.wakes = had.wakes
  if (!app.failure?.logs?.length && had?.failure?.at && had.failure.at === app.failure?.at) app.failure.logs = had.failure.logs
  app.words = `${app.name} ${app.own_name} ${app.stack} ${app.state} ${word(app)} ${pinned(app) ? 'pinned' : ''}`.toLowerCase()
  apps.set(app.name, app)
  mark(app.name)
  if (had && had.state !== app.state) notices.delete(app.name)
  if (app.name === open && had && had.since !== app.since) loadDetail(app.name)
}

function takeAll(list) {
  const names = new Set(list.map(app => app.name))
  for (const [name, app] of apps) names.has(name) ? app.guessed = true : forget(name)
  list.forEach(take)
  loaded = true
  draw()
}

function forget(name) {
  apps.delete(name)
  notices.delete(name)
  mark(name)
}

// hear corrects a picture that is older than an event. An app that is not managed has no
// since: its events are of the time when it was.
function hear(event) {
  const app = apps.get(event.app)
  if (!app || !(Date.parse(event.at) > Date.parse(app.since))) return
  if (event.kind === 'gone') forget(event.app)
  if (event.kind === 'state' && event.state !== app.state) take({...app, state: event.state, reason: event.reason, since: event.at, next_stop: null, guessed: true})
}

let drawing = false

function mark(name) {
  dirty.add(name)
  draw()
}

function draw() {
  if (drawing) return
  drawing = true
  requestAnimationFrame(flush)
}

// A press and its release are a click only if they meet the same button: so nothing is
// replaced in between, for a second at most.
let pressedAt = -Infinity

function pressing() {
  return performance.now() - pressedAt < 1000
}

// flush draws what is dirty for some milliseconds; what is left waits for the next
// frame, so that thousands of rows never block a keystroke.
function flush() {
  drawing = false
  if (pressing()) return draw()
  const end = performance.now() + 12
  const touched = new Set()
  for (const name of dirty) {
    dirty.delete(name)
    drawRow(name, touched)
    if (name === open || graphNames.has(name)) detailDirty = true
    if (performance.now() > end) break
  }
  touched.forEach(countStack)
  $('list').toggleAttribute('data-many', apps.size > 150)
  drawFilters()
  drawTotals()
  if (detailDirty) drawDetail()
  if (dirty.size) draw()
  if (loaded) measure()
}

let measured = ''

// measure leaves marks for who wants to know how fast the list came, in the browser's
// own tools too.
function measure() {
  if (!measured) setTimeout(() => performance.mark('apps-painted'))
  if (measured !== 'all' && !dirty.size) performance.mark('apps-shown')
  measured = dirty.size && measured !== 'all' ? 'some' : 'all'
}

// ---- the list

const collator = new Intl.Collator('en', {numeric: true})

function drawRow(name, touched) {
  const app = apps.get(name)
  let row = rows.get(name)
  if (row && row.stack !== app?.stack) {
    touched.add(row.stack)
    removeRow(name, row)
    row = null
  }
  if (!app) return
  row ??= addRow(app)
  touched.add(app.stack)
  row.item.dataset.state = app.state
  write(row.state, pinned(app) && app.state === 'ready' ? 'pinned' : word(app))
  const why = local(app.reason)
  if (row.why.textContent !== why) row.why.title = row.why.textContent = why
  drawTime(row, app)
  const slept = app.saved.day.asleep_seconds
  write(row.slept, `slept ${hours(slept)}`)
  row.meter.style.width = `${Math.min(100, slept / 864)}%`
  const what = next(app)
  if (row.main.dataset.act !== what || !row.main.textContent) label(row.main, what, name)
  row.main.parentNode.hidden = !app.managed
  label(row.pin, pinned(app) ? 'unpin' : 'pin', name)
  drawNotice(row, name)
  hide(row, app)
}

function label(button, what, name) {
  if (button.textContent === verbs[what]) return
  button.dataset.act = what
  button.textContent = verbs[what]
  button.setAttribute('aria-label', `${verbs[what]} ${name}`)
}

function drawNotice(row, name) {
  const it = notices.get(name)
  if (row.notice === it) return
  row.notice = it
  row.item.querySelector('.notice')?.remove()
  const shown = notice(name, 'row')
  if (shown) row.item.append(shown)
}

function drawTime(row, app) {
  write(row.time, timeOf(app))
  row.ticks = app.state === 'starting' || (app.state === 'ready' && app.next_stop && !pinned(app)) || Boolean(app.failure?.retry_at)
}

// timeOf says what comes next for an app, and when.
function timeOf(app) {
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

function addRow(app) {
  const item = $('row').content.firstElementChild.cloneNode(true)
  const part = kind => item.querySelector(kind)
  const row = {item, name: app.name, stack: app.stack, link: part('.name'), state: part('.state'), why: part('.why'), time: part('.time'), meter: part('.meter i'), slept: part('.slept span'), main: part('[data-act=wake]'), pin: part('[data-act=pin]')}
  item.dataset.app = app.name
  row.link.href = '#/app/' + encodeURIComponent(app.name)
  row.link.lastElementChild.textContent = app.name
  if (app.name === open) {
    item.classList.add('open')
    row.link.setAttribute('aria-current', 'true')
  }
  rows.set(app.name, row)
  const stack = stacks.get(app.stack) ?? addStack(app.stack)
  stack.rows.add(row)
  before(stack.list, item, app.name, other => other.dataset.app)
  return row
}

function removeRow(name, row) {
  row.item.remove()
  rows.delete(name)
  stacks.get(row.stack).rows.delete(row)
}

function addStack(name) {
  const id = `stack-${stacks.size}`
  const count = el('span', {class: 'count'})
  const list = el('ul')
  const section = el('section', {class: 'stack', 'aria-labelledby': id, 'data-stack': name}, el('h2', null, el('span', {id}, name || 'On their own'), count), list)
  const stack = {section, list, count, rows: new Set()}
  stacks.set(name, stack)
  before($('list'), section, name || '\uffff', other => other.dataset.stack || '\uffff')
  return stack
}

// before puts a node into its place among sorted ones; from the end, for they come sorted.
function before(parent, node, key, keyOf) {
  let place = null
  for (let other = parent.lastElementChild; other && collator.compare(keyOf(other), key) > 0; other = other.previousElementSibling) place = other
  parent.insertBefore(node, place)
}

function countStack(name) {
  const stack = stacks.get(name)
  if (!stack) return
  if (!stack.rows.size) {
    stack.section.remove()
    stacks.delete(name)
    return
  }
  let shown = 0, awake = 0
  for (const row of stack.rows) {
    if (!row.item.hidden) shown++
    if (filters.awake[1](apps.get(row.name))) awake++
  }
  write(stack.count, `${awake} of ${stack.rows.size} awake`)
  if (stack.section.hidden !== !shown) stack.section.hidden = !shown
  if (stack.shown !== shown) stack.section.style.containIntrinsicSize = `auto ${3 * shown + 4}rem`
  stack.shown = shown
}

function matches(app) {
  return filters[filter][1](app) && terms.every(term => app.words.includes(term))
}

// hide keeps a row that no longer matches while somebody is working in it.
function hide(row, app) {
  const hidden = !matches(app) && !row.item.contains(document.activeElement)
  if (row.item.hidden !== hidden) row.item.hidden = hidden
}

function search() {
  terms = $('search').value.toLowerCase().split(/\s+/).filter(Boolean)
  for (const [name, row] of rows) if (apps.has(name)) hide(row, apps.get(name))
  for (const name of [...stacks.keys()]) countStack(name)
  draw()
}

function drawFilters() {
  const counts = {}
  let shown = 0
  for (const app of apps.values()) {
    for (const key in filters) if (filters[key][1](app)) counts[key] = (counts[key] ?? 0) + 1
    if (matches(app)) shown++
  }
  for (const key in filters) write($('count-' + key), String(counts[key] ?? 0))
  const none = $('none')
  none.hidden = !loaded || shown > 0
  if (!none.hidden) write(none, apps.size ? 'No app matches.' : 'No apps yet. An app appears here once its Traefik router uses the Paastis middleware.')
  write($('t-awake'), String(counts.awake ?? 0))
  write($('t-apps'), `of ${plural(apps.size, 'app')}${counts.failed ? `, ${counts.failed} failed` : ''}`)
  for (const part of $('totals').querySelectorAll('[data-is]')) part.style.width = `${100 * (counts[part.dataset.is] ?? 0) / (apps.size || 1)}%`
}

function drawTotals() {
  if (!totals) return
  const {day, month} = totals.saved
  write($('t-slept'), hours(day.asleep_seconds))
  write($('t-slept-month'), `${hours(month.asleep_seconds)} in 30 days`)
  write($('t-memory'), day.memory_byte_seconds === null ? '–' : memoryHours(day.memory_byte_seconds))
  write($('t-memory-month'), month.memory_byte_seconds === null ? 'not measured yet' : `${memoryHours(month.memory_byte_seconds)} in 30 days`)
}

function setFilter(key) {
  filter = key
  for (const button of $('filters').children) button.setAttribute('aria-pressed', button.dataset.filter === key)
  search()
}

// tick moves the clocks of the page.
function tick() {
  for (const [name, row] of rows) if (row.ticks && apps.has(name)) drawTime(row, apps.get(name))
  tickDetail()
}

// ---- the detail view

const histories = new Map() // name → its last 30 days
let graphNames = new Set()
let detailDirty = false
let parts = {}
let period = 'day'

async function loadDetail(name) {
  const [app, history] = await Promise.allSettled([ask(path(name)), ask(`${path(name)}/history?days=30`)])
  if (history.value) histories.set(name, history.value)
  if (name !== open) return
  if (app.value) take(app.value)
  else if (app.reason.status === 404) forget(name)
  detailDirty = true
  draw()
}

function openDetail(name) {
  open = name
  parts = {}
  histories.clear()
  graphNames = new Set()
  $('apps').toggleAttribute('data-open', Boolean(name))
  for (const row of rows.values()) {
    row.item.classList.toggle('open', row.name === name)
    if (row.name === name) row.link.setAttribute('aria-current', 'true')
    else row.link.removeAttribute('aria-current')
  }
  $('detail').hidden = !name
  $('detail').replaceChildren()
  if (!name) return
  drawDetail()
  $('detail').scrollTop = 0
  loadDetail(name)
}

// part redraws a piece of the detail view only if what it shows has changed, and gives
// the focus back to what had it.
function part(id, key, build) {
  const held = parts[id] ??= {node: $('detail').appendChild(el('div', {class: id, 'data-part': id}))}
  const text = JSON.stringify(key)
  if (held.key === text) return
  held.key = text
  const focus = held.node.contains(document.activeElement) && document.activeElement.dataset.do
  held.node.replaceChildren(...[build()].flat().filter(Boolean))
  if (focus) (held.node.querySelector(`[data-do="${CSS.escape(focus)}"]`) ?? $('detail')).focus()
}

function drawDetail() {
  detailDirty = false
  if (!open || view !== 'apps') return
  const app = apps.get(open)
  if (!app) return drawUnknown()
  if (parts['d-unknown']) {
    parts = {}
    $('detail').replaceChildren()
  }
  const history = histories.get(open)
  part('d-head', [app.name, app.stack, app.provider, app.own_name, app.urls, app.managed], () => detailHead(app))
  part('d-now', [app.state, app.reason, app.since, pinned(app)], () => detailNow(app))
  part('d-acts', [app.state, pinned(app), app.managed], () => app.managed ? detailActs(app) : el('p', {class: 'soft'}, 'Other apps need it, but Paastis does not manage it.'))
  part('d-notice', [notices.get(open)], () => notice(open, 'detail'))
  part('d-failure', [app.failure], () => app.failure && detailFailure(app.failure))
  const graph = linked(app)
  part('d-links', [graph.nodes.map(name => [name, apps.get(name)?.state]), graph.edges], () => detailLinks(app, graph))
  part('d-timeline', [history?.now, history?.spans.length, period, $('detail').clientWidth], () => detailTimeline(history))
  part('d-saved', [app.saved, app.memory_bytes], () => detailSaved(app))
  part('d-wakes', [app.wakes, app.usual_wake_seconds], () => detailWakes(app))
  part('d-facts', [app.mode, app.max_idle_seconds, app.open_requests, app.last_activity], () => detailFacts(app))
  tickDetail()
}

function drawUnknown() {
  if (!loaded) return
  if (!parts['d-unknown']) {
    parts = {}
    $('detail').replaceChildren()
  }
  part('d-unknown', [open], () => [
    el('div', {class: 'd-title'}, el('h2', {id: 'd-name', tabindex: -1}, open), closer()),
    el('p', {class: 'soft'}, 'Paastis knows no app of this name. It may have been removed.')])
}

function closer() {
  return el('a', {href: '#/', class: 'button quiet', 'data-do': 'close', 'aria-label': 'Close'}, el('span', {'aria-hidden': 'true'}, '✕'))
}

function detailHead(app) {
  const origin = [app.stack && `stack ${app.stack}`, app.provider, app.own_name !== app.name && `there ${app.own_name}`].filter(Boolean)
  return [
    el('div', {class: 'd-title'}, el('h2', {id: 'd-name', tabindex: -1}, app.name), closer()),
    el('p', {class: 'soft'}, origin.join(' · ')),
    app.urls.length > 0 && el('p', {class: 'urls'}, app.urls.map(url => [link(url), ' ']))]
}

// link makes a link only of what a browser may safely open.
function link(url) {
  if (!/^https?:\/\//i.test(url)) return el('span', null, url)
  return el('a', {href: url, rel: 'noreferrer', target: '_blank', 'data-do': url}, url.replace(/^https?:\/\/|\/$/gi, ''), el('span', {class: 'unseen'}, ' (opens in a new tab)'))
}

function detailNow(app) {
  return [
    el('p', {class: 'd-state', 'data-state': app.state}, el('i', {class: 'dot'}), el('b', null, word(app)), el('span', {id: 'd-time', class: 'd-time'})),
    el('p', {class: 'd-why'}, app.state === 'ready' && app.reason ? `Awake because: ${local(app.reason)}` : local(app.reason)),
    el('div', {class: 'progress', id: 'd-progress', 'aria-hidden': 'true'}, el('i')),
    el('p', {class: 'soft'}, `${word(app)} since `, when(app.since), app.pinned_until && pinned(app) && [', pinned until ', when(app.pinned_until)])]
}

function detailActs(app) {
  return [next(app), pinned(app) ? 'unpin' : 'pin'].map((what, i) => el('button', {type: 'button', class: i ? '' : 'main', 'data-do': i ? what : 'main', 'data-act': what, click: () => press(open, what, 'detail')},
    what === 'pin' ? 'Pin…' : verbs[what], el('kbd', {'aria-hidden': 'true'}, what[0] === 'u' ? 'p' : what[0])))
}

function detailFailure(failure) {
  return el('div', {class: 'failure'},
    el('h3', null, 'Why it failed'),
    el('p', null, failure.reason),
    el('p', {class: 'soft'}, [failure.kind, (failure.exit_code > 0 || failure.kind === 'exited') && `exit code ${failure.exit_code}`].filter(Boolean).join(', '), ', ', when(failure.at)),
    failure.logs?.length > 0 && el('pre', {tabindex: 0, role: 'region', 'aria-label': 'Last log lines', 'data-do': 'logs'}, failure.logs.join('\n')))
}

function detailSaved(app) {
  const {day, month} = app.saved
  return [el('h3', null, 'Saved'), el('table', null,
    el('thead', null, el('tr', null, el('td'), el('th', {scope: 'col'}, '24 h'), el('th', {scope: 'col'}, '30 days'))),
    el('tbody', null,
      el('tr', null, el('th', {scope: 'row'}, 'Hours slept'), el('td', null, hours(day.asleep_seconds)), el('td', null, hours(month.asleep_seconds))),
      el('tr', null, el('th', {scope: 'row'}, 'Memory'), el('td', null, memoryHours(day.memory_byte_seconds)), el('td', null, memoryHours(month.memory_byte_seconds))))),
    el('p', {class: 'soft'}, app.memory_bytes ? `When awake it uses ${memory(app.memory_bytes)}.` : 'How much memory it uses is not known yet.')]
}

let allWakes = false

function detailWakes(app) {
  const usual = app.usual_wake_seconds ? `Usually awake in ${took(app.usual_wake_seconds)}.` : 'It has not woken often enough to say how long that takes.'
  if (!app.wakes?.length) return [el('h3', null, 'Wakes'), el('p', {class: 'soft'}, usual, app.wakes ? ' No wake is remembered.' : ' Loading…')]
  const longest = Math.max(...app.wakes.map(wake => wake.took_seconds), app.usual_wake_seconds ?? 0)
  const shown = allWakes ? app.wakes : app.wakes.slice(0, 6)
  return [el('h3', null, 'Wakes'), el('p', {class: 'soft'}, usual),
    el('ol', {class: 'wakes'}, shown.map(wake => wakeItem(wake, longest))),
    app.wakes.length > 6 && el('button', {type: 'button', class: 'quiet', 'data-do': 'wakes', click: () => { allWakes = !allWakes; delete parts['d-wakes'].key; drawDetail() }}, allWakes ? 'Show fewer' : `Show all ${app.wakes.length}`)]
}

function wakeItem(wake, longest) {
  const bar = el('i')
  bar.style.width = `${100 * wake.took_seconds / (longest || 1)}%`
  return el('li', {'data-outcome': wake.outcome}, when(wake.at), el('span', {class: 'meter', 'aria-hidden': 'true'}, bar), el('span', null, took(wake.took_seconds)),
    wake.outcome !== 'ready' && el('span', {class: 'wrong'}, `failed: ${wake.reason}`))
}

function detailFacts(app) {
  const facts = [
    ['Sleeps after', app.max_idle_seconds === null ? 'never' : `${span(app.max_idle_seconds)} unused`],
    ['Last activity', app.last_activity ? when(app.last_activity) : 'none seen'],
    ['Open requests', app.open_requests],
    ['Mode', app.mode]]
  return [el('h3', null, 'Settings'), el('dl', {class: 'facts'}, facts.map(([name, value]) => el('div', null, el('dt', null, name), el('dd', null, value))))]
}

function tickDetail() {
  const app = apps.get(open)
  const time = $('d-time')
  if (!app || !time) return
  write(time, timeOf(app).replace(/^since .*/, '')) // that is said below
  const share = progress(app)
  $('d-progress').hidden = share === null
  $('d-progress').firstElementChild.style.width = `${100 * (share ?? 0)}%`
}

// progress is how much of the wake is done, or of the idle time is left.
function progress(app) {
  if (app.state === 'starting' && app.usual_wake_seconds) return Math.min(0.95, -secondsTo(app.since) / app.usual_wake_seconds)
  if (app.state === 'ready' && app.next_stop && app.max_idle_seconds && !pinned(app)) return Math.max(0, Math.min(1, secondsTo(app.next_stop) / app.max_idle_seconds))
  return null
}

// ---- the timeline

const lived = ['awake', 'asleep', 'failed', 'unknown']
const periods = {day: '24 hours', month: '30 days'}

function detailTimeline(history) {
  const head = el('div', {class: 'd-sub'}, el('h3', null, 'Timeline'), el('div', {class: 'filters', role: 'group', 'aria-label': 'Period'}, Object.keys(periods).map(key =>
    el('button', {type: 'button', 'data-do': key, 'aria-pressed': String(period === key), click: () => { period = key; drawDetail() }}, periods[key]))))
  if (!history) return [head, el('p', {class: 'soft'}, 'Loading…')]
  const end = Date.parse(history.now)
  const start = end - (period === 'day' ? 864e5 : 30 * 864e5)
  const spans = history.spans.map(it => ({state: it.state, from: Math.max(start, Date.parse(it.from)), to: Math.min(end, Date.parse(it.to))})).filter(it => it.to > it.from)
  const wakes = history.wakes.filter(wake => Date.parse(wake.at) >= start).length
  const text = summary(spans, wakes)
  const width = Math.max(240, parts['d-head'].node.clientWidth)
  return [head, period === 'day' ? strip(spans, start, end, width, text) : calendar(spans, end, width, text),
    el('p', {class: 'legend', 'aria-hidden': 'true'}, lived.filter(state => spans.some(it => it.state === state)).map(state => el('span', {'data-lived': state}, el('i'), state))),
    el('p', {class: 'soft', id: 'd-summary'}, text)]
}

function summary(spans, wakes) {
  const sums = {}
  let total = 0
  for (const it of spans) {
    sums[it.state] = (sums[it.state] ?? 0) + it.to - it.from
    total += it.to - it.from
  }
  const said = lived.filter(state => sums[state]).map(state => `${state} ${span(sums[state] / 1000)} (${Math.round(100 * sums[state] / total)}\u00a0%)`)
  return `Last ${periods[period]}: ${said.join(', ') || 'nothing known'}; ${wakes ? `woken ${wakes === 1 ? 'once' : `${wakes} times`}` : 'not woken'}.`
}

// bars draws all spans of one state as one path, however many they are.
function bars(spans, shape) {
  return lived.map(state => {
    const path = spans.filter(it => it.state === state).map(shape).join('')
    return path && svg('path', {class: `lived-${state}`, d: path})
  })
}

const box = (x, y, w, h) => `M${x.toFixed(1)} ${y.toFixed(1)}h${w.toFixed(1)}v${h.toFixed(1)}h${(-w).toFixed(1)}z`

function strip(spans, start, end, width, text) {
  const x = time => (time - start) / (end - start) * width
  const shape = it => box(x(it.from), 0, Math.max(1, x(it.to) - x(it.from)), 36)
  const ticks = []
  const time = new Date(start)
  time.setMinutes(0, 0, 0)
  const step = width < 400 ? 6 : 3
  for (time.setHours(time.getHours() + 1); time < end; time.setHours(time.getHours() + 1))
    if (time.getHours() % step === 0) ticks.push([x(time), clock.format(time)])
  return svg('svg', {class: 'timeline', role: 'img', 'aria-label': text, viewBox: `0 0 ${width} 58`, width, height: 58},
    bars(spans, shape),
    ticks.map(([at, name]) => [svg('path', {class: 'tick', d: `M${at} 36v5`}), at > 14 && at < width - 14 && svg('text', {x: at, y: 54, 'text-anchor': 'middle'}, name)]))
}

// calendar draws a column a day, from midnight down to midnight, so that habits show.
function calendar(spans, end, width, text) {
  const left = 34, height = 132
  const first = new Date(end)
  first.setHours(0, 0, 0, 0)
  first.setDate(first.getDate() - 29)
  const days = Array.from({length: 30}, (_, i) => {
    const date = new Date(first)
    date.setDate(date.getDate() + i)
    const over = new Date(date)
    over.setDate(over.getDate() + 1)
    return {date, from: date.getTime(), to: over.getTime()}
  })
  const column = (width - left) / 30
  const pieces = days.flatMap((it, i) => spans.filter(s => s.to > it.from && s.from < it.to).map(s => ({state: s.state, i, day: it, from: Math.max(s.from, it.from), to: Math.min(s.to, it.to)})))
  const shape = it => {
    const y = time => (time - it.day.from) / (it.day.to - it.day.from) * height
    return box(left + it.i * column, y(it.from), column - 2, Math.max(1, y(it.to) - y(it.from)))
  }
  return svg('svg', {class: 'timeline', role: 'img', 'aria-label': text, viewBox: `0 0 ${width} ${height + 22}`, width, height: height + 22},
    bars(pieces, shape),
    [0, 6, 12, 18, 24].map(hour => svg('text', {x: left - 8, y: hour / 24 * (height - 10) + 9, 'text-anchor': 'end'}, String(hour))),
    days.map((it, i) => (29 - i) % 7 === 0 && i > 0 && svg('text', {x: left + (i + 1) * column - 2, y: height + 17, 'text-anchor': 'end'}, day.format(it.date))))
}

// ---- the graph of links: who needs an app is above it, what it needs is below

const most = 40 // apps in a drawing; of more, only those that matter to the open one

// linked gathers the whole stack and everything that hangs together with the app.
function linked(app) {
  let names = reach([app.name, ...[...apps.values()].filter(it => app.stack && it.stack === app.stack).map(it => it.name)], it => [...needsOf(it), ...(it.needed_by ?? [])])
  if (names.size > most) names = new Set([...reach([app.name], needsOf), ...app.needed_by.slice(0, most / 2)])
  const nodes = [...names].slice(0, most).sort(collator.compare)
  const edges = nodes.flatMap(from => (apps.get(from)?.needs ?? []).filter(need => nodes.includes(need.name) && need.name !== from).map(need => ({from, to: need.name, ...need})))
  graphNames = new Set(nodes)
  return {nodes, edges, more: names.size - nodes.length}
}

function needsOf(app) {
  return (app.needs ?? []).map(need => need.name)
}

function reach(from, next) {
  const seen = new Set(from)
  for (const name of seen) if (apps.has(name)) next(apps.get(name)).forEach(other => seen.add(other))
  return seen
}

// shortened takes the name of the stack off its apps' names, where these are long.
function shortened(app, nodes) {
  const prefix = app.stack + '-'
  const own = nodes.filter(name => app.stack && apps.get(name)?.stack === app.stack && name.startsWith(prefix) && name.length > prefix.length)
  return own.some(name => name.length > 16) ? new Map(own.map(name => [name, name.slice(prefix.length)])) : new Map()
}

function detailLinks(app, {nodes, edges, more}) {
  if (!edges.length) return [el('h3', null, 'Links'), el('p', {class: 'soft'}, 'It needs no other app, and none needs it.')]
  const short = shortened(app, nodes)
  return [el('h3', null, 'Links'),
    el('div', {class: 'scroll'}, drawGraph(app, nodes, edges, short)),
    short.size > 0 && el('p', {class: 'soft'}, `Short names are those of stack ${app.stack}.`),
    more > 0 && el('p', {class: 'soft'}, `${plural(more, 'more app')} not drawn.`),
    el('details', null, el('summary', {'data-do': 'text'}, 'Links as text'), el('ul', {id: 'd-links-text'}, nodes.flatMap(name => linkText(name, edges))))]
}

function linkText(name, edges) {
  const needs = edges.filter(edge => edge.from === name)
  if (!needs.length) return []
  const circle = apps.get(name)?.group ?? []
  return [el('li', null, `${name} needs ${needs.map(edge => `${edge.to} (${conditions(edge)})`).join(', ')}${circle.length ? `; starts together with ${circle.join(', ')}` : ''}.`)]
}

function conditions(edge) {
  return [edge.condition, edge.optional && 'optional', edge.missing && 'missing'].filter(Boolean).join(', ')
}

// circles finds the strongly connected components (Tarjan): apps that need each other.
function circles(nodes, out) {
  const index = new Map(), low = new Map(), stack = [], found = []
  const visit = name => {
    index.set(name, index.size)
    low.set(name, index.get(name))
    stack.push(name)
    for (const other of out.get(name)) {
      if (!index.has(other)) visit(other)
      if (stack.includes(other)) low.set(name, Math.min(low.get(name), low.get(other)))
    }
    if (low.get(name) === index.get(name)) found.push(stack.splice(stack.indexOf(name)))
  }
  nodes.forEach(name => index.has(name) || visit(name))
  return found.map(names => names.sort(collator.compare))
}

const nodeHeight = 34, nodeGap = 22, layerGap = 58

const ruler = document.createElement('canvas').getContext('2d')

function nodeWidth(name) {
  ruler.font = `550 12.5px ${getComputedStyle(document.body).fontFamily}`
  return Math.round(Math.min(240, Math.max(76, ruler.measureText(name).width + 42)))
}

// layout puts each circle, and each app that is in none, as one block into a layer
// below all that need it, and orders the layers so that few edges cross.
function layout(nodes, edges, widthOf, width) {
  const out = new Map(nodes.map(name => [name, edges.filter(edge => edge.from === name).map(edge => edge.to)]))
  const blocks = circles(nodes, out).map(names => block(names, widthOf))
  const blockOf = new Map(blocks.flatMap(it => it.names.map(name => [name, it])))
  for (const edge of edges) {
    const [from, to] = [blockOf.get(edge.from), blockOf.get(edge.to)]
    if (from !== to) from.below.add(to), to.above.add(from)
  }
  const depth = it => it.layer ??= Math.max(-1, ...[...it.above].map(depth)) + 1
  blocks.forEach(depth)
  for (const it of blocks) if (!it.above.size && it.below.size) it.layer = Math.min(...[...it.below].map(other => other.layer)) - 1
  const layers = []
  for (const it of blocks) if (!lone(it)) (layers[it.layer] ??= []).push(it)
  const routes = bend(edges, blockOf, layers)
  order(layers)
  layers.push(...shelves(blocks.filter(lone), width))
  return {blockOf, blocks, routes, ...place(layers)}
}

const lone = it => !it.circle && !it.above.size && !it.below.size

// shelves puts the apps of the stack that have no links into rows below the others.
function shelves(blocks, width) {
  const rows = []
  let left = 0
  for (const it of blocks) {
    if (left < it.w) {
      rows.push([])
      left = width
    }
    rows.at(-1).push(it)
    left -= it.w + nodeGap
  }
  return rows
}

// block arranges the apps of a circle: two or three side by side, more in a grid.
function block(names, widthOf) {
  const it = {names, above: new Set(), below: new Set(), at: new Map(), circle: names.length > 1}
  const columns = names.length <= 3 ? names.length : Math.ceil(Math.sqrt(names.length))
  const pad = it.circle ? 12 : 0
  const lane = it.circle && names.length <= 3 ? 26 * (names.length - 1) : it.circle ? 20 : 0
  const gap = names.length <= 3 ? 60 : 12
  const widths = Array.from({length: columns}, (_, c) => Math.max(...names.filter((_, i) => i % columns === c).map(widthOf)))
  names.forEach((name, i) => {
    const c = i % columns
    it.at.set(name, {x: pad + widths.slice(0, c).reduce((sum, w) => sum + w + gap, 0), y: pad + lane + Math.floor(i / columns) * (nodeHeight + 10), w: widths[c]})
  })
  it.w = 2 * pad + widths.reduce((sum, w) => sum + w, 0) + gap * (columns - 1)
  it.h = 2 * pad + lane + (names.length <= 3 ? lane : 0) + Math.ceil(names.length / columns) * (nodeHeight + 10) - 10
  return it
}

// bend gives an edge that passes layers a narrow place of its own in each of them.
function bend(edges, blockOf, layers) {
  return edges.filter(edge => blockOf.get(edge.from) !== blockOf.get(edge.to)).map(edge => {
    const [from, to] = [blockOf.get(edge.from), blockOf.get(edge.to)]
    const via = []
    let last = from
    for (let layer = from.layer + 1; layer < to.layer; layer++) {
      const it = {names: [], above: new Set([last]), below: new Set(), w: 12, h: nodeHeight}
      last.below.add(it)
      layers[layer].push(it)
      via.push(it)
      last = it
    }
    if (via.length) last.below.add(to), to.above.add(last)
    return {edge, via}
  })
}

function order(layers) {
  const mean = (others, layer) => {
    const places = [...others].map(other => layer?.indexOf(other) ?? -1).filter(i => i >= 0)
    return places.length ? places.reduce((sum, i) => sum + i, 0) / places.length / layer.length : 0.5
  }
  const sort = (layer, beside, side) => {
    const keys = new Map(layer.map(it => [it, mean(it[side], beside)]))
    layer.sort((a, b) => keys.get(a) - keys.get(b))
  }
  for (let round = 0; round < 4; round++) {
    for (let i = 1; i < layers.length; i++) sort(layers[i], layers[i - 1], 'above')
    for (let i = layers.length - 2; i >= 0; i--) sort(layers[i], layers[i + 1], 'below')
  }
}

function place(layers) {
  const gap = nodeGap
  let y = 4
  for (const layer of layers) {
    if (layer.every(lone)) y -= layerGap - nodeGap
    let x = 0
    const height = Math.max(...layer.map(it => it.h))
    for (const it of layer) {
      it.x = x
      it.y = y + (height - it.h) / 2
      x += it.w + gap
    }
    y += height + layerGap
  }
  const middle = it => it.x + it.w / 2
  const pull = (layer, side) => {
    const want = layer.map(it => it[side].size ? [...it[side]].reduce((sum, other) => sum + middle(other), 0) / it[side].size - it.w / 2 : it.x)
    let shift = 0
    layer.forEach((it, i) => {
      const left = i ? layer[i - 1].x + layer[i - 1].w + gap : -Infinity
      it.x = Math.max(want[i], left)
      shift += (want[i] - it.x) / layer.length
    })
    layer.forEach(it => it.x += shift)
  }
  for (let round = 0; round < 4; round++) {
    layers.slice(1).forEach(layer => pull(layer, 'above'))
    layers.slice(0, -1).reverse().forEach(layer => pull(layer, 'below'))
  }
  const all = layers.flat()
  const rest = all.filter(it => !lone(it))
  const centre = (Math.min(...rest.map(it => it.x)) + Math.max(...rest.map(it => it.x + it.w))) / 2
  for (const layer of layers.filter(layer => layer.every(lone))) {
    const shift = centre - (layer[0].x + layer.at(-1).x + layer.at(-1).w) / 2
    layer.forEach(it => it.x += shift)
  }
  const left = Math.min(...all.map(it => it.x)) - 4
  all.forEach(it => it.x -= left)
  return {width: Math.ceil(Math.max(...all.map(it => it.x + it.w)) + 4), height: y - layerGap + 4}
}

function drawGraph(app, nodes, edges, short) {
  const it = layout(nodes, edges, name => nodeWidth(short.get(name) ?? name), parts['d-head'].node.clientWidth)
  const spot = name => {
    const block = it.blockOf.get(name), at = block.at.get(name)
    return {x: block.x + at.x, y: block.y + at.y, w: at.w}
  }
  const degree = (name, end) => edges.filter(edge => edge[end] === name).length
  const hulls = it.blocks.filter(block => block.circle).map(block => [
    svg('rect', {class: 'hull', x: block.x, y: block.y, width: block.w, height: block.h, rx: 12}),
    block.names.length > 3 && svg('text', {class: 'edge-label', x: block.x + 14, y: block.y + 20}, 'need each other, start together')])
  const lines = [], labels = []
  const draw = (edge, d, x, y) => {
    lines.push(svg('path', {class: 'edge' + (edge.optional ? ' optional' : '') + (edge.from === app.name || edge.to === app.name ? ' mine' : ''), d, 'marker-end': 'url(#arrow)'}))
    while (labels.some(other => Math.abs(other.getAttribute('x') - x) < 50 && Math.abs(other.getAttribute('y') - y) < 12)) y += 13
    labels.push(svg('text', {class: 'edge-label', x, y, 'text-anchor': 'middle'}, edge.optional ? `${edge.condition}?` : edge.condition))
  }
  for (const {edge, via} of it.routes) {
    const [from, to] = [spot(edge.from), spot(edge.to)]
    const points = [[from.x + from.w / 2, from.y + nodeHeight], ...via.flatMap(v => [[v.x + 6, v.y], [v.x + 6, v.y + v.h]]), [to.x + to.w / 2, to.y - 2]]
    const late = degree(edge.from, 'from') >= degree(edge.to, 'to')
    draw(edge, ...down(points, late))
  }
  for (const edge of edges) {
    const block = it.blockOf.get(edge.from)
    if (block === it.blockOf.get(edge.to) && block.names.length <= 3) draw(edge, ...arc(spot(edge.from), spot(edge.to), Math.abs(block.names.indexOf(edge.from) - block.names.indexOf(edge.to))))
  }
  return svg('svg', {class: 'graph', role: 'group', 'aria-label': `Links of ${app.name}, also as text below`, viewBox: `0 0 ${it.width} ${it.height}`, width: it.width, height: it.height},
    svg('defs', null, svg('marker', {id: 'arrow', viewBox: '0 0 8 8', refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: 'auto-start-reverse'}, svg('path', {d: 'M0 0.5L8 4L0 7.5z'}))),
    hulls, lines, nodes.map(name => node(name, short.get(name) ?? name, spot(name), name === app.name, edges)), labels)
}

// down is a smooth line through points from above to below, and where its label goes:
// nearer to the end that fewer lines share,
// beside the layers that it passes if there are any.
function down(points, late) {
  let d = `M${points[0].join(' ')}`
  for (let i = 1; i < points.length; i++) {
    const [[x0, y0], [x1, y1]] = [points[i - 1], points[i]]
    d += `C${x0} ${(y0 + y1) / 2} ${x1} ${(y0 + y1) / 2} ${x1} ${y1}`
  }
  if (points.length > 2) return [d, points[1][0], (points[1][1] + points[2][1]) / 2 + 4]
  const [[x0, y0], [x1, y1]] = points
  const t = late ? 0.64 : 0.36
  const y = y0 * (1 - t) ** 3 + 1.5 * (y0 + y1) * (t * (1 - t) ** 2 + t * t * (1 - t)) + y1 * t ** 3
  return [d, x0 + (x1 - x0) * (3 * t * t - 2 * t ** 3), y + 4]
}

// arc joins two apps of a circle: there above them, back below.
function arc(from, to, distance) {
  const right = from.x < to.x
  const y = right ? from.y : from.y + nodeHeight
  const [x0, x1] = right ? [from.x + from.w * 0.6, to.x + to.w * 0.4] : [from.x + from.w * 0.4, to.x + to.w * 0.6]
  const top = y + (right ? -1 : 1) * 26 * distance
  return [`M${x0} ${y}C${x0} ${top} ${x1} ${top} ${x1} ${y + (right ? -2 : 2)}`, (x0 + x1) / 2, y + (top - y) * 0.75 + 4]
}

function node(name, shown, {x, y, w}, current, edges) {
  const app = apps.get(name)
  const missing = !app
  const fits = w < 240 ? Infinity : 26
  const inner = [
    svg('rect', {x, y, width: w, height: nodeHeight, rx: 8}),
    svg('circle', {class: 'spot', cx: x + 16, cy: y + nodeHeight / 2, r: 5}),
    svg('text', {x: x + 28, y: y + nodeHeight / 2 + 4}, shown.length > fits ? shown.slice(0, fits - 1) + '…' : shown)]
  const props = {class: 'node' + (current ? ' current' : '') + (missing ? ' missing' : ''), 'data-state': app?.state ?? 'missing', 'data-name': name}
  if (missing) return svg('g', props, inner)
  const needs = edges.filter(edge => edge.from === name).map(edge => edge.to)
  return svg('a', {...props, href: '#/app/' + encodeURIComponent(name), 'data-do': 'node ' + name, 'aria-label': `${name}, ${words[app.state]}${needs.length ? ', needs ' + needs.join(', ') : ''}`}, inner)
}

// ---- rules

async function loadRules() {
  try {
    drawRules(await ask('rules'))
  } catch (error) {
    $('rules-list').replaceChildren(el('p', {class: 'wrong'}, sentence(error)))
  }
}

function drawRules({rules, warnings}) {
  $('rules-list').replaceChildren(
    ...warnings.map(text => el('p', {class: 'banner warn'}, text)),
    rules.length ? el('ol', {class: 'rules'}, rules.map(ruleItem)) : el('p', {class: 'empty'}, 'There are no rules. They go into paastis.yml.'))
}

function ruleItem(rule) {
  const properties = Object.entries(rule.properties ?? {}).filter(([key]) => key !== 'linked_apps')
  return el('li', null,
    el('div', {class: 'd-sub'}, el('h2', null, el('code', null, rule.pattern)), el('span', {class: 'soft'}, rule.where)),
    properties.length > 0 && el('dl', {class: 'facts'}, properties.map(([key, value]) => el('div', null, el('dt', null, key), el('dd', null, typeof value === 'string' ? value : JSON.stringify(value))))),
    rule.linked_apps?.length > 0 && el('dl', {class: 'facts'}, el('div', {class: 'wide'}, el('dt', null, 'linked_apps'), el('dd', null, rule.linked_apps.join(', ')))),
    matchList(rule.matches ?? []))
}

function matchList(names) {
  if (!names.length) return el('p', {class: 'soft'}, 'Matches no app at present.')
  const chips = list => list.map(name => el('li', null, el('a', {class: 'chip', href: '#/app/' + encodeURIComponent(name)}, name)))
  const list = el('ul', {class: 'chips'}, chips(names.slice(0, 24)))
  const rest = names.slice(24)
  const button = rest.length > 0 && el('button', {type: 'button', class: 'quiet', click: () => {
    list.append(...chips(rest))
    list.children[24].firstElementChild.focus()
    button.remove()
  }}, `and ${rest.length} more`)
  return el('div', null, el('p', {class: 'soft'}, `Matches ${plural(names.length, 'app')}`), list, button)
}

// ---- events

const kinds = {pin: event => local(event.reason), gone: () => 'gone', state: event => `${words[event.was] ?? event.was} → ${words[event.state] ?? event.state}`}
let eventTerms = []

function eventItem(event) {
  return el('li', {'data-state': event.state, 'data-kind': event.kind},
    when(event.at), el('i', {class: 'dot'}),
    el('a', {href: '#/app/' + encodeURIComponent(event.app)}, event.app),
    el('span', {class: 'change'}, (kinds[event.kind] ?? kinds.state)(event)),
    el('span', {class: 'why'}, event.kind === 'pin' ? '' : [local(event.reason), event.took_seconds >= 0.1 && `took ${took(event.took_seconds)}`].filter(Boolean).join(' · ')))
}

function eventMatches(event) {
  const text = `${event.app} ${event.kind} ${event.state} ${words[event.state]} ${event.reason}`.toLowerCase()
  return eventTerms.every(term => text.includes(term))
}

let eventsShown = 0 // the id of the newest event in the list

// drawEvents adds the new ones on top; with again it draws all anew.
function drawEvents(again) {
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

function eventsSoon() {
  if (eventsDue || view !== 'events') return
  eventsDue = true
  requestAnimationFrame(() => { eventsDue = false; drawEvents() })
}

// ---- health

async function loadHealth() {
  const health = await ask('health').catch(() => null)
  if (!health) return
  const lines = [...health.problems, ...health.providers.filter(it => !it.connected).map(it => `${it.name} is not connected${it.error ? `: ${it.error}` : ''}`)]
  const problems = $('problems')
  const text = JSON.stringify(lines)
  problems.hidden = !lines.length
  if (problems.dataset.shown !== text) problems.replaceChildren(...lines.map(line => el('p', null, line)))
  problems.dataset.shown = text
  const about = [`Paastis ${health.version}`, `running since ${at(health.started)}`, ...health.providers.filter(it => it.connected).map(it => `${it.name} connected`), health.unknown_requests > 0 && `${plural(health.unknown_requests, 'request')} for unknown hosts`, lines.length ? plural(lines.length, 'problem') : 'all is well']
  write($('about'), about.filter(Boolean).join(' · '))
}

// ---- the stream

let wakeUp = () => {}

const rest = seconds => new Promise(resolve => {
  wakeUp = resolve
  setTimeout(resolve, seconds * 1000)
})

// follow keeps the page current for ever: a whole picture, then what changes. A tab that
// nobody sees gives its connection back: browsers have only six to a server.
async function follow() {
  for (let pause = 1; ; pause = Math.min(2 * pause, 15)) {
    const live = () => { online(true); pause = 1 }
    const error = await stream(live).catch(error => error)
    if (document.hidden) await new Promise(resolve => document.addEventListener('visibilitychange', resolve, {once: true}))
    else {
      online(false, error?.status && sentence(error))
      await rest(pause)
    }
  }
}

async function stream(live) {
  const [, , last] = await Promise.all([ask('session').then(it => { session = it; $('csrf').value = it.csrf }), whole(), missed()])
  const stop = new AbortController()
  const silent = watchdog(stop)
  try {
    const answer = await ask(`events?after=${last}`, {stream: true, signal: stop.signal, headers: {Accept: 'text/event-stream'}})
    live()
    events.forEach(hear)
    if (view === 'rules') loadRules()
    loadHealth()
    if (open) loadDetail(open)
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (let piece; !(piece = await reader.read()).done;) {
      silent.heard()
      const messages = (text + piece.value.replaceAll('\r', '')).split('\n\n')
      text = messages.pop()
      messages.forEach(receive)
    }
  } finally {
    silent.done()
    stop.abort()
  }
}

async function whole() {
  const picture = await ask('apps')
  totals = picture.totals
  takeAll(picture.apps)
}

// missed fetches the events anew, for the numbers begin again when Paastis does.
async function missed() {
  const answer = await ask('events?limit=1000')
  events.splice(0, events.length, ...answer.events)
  drawEvents(true)
  return events.at(-1)?.id ?? 0
}

// watchdog gives a connection up that is silent though a sign of life is due each 15 s,
// and one of a tab that has been hidden for a minute.
function watchdog(stop) {
  let heard = Date.now(), hidden = 0
  const timer = setInterval(() => {
    hidden = document.hidden ? hidden + 5 : 0
    if (hidden >= 60 || Date.now() - heard > 45e3) stop.abort()
  }, 5000)
  return {heard: () => { heard = Date.now() }, done: () => clearInterval(timer)}
}

function receive(message) {
  let kind = 'message'
  const data = []
  for (const line of message.split('\n')) {
    if (line.startsWith('event:')) kind = line.slice(6).trim()
    if (line.startsWith('data:')) data.push(line.slice(5))
  }
  if (!data.length) return
  const body = JSON.parse(data.join('\n'))
  if (kind === 'app') take(body, true)
  if (kind === 'gone') forget(body.name)
  if (kind === 'totals') { totals = body; draw() }
  if (kind !== 'event' || body.id <= (events.at(-1)?.id ?? 0)) return
  events.push(body)
  if (events.length > 1000) events.shift()
  hear(body)
  eventsSoon()
}

function online(yes, why) {
  $('live').dataset.live = yes ? 'on' : 'off'
  write($('live'), yes ? 'live' : 'not live')
  if ($('lost').hidden === yes) return
  $('lost').hidden = yes
  write($('lost'), yes ? '' : `Connection lost, trying again. What you see may be old.${why ? ` ${why}` : ''}`)
}

// ---- where we are

const pages = ['apps', 'rules', 'events']
let scrolled = 0

function route(event) {
  const [, kind, name] = location.hash.match(/^#\/(\w*)\/?(.*)$/) ?? [null, '', '']
  const was = {view, open}
  view = pages.includes(kind) ? kind : 'apps'
  for (const id of pages) $(id).hidden = id !== view
  for (const link of document.querySelectorAll('nav a')) {
    if (link.dataset.view === view) link.setAttribute('aria-current', 'page')
    else link.removeAttribute('aria-current')
  }
  if (!open && was.view === 'apps') scrolled = scrollY
  openDetail(kind === 'app' ? decode(name) : '')
  document.title = view === 'rules' ? 'Rules · Paastis' : view === 'events' ? 'Events · Paastis' : open ? `${open} · Paastis` : 'Paastis'
  if (view === 'rules') loadRules()
  if (view === 'events') drawEvents(true)
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
    if (!stepping) $('d-name')?.focus({preventScroll: true})
  } else if (view !== 'apps') {
    scrollTo(0, 0)
    $(view + '-title').focus({preventScroll: true})
  } else if (was.open) {
    if (narrow) scrollTo(0, scrolled)
    rows.get(was.open)?.link.focus({preventScroll: narrow})
  }
  stepping = false
}

// ---- the keyboard

let stepping = false

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
  else if (terms.length) { $('search').value = ''; search() }
  else if (filter !== 'all') setFilter('all')
}

function onKey(event) {
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

// ---- the beginning

function start() {
  const hash = sessionStorage.getItem('paastis-hash')
  sessionStorage.removeItem('paastis-hash')
  if (hash && !location.hash) history.replaceState(null, '', hash)
  $('filters').append(...Object.entries(filters).map(([key, [name]]) => el('button', {type: 'button', 'data-filter': key, 'aria-pressed': String(key === 'all'), click: () => setFilter(key)}, name, el('span', {id: 'count-' + key, class: 'number'}))))
  $('search').addEventListener('input', search)
  $('events-search').addEventListener('input', () => {
    eventTerms = $('events-search').value.toLowerCase().split(/\s+/).filter(Boolean)
    drawEvents(true)
  })
  $('list').addEventListener('click', event => {
    const button = event.target.closest('[data-act]')
    if (button) press(button.closest('.row').dataset.app, button.dataset.act, 'row')
  })
  $('pin').addEventListener('click', event => {
    const button = event.target.closest('[type=button]')
    if (button) button.value ? pin(button.value) : $('pin').close()
  })
  $('pin').addEventListener('submit', event => { event.preventDefault(); pin('until') })
  $('help').addEventListener('click', () => $('keys').showModal())
  $('keys-on').checked = localStorage.getItem('paastis-keys') !== 'off'
  $('keys-on').addEventListener('change', event => localStorage.setItem('paastis-keys', event.target.checked ? 'on' : 'off'))
  addEventListener('keydown', onKey)
  addEventListener('pointerdown', () => { pressedAt = performance.now() }, true)
  addEventListener('click', () => { pressedAt = -Infinity }, true)
  addEventListener('pointercancel', () => { pressedAt = -Infinity })
  addEventListener('hashchange', route)
  addEventListener('online', () => wakeUp())
  addEventListener('resize', () => { detailDirty = true; draw() })
  setInterval(tick, 1000)
  setInterval(() => document.hidden || loadHealth(), 30e3)
  setInterval(() => document.hidden || !open || loadDetail(open), 60e3)
  route()
  follow()
}

start()
