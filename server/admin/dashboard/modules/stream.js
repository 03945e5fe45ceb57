// What keeps the page current: the stream of events.

import {$, write} from './dom.js'
import {ask, begin, sentence} from './api.js'
import {count, forget, take, takeAll} from './picture.js'
import {open, view} from './place.js'
import {load} from './detail.js'
import {correct, happen, missed} from './events.js'
import {loadHealth} from './health.js'
import {loadRules} from './rules.js'

let wakeUp = () => {}

// tryNow does not wait any longer for the connection.
export const tryNow = () => wakeUp()

const rest = seconds => new Promise(resolve => {
  wakeUp = resolve
  setTimeout(resolve, seconds * 1000)
})

// follow keeps the page current for ever: a whole picture, then what changes. A tab that
// nobody sees gives its connection back: browsers have only six to a server.
export async function follow() {
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
  const [, , last] = await Promise.all([begin().then(it => { $('csrf').value = it.csrf }), whole(), missed()])
  const stop = new AbortController()
  const silent = watchdog(stop)
  try {
    const answer = await ask(`events?after=${last}`, {stream: true, signal: stop.signal, headers: {Accept: 'text/event-stream'}})
    live()
    correct()
    if (view === 'rules') loadRules()
    loadHealth()
    if (open) load(open)
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
  count(picture.totals)
  takeAll(picture.apps)
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
  if (kind === 'totals') count(body)
  if (kind === 'event') happen(body)
}

function online(yes, why) {
  $('live').dataset.live = yes ? 'on' : 'off'
  write($('live'), yes ? 'live' : 'not live')
  if ($('lost').hidden === yes) return
  $('lost').hidden = yes
  write($('lost'), yes ? '' : `Connection lost, trying again. What you see may be old.${why ? ` ${why}` : ''}`)
}
