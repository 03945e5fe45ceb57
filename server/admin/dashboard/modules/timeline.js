// When an app was awake: a day as a strip, thirty as a calendar.

import {el, svg} from './dom.js'
import {clock, day, span} from './format.js'

const lived = ['awake', 'asleep', 'failed', 'unknown']
const periods = {day: '24 hours', month: '30 days'}

// detailTimeline draws a history, of a period that choose changes.
export function detailTimeline(history, period, clientWidth, choose) {
  const head = el('div', {class: 'd-sub'}, el('h3', null, 'Timeline'), el('div', {class: 'filters', role: 'group', 'aria-label': 'Period'}, Object.keys(periods).map(key =>
    el('button', {type: 'button', 'data-do': key, 'aria-pressed': String(period === key), click: () => choose(key)}, periods[key]))))
  if (!history) return [head, el('p', {class: 'soft'}, 'Loading…')]
  const end = Date.parse(history.now)
  const start = end - (period === 'day' ? 864e5 : 30 * 864e5)
  const spans = history.spans.map(it => ({state: it.state, from: Math.max(start, Date.parse(it.from)), to: Math.min(end, Date.parse(it.to))})).filter(it => it.to > it.from)
  const wakes = history.wakes.filter(wake => Date.parse(wake.at) >= start).length
  const text = summary(spans, wakes, periods[period])
  const width = Math.max(240, clientWidth)
  return [head, period === 'day' ? strip(spans, start, end, width, text) : calendar(spans, end, width, text),
    el('p', {class: 'legend', 'aria-hidden': 'true'}, lived.filter(state => spans.some(it => it.state === state)).map(state => el('span', {'data-lived': state}, el('i'), state))),
    el('p', {class: 'soft', id: 'd-summary'}, text)]
}

function summary(spans, wakes, period) {
  const sums = {}
  let total = 0
  for (const it of spans) {
    sums[it.state] = (sums[it.state] ?? 0) + it.to - it.from
    total += it.to - it.from
  }
  const said = lived.filter(state => sums[state]).map(state => `${state} ${span(sums[state] / 1000)} (${Math.round(100 * sums[state] / total)}\u00a0%)`)
  return `Last ${period}: ${said.join(', ') || 'nothing known'}; ${wakes ? `woken ${wakes === 1 ? 'once' : `${wakes} times`}` : 'not woken'}.`
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
