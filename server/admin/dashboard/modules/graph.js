// The graph of links of the open app.

import {el, svg} from './dom.js'
import {collator, plural, words} from './format.js'
import {apps} from './picture.js'
import {layout, nodeHeight} from './layout.js'

const most = 40 // apps in a drawing; of more, only those that matter to the open one

// linked gathers the whole stack and everything that hangs together with the app.
export function linked(app) {
  let names = reach([app.name, ...[...apps.values()].filter(it => app.stack && it.stack === app.stack).map(it => it.name)], it => [...needsOf(it), ...(it.needed_by ?? [])])
  if (names.size > most) names = new Set([...reach([app.name], needsOf), ...app.needed_by.slice(0, most / 2)])
  const nodes = [...names].slice(0, most).sort(collator.compare)
  const edges = nodes.flatMap(from => (apps.get(from)?.needs ?? []).filter(need => nodes.includes(need.name) && need.name !== from).map(need => ({from, to: need.name, ...need})))
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

export function detailLinks(app, {nodes, edges, more}, width) {
  if (!edges.length) return [el('h3', null, 'Links'), el('p', {class: 'soft'}, 'It needs no other app, and none needs it.')]
  const short = shortened(app, nodes)
  return [el('h3', null, 'Links'),
    el('div', {class: 'scroll'}, drawGraph(app, nodes, edges, short, width)),
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

const ruler = document.createElement('canvas').getContext('2d')

function nodeWidth(name) {
  ruler.font = `550 12.5px ${getComputedStyle(document.body).fontFamily}`
  return Math.round(Math.min(240, Math.max(76, ruler.measureText(name).width + 42)))
}

function drawGraph(app, nodes, edges, short, width) {
  const it = layout(nodes, edges, name => nodeWidth(short.get(name) ?? name), width)
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
