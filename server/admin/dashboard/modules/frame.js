// When what has changed is drawn: row by row, at most once a frame.

import {loaded, on} from './picture.js'

const dirty = new Set() // names to draw in the next frame
let views = []

// drawWith says who draws: drawApp(name) for each app that has changed, then drawRest().
export function drawWith(...all) {
  views = all
  on('changed', mark)
  on('counted', draw)
}

let drawing = false

export function mark(name) {
  dirty.add(name)
  draw()
}

export function draw() {
  if (drawing) return
  drawing = true
  requestAnimationFrame(flush)
}

// A press and its release are a click only if they meet the same button: so nothing is
// replaced in between, for a second at most.
let pressedAt = -Infinity

export function watchPresses() {
  addEventListener('pointerdown', () => { pressedAt = performance.now() }, true)
  addEventListener('click', () => { pressedAt = -Infinity }, true)
  addEventListener('pointercancel', () => { pressedAt = -Infinity })
}

function pressing() {
  return performance.now() - pressedAt < 1000
}

// flush draws what is dirty for some milliseconds; what is left waits for the next
// frame, so that thousands of rows never block a keystroke.
function flush() {
  drawing = false
  if (pressing()) return draw()
  const end = performance.now() + 12
  for (const name of dirty) {
    dirty.delete(name)
    for (const view of views) view.drawApp(name)
    if (performance.now() > end) break
  }
  for (const view of views) view.drawRest()
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
