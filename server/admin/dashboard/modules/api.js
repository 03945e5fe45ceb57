// The admin API (api/v1), as the page asks it.

import {setClock} from './format.js'

let session = {}

// begin learns what the session's requests have to send, and returns it.
export async function begin() {
  session = await ask('session')
  return session
}

export async function ask(path, options = {}) {
  const sent = Date.now()
  const answer = await fetch('api/v1/' + path, {cache: 'no-store', ...options})
  if (answer.status === 401) return lostSession()
  if (!answer.ok) throw await problem(answer)
  if (options.stream) return answer
  const body = await answer.json()
  if (body.now) setClock(body.now, (sent + Date.now()) / 2)
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

export const path = name => 'apps/' + encodeURIComponent(name)

export function send(where, body) {
  return ask(where, {method: 'POST', body: JSON.stringify(body), headers: {'Content-Type': 'application/json', 'X-Paastis-CSRF': session.csrf}})
}

// sentence is what to tell of an error.
export function sentence(error) {
  const text = error.status ? error.message : 'Paastis did not answer; nothing was changed.'
  const whole = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(whole) ? whole : whole + '.'
}
