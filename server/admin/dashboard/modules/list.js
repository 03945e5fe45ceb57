// The list of apps: a row each, in sections by stack; search, filters and totals.

import {$, el, write} from './dom.js'
import {at, collator, containerHours, hours, memoryHours, money, pinned, plural, timeOf, why, word} from './format.js'
import {apps, loaded, totals} from './picture.js'
import {draw} from './frame.js'
import {open} from './place.js'
import {next, notice, notices, press, verbs} from './actions.js'

const filters = {
  all: ['All', () => true],
  awake: ['Awake', app => app.state === 'ready' || app.state === 'draining'],
  waking: ['Waking', app => app.state === 'starting'],
  asleep: ['Asleep', app => app.state === 'asleep' || app.state === 'stopping'],
  failed: ['Failed', app => app.state === 'failed'],
  pinned: ['Pinned', app => pinned(app)],
}

const rows = new Map()    // name → its row
const stacks = new Map()  // stack → its section
const touched = new Set() // stacks to count anew
export let filter = 'all'
export let terms = []

// drawApp draws a row.
export function drawApp(name) {
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
  const text = why(app)
  if (row.why.textContent !== text) row.why.title = row.why.textContent = text
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
  const shown = notice(name, 'row', row.link)
  if (shown) row.item.append(shown)
}

function drawTime(row, app) {
  write(row.time, timeOf(app))
  row.ticks = app.state === 'starting' || (app.state === 'ready' && app.next_stop && !pinned(app)) || Boolean(app.failure?.retry_at)
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

// drawRest draws what is counted.
export function drawRest() {
  touched.forEach(countStack)
  touched.clear()
  $('list').toggleAttribute('data-many', apps.size > 150)
  drawFilters()
  drawTotals()
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
  const {saved: {day, month}, avoided} = totals
  write($('t-slept'), hours(day.asleep_seconds))
  write($('t-slept-month'), `${hours(month.asleep_seconds)} in 30 days`)
  write($('t-memory'), day.memory_byte_seconds === null ? '–' : memoryHours(day.memory_byte_seconds))
  write($('t-memory-month'), month.memory_byte_seconds === null ? 'not measured yet' : `${memoryHours(month.memory_byte_seconds)} in 30 days`)
  drawAvoided(avoided)
}

// drawAvoided says what was not run: in money first, where that is known.
function drawAvoided({since, container_hours, cost}) {
  $('t-avoided').hidden = !since
  const [first, ...rest] = (money(cost) || containerHours(container_hours)).split(' ')
  write($('t-avoided-what'), cost.length ? 'Cost avoided' : 'Not run')
  write($('t-worth'), first)
  write($('t-worth-of'), rest.join(' '))
  write($('t-avoided-since'), `${cost.length ? `${hours(container_hours * 3600)} not run ` : ''}since ${at(since)}`)
}

export function setFilter(key) {
  filter = key
  for (const button of $('filters').children) button.setAttribute('aria-pressed', button.dataset.filter === key)
  search()
}

// tick moves the clocks of the rows.
export function tick() {
  for (const [name, row] of rows) if (row.ticks && apps.has(name)) drawTime(row, apps.get(name))
}

// markOpen tells the row of the app that is open from the others.
export function markOpen(name) {
  for (const row of rows.values()) {
    row.item.classList.toggle('open', row.name === name)
    if (row.name === name) row.link.setAttribute('aria-current', 'true')
    else row.link.removeAttribute('aria-current')
  }
}

// focusRow gives the focus to the row of an app, and clearSearch shows all again.
export function focusRow(name, options) {
  rows.get(name)?.link.focus(options)
}

export function clearSearch() {
  $('search').value = ''
  search()
}

export function start() {
  $('filters').append(...Object.entries(filters).map(([key, [name]]) => el('button', {type: 'button', 'data-filter': key, 'aria-pressed': String(key === 'all'), click: () => setFilter(key)}, name, el('span', {id: 'count-' + key, class: 'number'}))))
  $('search').addEventListener('input', search)
  $('list').addEventListener('click', event => {
    const button = event.target.closest('[data-act]')
    if (button) press(button.closest('.row').dataset.app, button.dataset.act, 'row')
  })
}
