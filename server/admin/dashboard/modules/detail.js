// The detail view: all of one app.

import {$, el, write} from './dom.js'
import {containerHours, hours, memory, memoryHours, money, pinned, secondsTo, sizeHours, span, timeOf, took, when, why, word} from './format.js'
import {ask, path} from './api.js'
import {apps, forget, loaded, on, take} from './picture.js'
import {draw} from './frame.js'
import {open, view} from './place.js'
import {next, notice, notices, press, verbs} from './actions.js'
import {detailTimeline} from './timeline.js'
import {detailLinks, linked} from './graph.js'

const histories = new Map() // name → its last 30 days
let drawn = new Set() // the apps in the graph
let dirty = false
let parts = {}
let period = 'day'

on('renewed', name => name === open && load(name))

// load asks for what only the detail view shows.
export async function load(name) {
  const asked = performance.now()
  const [app, history] = await Promise.allSettled([ask(path(name)), ask(`${path(name)}/history?days=30`)])
  if (history.value) histories.set(name, history.value)
  if (name !== open) return
  if (app.value) take(newest(app.value, apps.get(name), asked))
  else if (app.reason.status === 404) forget(name)
  dirty = true
  draw()
}

// newest is an answer, with what the stream has said of the app since it was asked for: which of
// both is older is not known, but the stream's last word is what is.
function newest(app, had, asked) {
  if (!(had?.heard > asked)) return app
  return {...app, ...had, wakes: app.wakes, failure: had.failure?.at === app.failure?.at ? app.failure : had.failure}
}

// show begins with an app, or with none.
export function show(name) {
  parts = {}
  histories.clear()
  drawn = new Set()
  $('apps').toggleAttribute('data-open', Boolean(name))
  $('detail').hidden = !name
  $('detail').replaceChildren()
  if (!name) return
  drawDetail()
  $('detail').scrollTop = 0
  load(name)
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

export function drawApp(name) {
  if (name === open || drawn.has(name)) dirty = true
}

export function drawRest() {
  if (dirty) drawDetail()
}

// redraw is for another size of the page.
export function redraw() {
  dirty = true
  draw()
}

function drawDetail() {
  dirty = false
  if (!open || view !== 'apps') return
  const app = apps.get(open)
  if (!app) return drawUnknown()
  if (parts['d-unknown']) {
    parts = {}
    $('detail').replaceChildren()
  }
  const history = histories.get(open)
  part('d-head', [app.name, app.stack, app.provider, app.own_name, app.urls, app.managed], () => detailHead(app))
  part('d-now', [app.state, why(app), app.since, pinned(app)], () => detailNow(app))
  part('d-acts', [app.state, pinned(app), app.managed], () => app.managed ? detailActs(app) : el('p', {class: 'soft'}, 'Other apps need it, but Paastis does not manage it.'))
  part('d-notice', [notices.get(open)], () => notice(open, 'detail', $('detail')))
  part('d-failure', [app.failure], () => app.failure && detailFailure(app.failure))
  const graph = linked(app)
  drawn = new Set(graph.nodes)
  const width = parts['d-head'].node.clientWidth
  part('d-links', [graph.nodes.map(name => [name, apps.get(name)?.state]), graph.edges], () => detailLinks(app, graph, width))
  part('d-timeline', [history?.now, history?.spans.length, period, $('detail').clientWidth], () => detailTimeline(history, period, width, key => { period = key; drawDetail() }))
  part('d-saved', [app.saved, app.memory_bytes, app.avoided], () => detailSaved(app))
  part('d-wakes', [app.wakes, app.usual_wake_seconds], () => detailWakes(app))
  part('d-facts', [app.mode, app.max_idle_seconds, app.open_requests, app.last_activity], () => detailFacts(app))
  tick()
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
    el('p', {class: 'd-why'}, app.state === 'ready' && app.reason ? `Awake because: ${why(app)}` : why(app)),
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
    el('p', {class: 'soft'}, app.memory_bytes ? `When awake it uses ${memory(app.memory_bytes)}.` : 'How much memory it uses is not known yet.'),
    app.avoided.since && el('div', {class: 'd-avoided'}, detailAvoided(app.avoided))]
}

function detailAvoided({since, container_hours, cost, sizes}) {
  return [el('p', null, el('b', null, money(cost) || containerHours(container_hours)), cost.length > 0 ? ` avoided: ${containerHours(container_hours)} not run since ` : ' not run since ', when(since), '.'),
    sizes.some(({size, hourly_price}) => size || hourly_price) && el('p', {class: 'soft'}, sizes.map(sizeHours).join(', '),
      cost.length > 0 && sizes.some(({hourly_price}) => !hourly_price) && '. What has no price is not in it.')]
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

export function tick() {
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
