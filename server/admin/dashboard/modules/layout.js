// Where the apps of a graph go: who needs an app is above it, what it needs is below.

import {collator} from './format.js'

export const nodeHeight = 34
const nodeGap = 22, layerGap = 58

// components finds those that are strongly connected (Tarjan): apps that need each other.
function components(nodes, out) {
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

// layout puts each circle, and each app that is in none, as one block into a layer
// below all that need it, and orders the layers so that few edges cross.
export function layout(nodes, edges, widthOf, width) {
  const out = new Map(nodes.map(name => [name, edges.filter(edge => edge.from === name).map(edge => edge.to)]))
  const blocks = components(nodes, out).map(names => block(names, widthOf))
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
